// manual: kvb(1), made of the outline of the command line, so that it has every command and option. The build runs it;
// it is not in the list of commands.

#include <fmt/format.h>

#include "commands.h"
#include "outline.h"

namespace kvb::cli {
namespace {

// Text for troff: dashes that stay dashes, and no line that is taken for a request.
std::string troff(std::string_view text) {
  std::string out;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    begins_line = c == '\n';
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '\'':
        out += "\\(aq";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// Prose: paragraphs are separated by empty lines; what is indented stands as it is.
std::string prose(std::string_view text) {
  std::string out;
  bool literal = false;
  bool in_paragraph = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool indented = line.starts_with("  ");
    if (literal && !indented) {
      out += ".EE\n.RE\n";
      literal = false;
      in_paragraph = false;
    }
    if (line.empty()) {
      in_paragraph = false;
      continue;
    }
    if (indented && !literal) {
      out += ".PP\n.RS 4\n.EX\n";
      literal = true;
    } else if (!indented && !in_paragraph) {
      out += ".PP\n";
      in_paragraph = true;
    }
    out += troff(indented ? line.substr(2) : line) + '\n';
  }
  if (literal) out += ".EE\n.RE\n";
  return out;
}

std::string synopsis(const CommandOutline& command) {
  std::string out = fmt::format("\\fBkvb {}\\fR", troff(command.name));
  for (const OptionOutline& argument : command.arguments) {
    const std::string name = fmt::format("\\fI{}\\fR{}", troff(argument.name), argument.several ? "\\ ..." : "");
    out += argument.required ? " " + name : " [" + name + "]";
  }
  return out + " [\\fIoptions\\fR]\n";
}

std::string options(const std::vector<OptionOutline>& list) {
  std::string out;
  for (const OptionOutline& option : list) {
    if (option.name == "--help") continue;
    out += fmt::format(".TP\n\\fB{}\\fR", troff(option.name));
    if (!option.value.empty()) out += fmt::format(" \\fI{}\\fR", troff(option.value));
    out += fmt::format("\n{}\n", troff(option.description));
  }
  return out;
}

std::string manual() {
  const Outline& all = outline();
  std::string out = fmt::format(".TH KVB 1 \"\" \"kvb {}\" \"WFL Keystore\"\n", all.version);
  out += ".SH NAME\nkvb \\- keep keys and values in one file\n.SH SYNOPSIS\n";
  for (const CommandOutline& command : all.commands) out += synopsis(command) + ".br\n";
  out += "\\fBkvb\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR\n";
  out += ".SH DESCRIPTION\n" + prose(all.details);
  out += ".SH COMMANDS\n";
  for (const CommandOutline& command : all.commands) {
    out += fmt::format(".SS \"{}\"\n{}.\n", troff("kvb " + command.name), troff(command.summary));
    out += ".PP\n" + synopsis(command);
    for (const OptionOutline& argument : command.arguments) {
      out += fmt::format(".TP\n\\fI{}\\fR\n{}\n", troff(argument.name), troff(argument.description));
    }
    out += options(command.options);
    out += prose(command.details);
  }
  out += ".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nIf it is set and not empty, nothing is coloured.\n";
  out += ".TP\n\\fBXDG_STATE_HOME\\fR\n" +
         troff("Where `kvb shell` keeps its history, in the folder kvb; ~/.local/state by default.") + '\n';
  out += ".SH SEE ALSO\n\\fBwfl\\fR(1)\n";
  return out;
}

}  // namespace

Outcome run(const ManualArguments&, Output& output) {
  return tell(output, manual());
}

}  // namespace kvb::cli
