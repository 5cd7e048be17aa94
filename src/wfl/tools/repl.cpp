#include "wfl/tools/repl.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "terminal/line_editor.h"
#include "wfl/driver/session.h"
#include "wfl/stdlib/unicode.h"
#include "wfl/syntax/parser.h"
#include "wfl/tools/completion.h"

namespace wfl::tools {
namespace {

using driver::Session;
using language::ExitCode;

constexpr std::string_view kBanner = "WFL REPL - Type .help for commands or .exit to quit\n";
constexpr std::string_view kHelp = R"(Write a statement or an expression; the value of an expression is shown.
A block goes on over several lines until its `end`. Ctrl-C drops the line or stops what runs.

  .help      show this text
  .history   show what was entered
  .clear     clear the screen
  .exit      leave (so does Ctrl-D)
)";

class Repl {
 public:
  explicit Repl(StandardOutput& output)
      : output_(output), terminal_(isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1), session_(options(output)) {
    if (terminal_) {
      editor_ = terminal::make_terminal_editor(
          "wfl", [this](std::string_view line) { return complete(line, names()); },
          [this] { return session_.machine().cancel_flag().exchange(false); });
    }
    if (editor_ == nullptr) editor_ = terminal::make_plain_reader();
  }

  int run() {
    const WatchInterrupts watch(session_.machine());
    output_.write(kBanner);
    session_.begin();
    std::string line;
    while (!leave_ && !output_.failed()) {
      switch (editor_->read(pending_.empty() ? "wfl> " : "... ", line)) {
        case terminal::ReadOutcome::kLine:
          take(line);
          break;
        case terminal::ReadOutcome::kInterrupted:
          pending_.clear();
          interrupted_ = !terminal_;  // Nobody is there to go on.
          leave_ = interrupted_;
          break;
        case terminal::ReadOutcome::kEnd:
          if (!pending_.empty()) execute();  // Says what is missing.
          if (!leave_) output_.write("CTRL-D\n");
          leave_ = true;
          break;
      }
    }
    editor_.reset();  // Gives the terminal back, and keeps the history.
    const bool fine = session_.end();
    return interrupted_ ? kInterruptedExit : static_cast<int>(fine ? ExitCode::kSuccess : ExitCode::kFailure);
  }

 private:
  static driver::SessionOptions options(StandardOutput& output) {
    driver::SessionOptions options;
    options.config = driver::load_config({});
    options.channels = {.output = [&output](std::string_view bytes) { output.write(bytes); },
                        .messages = write_message,
                        .color = wants_color(),
                        .show_lines = isatty(STDOUT_FILENO) == 1};
    return options;
  }

  [[nodiscard]] std::vector<std::string> names() {
    std::vector<std::string> names;
    const vm::Module& globals = session_.machine().globals();
    for (const std::string& name : globals.names) {
      if (!globals.get(name).is_undefined()) names.push_back(name);
    }
    return names;
  }

  void take(const std::string& line) {
    if (!stdlib::is_valid_utf8(line)) {
      write_message("Error: this line is not valid UTF-8 text and was not read\n");
      return;
    }
    const std::size_t first = line.find_first_not_of(" \t");
    if (pending_.empty() && first != std::string::npos && line[first] == '.') {
      command(line.substr(first, line.find_last_not_of(" \t") - first + 1));
      return;
    }
    if (pending_.empty() && first == std::string::npos) return;
    const std::size_t limit = session_.options().config.settings.max_source_bytes;
    if (pending_.size() + line.size() > limit) {
      write_message("Error: this input is larger than " + std::to_string(limit) + " bytes (max_source_size)\n");
      pending_.clear();
      return;
    }
    pending_ += line;
    pending_ += '\n';
    if (!needs_more()) execute();
  }

  // Whether the input is the beginning of something longer: a block without its end, or a text without its closing
  // quote.
  [[nodiscard]] bool needs_more() const {
    const auto bad_texts = [](const std::string& text, bool& incomplete) {
      const auto parsed = syntax::parse(std::make_shared<const syntax::SourceFile>(0, "", text));
      incomplete = parsed.incomplete;
      return std::ranges::count_if(parsed.diagnostics, [](const syntax::Diagnostic& diagnostic) {
        return diagnostic.severity == syntax::Severity::Error && diagnostic.code == "WFL-P004";
      });
    };
    bool incomplete = false;
    const auto bad = bad_texts(pending_, incomplete);
    if (incomplete || bad == 0) return incomplete;
    // A text is open if one more quote makes it better. Behind a wrong escape or number it would open another one.
    return bad_texts(pending_ + "\"", incomplete) < bad;
  }

  void execute() {
    std::string text = std::move(pending_);
    pending_.clear();
    history_.push_back(text);
    const Session::Piece piece = session_.run_piece("input " + std::to_string(history_.size()), std::move(text));
    session_.machine().cancel_flag() = false;
    switch (piece.state) {
      case Session::Piece::State::kDone:
        if (!piece.value.empty()) output_.write(piece.value + "\n");
        break;
      case Session::Piece::State::kFailed:
        break;
      case Session::Piece::State::kInterrupted:
        write_message("\nInterrupted.\n");
        break;
      case Session::Piece::State::kExit:
        leave_ = true;
        break;
    }
  }

  void command(const std::string& name) {
    if (name == ".exit") {
      leave_ = true;
    } else if (name == ".help") {
      output_.write(kHelp);
    } else if (name == ".history") {
      std::string text;
      for (std::size_t i = 0; i < history_.size(); ++i) text += std::to_string(i + 1) + ": " + history_[i];
      output_.write(text);
    } else if (name == ".clear") {
      if (terminal_) output_.write("\x1b[H\x1b[2J\x1b[3J");
    } else {
      write_message("Error: there is no command '" + name + "'; .help shows those there are\n");
    }
  }

  StandardOutput& output_;
  bool terminal_;
  Session session_;
  std::unique_ptr<terminal::LineEditor> editor_;
  std::string pending_;
  std::vector<std::string> history_;  // Whole inputs, each with its line ends.
  bool leave_ = false;
  bool interrupted_ = false;
};

}  // namespace

int run_repl(StandardOutput& output) {
  return Repl(output).run();
}

}  // namespace wfl::tools
