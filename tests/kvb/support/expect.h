#pragma once
// Shorthand for results: the value, or a test failure that shows the error's text.

#include <gtest/gtest.h>
#include <kvb/error.h>

#include <cstdlib>
#include <iostream>
#include <utility>

namespace kvb::testing {

// The value of a result that must not be an error. A test without it could not go on, so this ends the program.
template <typename T>
T must(Result<T> result, const char* file, int line) {
  if (!result) {
    std::cerr << file << ":" << line << ": unexpected error " << error_name(result.error().code) << ": "
              << result.error().to_string() << std::endl;
    std::abort();
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <typename T>
std::string outcome(const Result<T>& result) {
  if (result) return "success";
  return std::string(error_name(result.error().code)) + " (" + result.error().to_string() + ")";
}

}  // namespace kvb::testing

#define KVB_MUST(expression) (::kvb::testing::must((expression), __FILE__, __LINE__))
#define EXPECT_FINE(expression)                                                                          \
  do {                                                                                                   \
    auto&& kvb_outcome = (expression);                                                                   \
    EXPECT_TRUE(kvb_outcome.has_value()) << #expression << ": " << ::kvb::testing::outcome(kvb_outcome); \
  } while (false)
#define ASSERT_FINE(expression)                                                                          \
  do {                                                                                                   \
    auto&& kvb_outcome = (expression);                                                                   \
    ASSERT_TRUE(kvb_outcome.has_value()) << #expression << ": " << ::kvb::testing::outcome(kvb_outcome); \
  } while (false)
// The expression fails with this code, and the error has a sentence.
#define EXPECT_CODE(expression, expected_code)                                                         \
  do {                                                                                                 \
    auto&& kvb_outcome = (expression);                                                                 \
    EXPECT_FALSE(kvb_outcome.has_value()) << #expression << " should fail with " #expected_code;       \
    if (!kvb_outcome.has_value()) {                                                                    \
      EXPECT_EQ(kvb_outcome.error().code, ::kvb::ErrorCode::expected_code)                             \
          << #expression << ": " << ::kvb::testing::outcome(kvb_outcome);                              \
      EXPECT_FALSE(kvb_outcome.error().message.empty()) << #expression << " fails without a sentence"; \
    }                                                                                                  \
  } while (false)
