#include "wfl/syntax/keystore_hints.h"

#include <algorithm>
#include <array>

namespace wfl::syntax {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\f";

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

std::optional<std::string> keystore_hint(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::string_view verb = line.substr(0, line.find_first_of(kBlanks));
  const std::string_view rest = line.substr(verb.size());
  const auto has = [rest](std::string_view words) { return rest.find(words) != std::string_view::npos; };

  if (has(" get value from ")) {
    return "`get value` is a statement of its own: `get value from S with key K as NAME`.";
  }
  if (verb != "scan" && (has(" scan ") && (has(" for all keys") || has(" for keys ")))) {
    return "`scan` is a statement of its own: `scan S for keys starting with P as NAME`.";
  }
  if (is_one_of(verb, {"save", "put", "set", "insert"}) && has(" key ") && (has(" in ") || has(" into "))) {
    return "To keep a value write `store V in S with key K`.";
  }
  if (is_one_of(verb, {"get", "fetch", "lookup"}) && has(" from ") && (has(" key ") || has(" as ")) &&
      !line.starts_with("get value from ")) {
    return "To read a value write `get value from S with key K as NAME`.";
  }
  if (is_one_of(verb, {"increase", "increment"}) && has(" in ") && !line.starts_with("increase key ")) {
    return "To count write `increase key K in S by N`.";
  }
  if (is_one_of(verb, {"decrease", "decrement"}) && has(" in ") && !line.starts_with("decrease key ")) {
    return "To count down write `decrease key K in S by N`.";
  }
  if (verb == "scan" && !has(" for ")) {
    return "To get all entries write `scan S for all keys as NAME`, to get some `scan S for keys starting with P as "
           "NAME`.";
  }
  if (is_one_of(verb, {"list", "count"}) && rest.starts_with(" keys ") && !rest.starts_with(" keys in ")) {
    return "Write `" + std::string(verb) + " keys in S starting with P as NAME`, or without `starting with P` for all.";
  }
  if (verb == "remove" && rest.starts_with(" keys ") && !rest.starts_with(" keys starting with ")) {
    return "For one key write `remove key K from S`, for many `remove keys starting with P from S`.";
  }
  if (verb == "batch" && !rest.starts_with(" operations on ")) {
    return "A batch begins with `batch operations on S:`.";
  }
  return std::nullopt;
}

}  // namespace wfl::syntax
