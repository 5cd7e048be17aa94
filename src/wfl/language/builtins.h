// The built-in functions as a table: one row for each row of builtins.def.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace wfl::language {

enum class BuiltinChapter : std::uint8_t {
  kCore,
  kMath,
  kText,
  kList,
  kRandom,
  kTime,
  kData,
  kFiles,
  kPattern,
  kCrypto,
  kWeb
};

inline constexpr std::uint32_t kVariadic = 0xffffffff;

struct Builtin {
  BuiltinChapter chapter;
  std::string_view name;
  std::string_view aliases;  // Separated by blanks.
  std::uint32_t min_arguments;
  std::uint32_t max_arguments;  // kVariadic: any number.
  std::string_view parameters;  // "number n, text|list where"
  std::string_view result;      // "text|nothing"
  std::string_view doc;
};

inline constexpr auto kBuiltins = std::to_array<Builtin>({
#define WFL_BUILTIN(chapter, name, aliases, min, max, parameters, result, doc) \
  {BuiltinChapter::chapter, name, aliases, min, max, parameters, result, doc},
#include "wfl/language/builtins.def"
#undef WFL_BUILTIN
});

// Calls visit(name) for the name and each alias.
template <class Visit>
void for_each_name(const Builtin& builtin, Visit visit) {
  visit(builtin.name);
  std::string_view rest = builtin.aliases;
  while (!rest.empty()) {
    const std::size_t blank = rest.find(' ');
    visit(rest.substr(0, blank));
    rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
  }
}

// The row of a name or alias; null when no built-in has it.
[[nodiscard]] const Builtin* find_builtin(std::string_view name);

// Names that are kept for built-ins of later versions: the analyzer knows them, calling one fails.
[[nodiscard]] bool is_reserved_builtin(std::string_view name);

// Built-ins that take no arguments are called wherever their bare name is read.
[[nodiscard]] inline bool is_called_bare(const Builtin& builtin) {
  return builtin.max_arguments == 0;
}

// Variables every program starts with, beside the built-ins. Those the run itself adds are listed with what they hold;
// `flag_NAME` exists for each flag the program was started with.
struct PredefinedGlobal {
  std::string_view name;
  std::string_view type;
  std::string_view doc;
};

inline constexpr auto kPredefinedGlobals = std::to_array<PredefinedGlobal>({
    {"args", "list", "All arguments the program was started with."},
    {"positional_args", "list", "The arguments that are no flags."},
    {"arg_count", "number", "How many arguments there are."},
    {"program_name", "text", "The name of the first argument's file, or wfl."},
    {"current_directory", "text", "The directory the program was started in."},
    {"script_path", "text", "The path of the program's file."},
    {"script_directory", "text", "The directory of the program's file."},
    {"newline", "text", "A line break."},
    {"tab", "text", "A tab."},
    {"wfl_version", "text", "The version of this runtime."},
});

// What the process says about how it went.
enum class ExitCode : int {
  kSuccess = 0,
  kFailure = 1,   // A run-time error, a failed test, a source file that can't be read, findings of --analyze.
  kUsage = 2,     // The command line or the program's text could not be understood.
  kSemantic = 3,  // The analyzer refused the program.
};

}  // namespace wfl::language
