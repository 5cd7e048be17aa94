// completions: scripts that let a shell complete `kvb` commands. They are made of the outline of the command line, so
// they know every command and option; keys they ask the bucket for.

#include <fmt/format.h>

#include "commands.h"
#include "outline.h"

namespace kvb::cli {
namespace {

// For single quotes.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, " "));
}

// What an argument is, for a script: a file, a key, one of some words, or anything.
std::string_view kind_of(const OptionOutline& argument) {
  if (!argument.choices.empty()) return "words";
  if (argument.name == "KEY") return "key";
  if (argument.name == "FILE" || argument.name == "TARGET" || argument.name == "SOURCE" || argument.name == "NEW") {
    return "file";
  }
  return "any";
}

// Words are read off the line itself: bash takes a colon, of which keys are full, for the end of a word.
constexpr std::string_view kBash = R"sh(# Completes kvb commands in bash. Made by `kvb completions bash`.
_kvb() {
  local line=${COMP_LINE:0:COMP_POINT} words current command options='' valued='' kinds='' choices=''
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] && words+=('')
  local last=$((${#words[@]} - 1))
  current=${words[last]}
  command=${words[1]-}
  COMPREPLY=()
  if ((last == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '@COMMANDS@ help --help --version' -- "$current")
    return
  fi
  case $command in
@CASES@    help)
      mapfile -t COMPREPLY < <(compgen -W '@COMMANDS@' -- "$current")
      return
      ;;
    *) return ;;
  esac
  case $command:${words[last - 1]} in
@VALUES@  esac
  if [[ -n $choices ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
    return
  fi
  if [[ " $valued " == *" ${words[last - 1]} "* ]]; then
    return
  fi
  if [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    return
  fi
  # Which argument is it?
  local -i place=0 i
  local file='' kind
  for ((i = 2; i < last; i++)); do
    if [[ " $valued " == *" ${words[i]} "* ]]; then
      i+=1
    elif [[ ${words[i]} != --* ]]; then
      ((place == 0)) && file=${words[i]}
      place+=1
    fi
  done
  read -ra kinds <<<"$kinds"
  kind=${kinds[place]-${kinds[-1]-any}}
  if ((place >= ${#kinds[@]})) && [[ $kind != key* ]]; then
    return
  fi
  case ${kind%+} in
    file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    words*)
      kind=${kind#words:}
      mapfile -t COMPREPLY < <(compgen -W "${kind//,/ }" -- "$current")
      ;;
    key)
      local key
      while IFS= read -r key; do
        [[ $key == *\\* ]] || COMPREPLY+=("$(printf %q "$key")")
      done < <(kvb scan "${file/#\~/$HOME}" --prefix "$current" --keys --limit 100 </dev/null 2>/dev/null)
      ;;
  esac
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*:}"}"}")
  fi
  [[ ${kind%+} == file ]] && compopt -o filenames 2>/dev/null
  return 0
}
complete -F _kvb kvb
)sh";

constexpr std::string_view kZsh = R"sh(#compdef kvb
# Completes kvb commands in zsh. Made by `kvb completions zsh`.
_kvb_keys() {
  local -a keys
  keys=("${(@f)$(kvb scan "${(Q)words[2]}" --prefix "$PREFIX" --keys --limit 100 </dev/null 2>/dev/null)}")
  compadd -a keys
}
_kvb() {
  local -a commands
  commands=(
@COMMANDS@    'help:Say more about a command'
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
    help) _describe command commands ;;
@CASES@  esac
}
_kvb "$@"
)sh";

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string for_bash() {
  std::vector<std::string> names;
  std::string cases;
  std::string values;
  for (const CommandOutline& command : outline().commands) {
    names.push_back(command.name);
    std::vector<std::string> options;
    std::vector<std::string> valued;
    std::vector<std::string> kinds;
    for (const OptionOutline& option : command.options) {
      options.push_back(option.name);
      if (!option.value.empty()) valued.push_back(option.name);
      if (!option.choices.empty()) {
        values += fmt::format("    {}:{}) choices='{}' ;;\n", command.name, option.name, joined(option.choices));
      }
    }
    for (const OptionOutline& argument : command.arguments) {
      std::string kind(kind_of(argument));
      if (kind == "words") kind += ":" + fmt::format("{}", fmt::join(argument.choices, ","));
      kinds.push_back(kind + (argument.several ? "+" : ""));
    }
    cases += fmt::format("    {})\n      options='{}'\n      valued='{}'\n      kinds='{}'\n      ;;\n", command.name,
                         joined(options), joined(valued), joined(kinds));
  }
  std::string script = replaced(std::string(kBash), "@COMMANDS@", joined(names));
  script = replaced(std::move(script), "@CASES@", cases);
  return replaced(std::move(script), "@VALUES@", values);
}

// For _arguments: no colon, bracket or quote may stand in a description unescaped.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string for_zsh() {
  std::string commands;
  std::string cases;
  for (const CommandOutline& command : outline().commands) {
    commands += fmt::format("    {}\n", quoted(command.name + ":" + zsh_text(command.summary)));
    std::vector<std::string> specs;
    for (const OptionOutline& option : command.options) {
      std::string spec = fmt::format("{}[{}]", option.name, zsh_text(option.description));
      if (!option.value.empty()) {
        spec += fmt::format(":{}:{}", option.value, option.choices.empty() ? "" : '(' + joined(option.choices) + ')');
      }
      specs.push_back(quoted(spec));
    }
    int place = 0;
    for (const OptionOutline& argument : command.arguments) {
      ++place;
      const std::string_view kind = kind_of(argument);
      std::string action;
      if (kind == "file") action = "_files";
      if (kind == "key") action = "_kvb_keys";
      if (kind == "words") action = '(' + joined(argument.choices) + ')';
      const std::string where = argument.several ? "*" : fmt::format("{}", place);
      specs.push_back(quoted(fmt::format("{}:{}:{}", where, argument.name, action)));
    }
    cases +=
        fmt::format("    {})\n      _arguments -S {}\n      ;;\n", command.name, fmt::join(specs, " \\\n        "));
  }
  return replaced(replaced(std::string(kZsh), "@COMMANDS@", commands), "@CASES@", cases);
}

std::string for_fish() {
  std::string script = R"sh(# Completes kvb commands in fish. Made by `kvb completions fish`.
function __kvb_keys
    set -l words (commandline -opc)
    test (count $words) -ge 3; and kvb scan $words[3] --prefix (commandline -ct) --keys --limit 100 </dev/null 2>/dev/null
end
complete -c kvb -n __fish_use_subcommand -f
)sh";
  for (const CommandOutline& command : outline().commands) {
    script +=
        fmt::format("complete -c kvb -n __fish_use_subcommand -a {} -d {}\n", command.name, quoted(command.summary));
    const std::string when = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
    for (const OptionOutline& option : command.options) {
      script += fmt::format("complete -c kvb {} -l {} -d {}", when, option.name.substr(2), quoted(option.description));
      if (!option.value.empty())
        script += option.choices.empty() ? " -x" : fmt::format(" -x -a '{}'", joined(option.choices));
      script += '\n';
    }
    for (const OptionOutline& argument : command.arguments) {
      if (!argument.choices.empty())
        script += fmt::format("complete -c kvb {} -f -a '{}'\n", when, joined(argument.choices));
      if (argument.name == "KEY") script += fmt::format("complete -c kvb {} -a '(__kvb_keys)'\n", when);
    }
  }
  return script;
}

}  // namespace

Outcome run(const CompletionsArguments& arguments, Output& output) {
  if (arguments.shell == "bash") return tell(output, for_bash());
  if (arguments.shell == "zsh") return tell(output, for_zsh());
  if (arguments.shell == "fish") return tell(output, for_fish());
  return usage_failure(fmt::format("SHELL is bash, zsh or fish, not '{}'.", arguments.shell));
}

}  // namespace kvb::cli
