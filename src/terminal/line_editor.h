// Reads lines from whoever writes them: with editing, history and completion from a terminal, plainly from a pipe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace terminal {

// Where a completion begins in the line, and what may stand there instead of the rest of it. Sorted, no two alike.
struct Completion {
  std::size_t begin = 0;
  std::vector<std::string> choices;

  // What all choices begin with.
  [[nodiscard]] std::string common() const;
};

enum class ReadOutcome : std::uint8_t { kLine, kInterrupted, kEnd };

class LineEditor {
 public:
  virtual ~LineEditor() = default;
  // The next line without its line end.
  virtual ReadOutcome read(std::string_view prompt, std::string& line) = 0;
};

// From a pipe or a file; shows no prompt.
[[nodiscard]] std::unique_ptr<LineEditor> make_plain_reader();

// From the terminal that standard input and output are. The history is kept under the program's name in the folder
// where the user wants such things. `interrupted` says, once, whether Ctrl-C was pressed. Null when the terminal can't
// be used for editing.
[[nodiscard]] std::unique_ptr<LineEditor> make_terminal_editor(const std::string& program,
                                                               std::function<Completion(std::string_view)> complete,
                                                               std::function<bool()> interrupted);

}  // namespace terminal
