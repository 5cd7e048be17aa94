// The terminal side is libedit.
//
// Characters. libedit works on wide characters of the locale's encoding. What is typed is UTF-8, so a locale of another
// encoding is replaced by C.UTF-8; only the kind of characters is taken from the locale, never how numbers are written.
// The bytes are read and decoded here and not by libedit, because its own reader starts again after a signal: then
// Ctrl-C could not drop a line.
//
// Ctrl-C. The program's handler of SIGINT sets a flag; the read() that waits for a key is interrupted, the flag is
// asked for, and the line ends as "interrupted".
#include "terminal/line_editor.h"

#include <histedit.h>
#include <langinfo.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace terminal {
namespace {

namespace fs = std::filesystem;
constexpr int kHistoryLines = 2000;
constexpr std::size_t kShownChoices = 60;

class PlainReader : public LineEditor {
 public:
  ReadOutcome read(std::string_view, std::string& line) override {
    line.clear();
    while (true) {
      if (at_ == filled_) {
        const ssize_t count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
        if (count < 0 && errno == EINTR) return ReadOutcome::kInterrupted;
        if (count <= 0) return line.empty() ? ReadOutcome::kEnd : ReadOutcome::kLine;
        at_ = 0;
        filled_ = static_cast<std::size_t>(count);
      }
      const char* begin = buffer_.data() + at_;
      const char* end = buffer_.data() + filled_;
      const char* stop = std::find(begin, end, '\n');
      line.append(begin, stop);
      at_ += static_cast<std::size_t>(stop - begin);
      if (stop == end) continue;
      ++at_;
      if (line.ends_with('\r')) line.pop_back();
      return ReadOutcome::kLine;
    }
  }

 private:
  std::array<char, 4096> buffer_{};
  std::size_t at_ = 0;
  std::size_t filled_ = 0;
};

void use_utf8() {
  std::setlocale(LC_CTYPE, "");
  if (std::strcmp(nl_langinfo(CODESET), "UTF-8") != 0) std::setlocale(LC_CTYPE, "C.UTF-8");
}

// Where the history is kept; empty when nobody says where such things go, or the folder can't be made.
fs::path history_file(const std::string& program) {
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return fs::path(text == nullptr ? "" : text);
  };
  fs::path state = value("XDG_STATE_HOME");
  if (!state.is_absolute()) {
    const fs::path home = value("HOME");
    if (!home.is_absolute()) return {};
    state = home / ".local" / "state";
  }
  const fs::path folder = state / program;
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return {};
  return folder / "history";
}

