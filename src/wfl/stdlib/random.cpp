// Random numbers. The generator belongs to the program's run, so random_seed makes one run repeatable; UUIDs come from
// the system's generator, which no seed reaches.
#include <sodium.h>

#include <array>
#include <cmath>
#include <string>

#include "wfl/stdlib/convert.h"
#include "wfl/stdlib/registry.h"

namespace wfl::stdlib {
namespace {

using vm::NativeCall;
using vm::Value;

// 53 random bits as a fraction: every double in [0, 1) that is a multiple of 2^-53, all equally likely.
double unit_random(Runtime& runtime) {
  return static_cast<double>(runtime.random() >> 11U) * 0x1.0p-53;
}

// 0 … count-1, without the small bias of a plain remainder.
std::uint64_t random_below(Runtime& runtime, std::uint64_t count) {
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % count;
  std::uint64_t bits = runtime.random();
  while (bits >= limit) bits = runtime.random();
  return bits % count;
}

Value random(NativeCall& call) {
  return Value::number(unit_random(runtime_of(call)));
}

Value random_between(NativeCall& call) {
  const double low = call.number(0);
  const double high = call.number(1);
  if (call.failed()) return Value::null();
  if (low > high) {
    return call.fail("random_between: min (" + vm::format_number(low) + ") cannot be greater than max (" +
                     vm::format_number(high) + ")");
  }
  return Value::number(low + unit_random(runtime_of(call)) * (high - low));
}

Value random_int(NativeCall& call) {
  const std::int64_t low = to_signed(call.number(0));
  const std::int64_t high = to_signed(call.number(1));
  if (call.failed()) return Value::null();
  if (low > high) {
    return call.fail("random_int: min (" + std::to_string(low) + ") cannot be greater than max (" +
                     std::to_string(high) + ")");
  }
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  const std::uint64_t offset =
      span == UINT64_MAX ? runtime_of(call).random() : random_below(runtime_of(call), span + 1);
  return Value::number(static_cast<double>(static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset)));
}

Value random_boolean(NativeCall& call) {
  return Value::boolean((runtime_of(call).random() >> 63U) != 0);
}

Value random_from(NativeCall& call) {
  const vm::List* list = call.list(0);
  if (call.failed()) return Value::null();
  if (list->items.empty()) return call.fail("random_from: cannot select from empty list");
  return list->items[random_below(runtime_of(call), list->items.size())];
}

Value random_seed(NativeCall& call) {
  const double seed = call.number(0);
  if (call.failed()) return Value::null();
  runtime_of(call).random.seed(std::bit_cast<std::uint64_t>(seed));
  return Value::nothing();
}

Value generate_uuid(NativeCall& call) {
  std::array<unsigned char, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0FU) | 0x40U);  // Version 4.
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3FU) | 0x80U);  // The variant of RFC 4122.
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out.push_back('-');
    out.push_back(kHex[bytes[i] >> 4U]);
    out.push_back(kHex[bytes[i] & 0x0FU]);
  }
  return call.make_text(out);
}

constexpr auto kFunctions = std::to_array<BuiltinFunction>({
    {"random", random},
    {"random_between", random_between},
    {"random_int", random_int},
    {"random_boolean", random_boolean},
    {"random_from", random_from},
    {"random_seed", random_seed},
    {"generate_uuid", generate_uuid},
});

}  // namespace

std::span<const BuiltinFunction> random_functions() {
  return kFunctions;
}

}  // namespace wfl::stdlib
