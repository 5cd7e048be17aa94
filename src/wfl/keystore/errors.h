// Failures of the engine as errors of the language: which handler catches them, and a sentence that says what happened,
// to which file, and what to do now.
#pragma once

#include <kvb/error.h>

#include <string>
#include <string_view>

#include "wfl/vm/native.h"
#include "wfl/vm/value.h"

namespace wfl::keystore {

// `path` is the path as the program wrote it.
[[nodiscard]] vm::Error describe(const kvb::Error& error, std::string_view path);

// The error for opening what this very program has open for writing.
[[nodiscard]] vm::Error busy_in_this_program(std::string_view path);

// "X cannot be done yet …": for forms of the language whose engine side is still to come.
[[nodiscard]] vm::Error not_yet(std::string_view what, std::string_view instead);

// Fails the call with an error that is already made.
inline vm::Value fail_with(vm::NativeCall& call, vm::Error error) {
  return call.fail(error.kind, std::move(error.message));
}
inline vm::Value fail_with(vm::NativeCall& call, const kvb::Error& error, std::string_view path) {
  return fail_with(call, describe(error, path));
}

}  // namespace wfl::keystore
