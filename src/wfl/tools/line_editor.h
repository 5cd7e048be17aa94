// Reads lines from whoever writes them: with editing, history and completion from a terminal, plainly from a pipe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "wfl/tools/completion.h"

namespace wfl::tools {

enum class ReadOutcome : std::uint8_t { kLine, kInterrupted, kEnd };

class LineEditor {
 public:
  virtual ~LineEditor() = default;
  // The next line without its line end.
  virtual ReadOutcome read(std::string_view prompt, std::string& line) = 0;
};

// From a pipe or a file; shows no prompt.
[[nodiscard]] std::unique_ptr<LineEditor> make_plain_reader();

// From the terminal that standard input and output are. `interrupted` says, once, whether Ctrl-C was pressed. Null when
// the terminal can't be used for editing.
[[nodiscard]] std::unique_ptr<LineEditor> make_terminal_editor(std::function<Completion(std::string_view)> complete,
                                                               std::function<bool()> interrupted);

}  // namespace wfl::tools