class TerminalEditor : public LineEditor {
 public:
  TerminalEditor(const std::string& program, std::function<Completion(std::string_view)> complete,
                 std::function<bool()> interrupted)
      : complete_(std::move(complete)), interrupted_(std::move(interrupted)), history_path_(history_file(program)) {
    use_utf8();
    edit_ = el_init(program.c_str(), stdin, stdout, stderr);
    if (edit_ == nullptr) return;
    HistEvent event;
    history_ = history_init();
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_SIGNAL, 0);
    el_set(edit_, EL_PROMPT, &TerminalEditor::prompt);
    el_set(edit_, EL_GETCFN, &TerminalEditor::read_character);
    el_set(edit_, EL_ADDFN, "complete-word", "Complete the word before the cursor", &TerminalEditor::on_tab);
    el_set(edit_, EL_BIND, "^I", "complete-word", nullptr);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    if (history_ != nullptr) {
      history(history_, &event, H_SETSIZE, kHistoryLines);
      history(history_, &event, H_SETUNIQUE, 1);
      el_set(edit_, EL_HIST, history, history_);
      if (!history_path_.empty()) history(history_, &event, H_LOAD, history_path_.c_str());
    }
  }

  ~TerminalEditor() override {
    HistEvent event;
    if (history_ != nullptr && !history_path_.empty()) {
      const mode_t before = umask(077);  // What somebody typed is nobody else's business.
      history(history_, &event, H_SAVE, history_path_.c_str());
      umask(before);
    }
    if (edit_ != nullptr) el_end(edit_);
    if (history_ != nullptr) history_end(history_);
  }

  [[nodiscard]] bool works() const { return edit_ != nullptr; }

  ReadOutcome read(std::string_view prompt, std::string& line) override {
    prompt_ = prompt;
    was_interrupted_ = false;
    (void)interrupted_();
    int length = 0;
    const char* text = el_gets(edit_, &length);
    if (was_interrupted_) {
      std::fputs("\n", stdout);
      std::fflush(stdout);
      return ReadOutcome::kInterrupted;
    }
    if (text == nullptr || length <= 0) return ReadOutcome::kEnd;
    line.assign(text, static_cast<std::size_t>(length));
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    if (history_ != nullptr && line.find_first_not_of(" \t") != std::string::npos) {
      HistEvent event;
      history(history_, &event, H_ENTER, line.c_str());
    }
    return ReadOutcome::kLine;
  }

 private:
  static TerminalEditor& self(EditLine* edit) {
    void* data = nullptr;
    el_get(edit, EL_CLIENTDATA, &data);
    return *static_cast<TerminalEditor*>(data);
  }

  static char* prompt(EditLine* edit) { return self(edit).prompt_.data(); }

  // Whether there is one more byte; false when the line ends here, because of Ctrl-C or the end of the input.
  bool next_byte(unsigned char& byte) {
    while (true) {
      const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
      if (count == 1) return true;
      if (count < 0 && errno == EINTR) {
        if (!interrupted_()) continue;
        was_interrupted_ = true;
      }
      return false;
    }
  }

  // One character of UTF-8. What is no UTF-8 becomes U+FFFD.
  static int read_character(EditLine* edit, wchar_t* out) {
    TerminalEditor& me = self(edit);
    unsigned char byte = 0;
    if (!me.next_byte(byte)) return me.was_interrupted_ ? -1 : 0;
    constexpr wchar_t kReplacement = 0xFFFD;
    int more = 0;
    wchar_t point = byte;
    if (byte >= 0xF0 && byte < 0xF8) {
      more = 3;
      point = byte & 0x07;
    } else if (byte >= 0xE0 && byte < 0xF0) {
      more = 2;
      point = byte & 0x0F;
    } else if (byte >= 0xC2 && byte < 0xE0) {
      more = 1;
      point = byte & 0x1F;
    } else if (byte >= 0x80) {
      point = kReplacement;
    }
    for (; more > 0; --more) {
      if (!me.next_byte(byte)) return me.was_interrupted_ ? -1 : 0;
      if ((byte & 0xC0) != 0x80) point = kReplacement;
      point = static_cast<wchar_t>((static_cast<unsigned>(point) << 6U) | (byte & 0x3FU));
    }
    *out = point > 0x10FFFF ? kReplacement : point;
    return 1;
  }

  static unsigned char on_tab(EditLine* edit, int) {
    const LineInfo* info = el_line(edit);
    const std::string_view line(info->buffer, static_cast<std::size_t>(info->cursor - info->buffer));
    const Completion completion = self(edit).complete_(line);
    if (completion.choices.empty()) return CC_REFRESH_BEEP;
    const std::string common = completion.common();
    const std::size_t written = line.size() - completion.begin;
    if (common.size() > written) {
      return el_insertstr(edit, common.c_str() + written) == -1 ? CC_ERROR : CC_REFRESH;
    }
    std::fputs("\n", stdout);
    for (std::size_t i = 0; i < std::min(completion.choices.size(), kShownChoices); ++i) {
      std::fprintf(stdout, "  %s\n", completion.choices[i].c_str());
    }
    if (completion.choices.size() > kShownChoices) {
      std::fprintf(stdout, "  … and %zu more\n", completion.choices.size() - kShownChoices);
    }
    std::fflush(stdout);
    return CC_REDISPLAY;
  }

  std::function<Completion(std::string_view)> complete_;
  std::function<bool()> interrupted_;
  fs::path history_path_;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
  std::string prompt_;
  bool was_interrupted_ = false;
};

}  // namespace

std::string Completion::common() const {
  if (choices.empty()) return "";
  // The list is sorted: what its first and last entry share is shared by all.
  const std::string& first = choices.front();
  const std::string& last = choices.back();
  const auto differ = std::ranges::mismatch(first, last);
  return {first.begin(), differ.in1};
}

std::unique_ptr<LineEditor> make_plain_reader() {
  return std::make_unique<PlainReader>();
}

std::unique_ptr<LineEditor> make_terminal_editor(const std::string& program,
                                                 std::function<Completion(std::string_view)> complete,
                                                 std::function<bool()> interrupted) {
  auto editor = std::make_unique<TerminalEditor>(program, std::move(complete), std::move(interrupted));
  if (!editor->works()) return nullptr;
  return editor;
}

}  // namespace terminal
