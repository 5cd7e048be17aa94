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
  if (has(" has key ") || (has(" key ") && has(" exists in ")) || has(" contain key ")) {
    return "To ask for a key write `S contains key K`.";
  }
  if (has(" is in ")) {
    return "Write `LIST contains VALUE`; for a keystore `S contains key K`.";
  }
  if (verb == "for" && (has(" in keys of ") || has(" in entries of ") || has(" in values of "))) {
    return "The entries of a keystore are reached with `for each E in S:`; `key of E` and `value of E` are in each.";
  }
  if (has(" value of ") && has(" with key ")) {
    return "To read a value write `get value from S with key K as NAME`.";
  }
  if ((verb == "keep" && !rest.starts_with(" key ")) || (is_one_of(verb, {"expire", "persist"}) && has(" key "))) {
    return "An expiry is changed with `keep key K in S for N seconds` or `keep key K in S forever`.";
  }
  if (verb == "get" && (has(" ttl ") || has(" expiry ") || has(" time left"))) {
    return "Write `get time left from S with key K as NAME`.";
  }
  if (verb == "get" && (has(" stats ") || has(" statistics ") || has(" info "))) {
    return "Write `get statistics from S as NAME`.";
  }
  if (verb == "verify" && !has(" as ")) {
    return "Write `verify S as NAME`; NAME tells what was found.";
  }
  if (verb == "compact" && has(" strategy ") && !has(" with strategy ")) {
    return "Write `compact S with strategy \"full\"`.";
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
  if (is_one_of(verb, {"take", "create", "make", "snapshot", "get", "open"}) && line.find("snapshot") < line.size() &&
      !(verb == "take" && rest.starts_with(" snapshot of ") && has(" as "))) {
    return "A state to look at is kept with `take snapshot of S as NAME`.";
  }
  if (verb == "close" && rest.starts_with(" snapshot ")) {
    return "A snapshot is closed like a keystore: `close keystore NAME`.";
  }
  if (verb == "backup" || (verb == "back" && has(" up")) || (verb == "copy" && has(" to "))) {
    return verb == "copy" ? "A keystore is copied with `back up S to PATH`, a file with `copy_file from A to B`."
                          : "A copy is made with `back up S to PATH`.";
  }
  if (verb == "restore" && has(" from ")) {
    return "A backup is a keystore itself: `open keystore at PATH as NAME`.";
  }
  if (verb == "compress" || verb == "vacuum" || verb == "shrink") {
    return "Space is given back with `compact S`.";
  }
  if (verb == "count" && has(" as ") && !has(" keys") && !has(" from ") && !has(" to ")) {
    return "To count what a keystore has write `count keys in S as NAME`.";
  }
  if (is_one_of(verb, {"list", "count"}) && has(" keys") && !rest.starts_with(" keys in ")) {
    return "Write `" + std::string(verb) + " keys in S starting with P as NAME`, or without `starting with P` for all.";
  }
  if ((verb == "remove" && rest.starts_with(" keys ") && !rest.starts_with(" keys starting with ")) ||
      (is_one_of(verb, {"delete", "erase"}) && (rest.starts_with(" key") || rest.starts_with(" all keys")))) {
    return "For one key write `remove key K from S`, for many `remove keys starting with P from S`.";
  }
  if (is_one_of(verb, {"begin", "start"}) && (rest.starts_with(" batch") || rest.starts_with(" transaction"))) {
    return "A batch begins with `batch operations on S:`.";
  }
  if (verb == "batch" && !rest.starts_with(" operations on ")) {
    return "A batch begins with `batch operations on S:`.";
  }
  return std::nullopt;
}

}  // namespace wfl::syntax
