#include "wfl/language/builtins.h"

#include <algorithm>
#include <unordered_map>

namespace wfl::language {

const Builtin* find_builtin(std::string_view name) {
  static const auto* const kByName = [] {
    auto* map = new std::unordered_map<std::string_view, const Builtin*>;
    for (const Builtin& builtin : kBuiltins) {
      for_each_name(builtin, [&](std::string_view spelling) { map->emplace(spelling, &builtin); });
    }
    return map;
  }();
  const auto it = kByName->find(name);
  return it == kByName->end() ? nullptr : it->second;
}

bool is_reserved_builtin(std::string_view name) {
  static constexpr auto kReserved = std::to_array<std::string_view>({
      "add_hours",       "add_minutes",      "add_months",     "add_seconds", "add_years",
      "addhours",        "addminutes",       "addmonths",      "addseconds",  "addyears",
      "compile_pattern", "create_directory", "date",           "extract",     "file_exists",
      "filter",          "find_all",         "findall",        "foreach",     "is_directory",
      "is_match",        "ismatch",          "list_directory", "map",         "match",
      "match_pattern",   "months_between",   "monthsbetween",  "pattern",     "read_file",
      "reduce",          "replace_pattern",  "sleep",          "test",        "time",
      "write_file",      "years_between",    "yearsbetween",
  });
  return std::ranges::find(kReserved, name) != kReserved.end();
}

}  // namespace wfl::language
