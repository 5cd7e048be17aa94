#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <utility>

#include "wfl/stdlib/pattern_program.h"
#include "wfl/stdlib/unicode.h"

namespace wfl::stdlib {
namespace {

using vm::PatternKind;
using vm::PatternNode;
using Op = PatternInstruction::Op;

constexpr auto kCategories = std::to_array<std::pair<std::string_view, CharacterClass>>({
    {"Letter", CharacterClass::kLetter},
    {"L", CharacterClass::kLetter},
    {"Number", CharacterClass::kNumber},
    {"N", CharacterClass::kNumber},
    {"Symbol", CharacterClass::kSymbol},
    {"S", CharacterClass::kSymbol},
    {"Punctuation", CharacterClass::kPunctuation},
    {"P", CharacterClass::kPunctuation},
    {"Mark", CharacterClass::kMark},
    {"M", CharacterClass::kMark},
});

constexpr auto kScripts = std::to_array<std::pair<std::string_view, CharacterClass>>({
    {"Latin", CharacterClass::kLatin},
    {"Greek", CharacterClass::kGreek},
    {"Cyrillic", CharacterClass::kCyrillic},
    {"Arabic", CharacterClass::kArabic},
    {"Hebrew", CharacterClass::kHebrew},
    {"Devanagari", CharacterClass::kDevanagari},
    {"Chinese", CharacterClass::kHan},
    {"Han", CharacterClass::kHan},
    {"Japanese", CharacterClass::kHiragana},
    {"Hiragana", CharacterClass::kHiragana},
    {"Katakana", CharacterClass::kKatakana},
    {"Korean", CharacterClass::kHangul},
    {"Hangul", CharacterClass::kHangul},
});

constexpr auto kProperties = std::to_array<std::pair<std::string_view, CharacterClass>>({
    {"Alphabetic", CharacterClass::kLetter},
    {"Uppercase", CharacterClass::kUppercase},
    {"Lowercase", CharacterClass::kLowercase},
    {"Numeric", CharacterClass::kNumber},
    {"Alphanumeric", CharacterClass::kAlphanumeric},
    {"Control", CharacterClass::kControl},
});

template <std::size_t N>
CharacterClass lookup(const std::array<std::pair<std::string_view, CharacterClass>, N>& table, std::string_view name) {
  const auto it = std::ranges::find(table, name, &std::pair<std::string_view, CharacterClass>::first);
  return it == table.end() ? CharacterClass::kNone : it->second;
}

class Compiler {
 public:
  Compiler(CompiledPattern& out, std::span<const vm::Value> lists) : out_(out), lists_(lists) {}

  // The main pattern first, then the inner patterns of look-arounds, which may hold more of them.
  bool compile(const PatternNode& root) {
    if (!emit_node(root, 0) || !emit(Op::kMatch)) return false;
    while (!pending_.empty()) {
      const auto [at, node] = pending_.back();
      pending_.pop_back();
      out_.code[at].argument = here();
      for (const auto& child : node->children) {
        if (!emit_node(*child, 0)) return false;
      }
      if (!emit(Op::kMatch)) return false;
    }
    return true;
  }

  std::string error;

 private:
  static constexpr std::size_t kMaxNesting = 1000;

  bool fail(std::string message) {
    if (error.empty()) error = std::move(message);
    return false;
  }
  std::uint32_t here() const { return static_cast<std::uint32_t>(out_.code.size()); }

  bool emit(Op op, std::uint32_t argument = 0, std::uint32_t second = 0) {
    if (out_.code.size() >= CompiledPattern::kMaxInstructions) {
      return fail("the pattern is too large (more than " + std::to_string(CompiledPattern::kMaxInstructions) +
                  " instructions)");
    }
    out_.code.push_back({op, argument, second});
    return true;
  }

  bool emit_class(CharacterClass which) { return emit(Op::kClass, static_cast<std::uint32_t>(which)); }

  bool emit_text(std::string_view text) {
    std::u32string decoded = decode_utf8(text);
    if (decoded.empty()) return true;
    if (decoded.size() == 1) return emit(Op::kCharacter, static_cast<std::uint32_t>(decoded.front()));
    out_.literals.push_back(std::move(decoded));
    return emit(Op::kLiteral, static_cast<std::uint32_t>(out_.literals.size() - 1));
  }

  // `inner` once or not at all.
  bool emit_optional(const PatternNode& inner, std::size_t depth) {
    const std::uint32_t split = here();
    if (!emit(Op::kSplit) || !emit_node(inner, depth)) return false;
    out_.code[split].argument = split + 1;
    out_.code[split].second = here();
    return true;
  }

  // `inner` any number of times.
  bool emit_loop(const PatternNode& inner, std::size_t depth) {
    const std::uint32_t split = here();
    if (!emit(Op::kSplit) || !emit_node(inner, depth) || !emit(Op::kJump, split)) return false;
    out_.code[split].argument = split + 1;
    out_.code[split].second = here();
    return true;
  }

  bool emit_repeat(const PatternNode& node, std::size_t depth) {
    if (node.min > node.max) {
      return fail("Pattern quantifier lower bound (" + std::to_string(node.min) + ") cannot exceed upper bound (" +
                  std::to_string(node.max) + ")");
    }
    const PatternNode& inner = *node.children.front();
    // An inner pattern without instructions matches nothing however often it is repeated; without this a count of
    // billions would never hit the instruction limit.
    const std::uint32_t before = here();
    for (std::uint32_t i = 0; i < node.min; ++i) {
      if (!emit_node(inner, depth)) return false;
      if (here() == before) return true;
    }
    if (node.max == PatternNode::kUnlimited) return emit_loop(inner, depth);
    for (std::uint32_t i = node.min; i < node.max; ++i) {
      if (!emit_optional(inner, depth)) return false;
    }
    return true;
  }

  template <class EmitOne>
  bool emit_alternatives(std::size_t count, EmitOne emit_one) {
    if (count == 0) return fail("Empty alternative");
    std::vector<std::uint32_t> jumps;
    for (std::size_t i = 0; i < count; ++i) {
      if (i + 1 == count) {
        if (!emit_one(i)) return false;
        break;
      }
      const std::uint32_t split = here();
      if (!emit(Op::kSplit) || !emit_one(i)) return false;
      jumps.push_back(here());
      if (!emit(Op::kJump)) return false;
      out_.code[split].argument = split + 1;
      out_.code[split].second = here();
    }
    for (const std::uint32_t jump : jumps) out_.code[jump].argument = here();
    return true;
  }

  bool emit_list(const PatternNode& node) {
    const vm::Value value = node.reference < lists_.size() ? lists_[node.reference] : vm::Value::null();
    const auto* list = value.try_as<vm::List>();
    if (list == nullptr) {
      return fail("'" + node.text + "' is not a list variable. Only list variables can be referenced in patterns.");
    }
    if (list->items.empty()) {
      return fail("List '" + node.text + "' is empty. Patterns cannot match empty alternatives.");
    }
    for (const vm::Value item : list->items) {
      if (!item.is_text()) {
        return fail("List '" + node.text + "' contains non-text element. Pattern lists must contain only text values.");
      }
    }
    return emit_alternatives(list->items.size(), [&](std::size_t i) { return emit_text(list->items[i].as_text()); });
  }

  std::uint32_t capture_number(const std::string& name) {
    const auto it = std::ranges::find(out_.capture_names, name);
    if (it != out_.capture_names.end()) return static_cast<std::uint32_t>(it - out_.capture_names.begin());
    out_.capture_names.push_back(name);
    return static_cast<std::uint32_t>(out_.capture_names.size() - 1);
  }

  bool emit_look(const PatternNode& node, Op op) {
    pending_.emplace_back(here(), &node);
    return emit(op, 0, node.negated ? 1 : 0);
  }

  bool emit_node(const PatternNode& node, std::size_t depth) {
    if (depth > kMaxNesting) return fail("the pattern is nested too deeply");
    switch (node.kind) {
      case PatternKind::kLiteral:
        return emit_text(node.text);
      case PatternKind::kLetter:
      case PatternKind::kUnicodeLetter:
        return emit_class(CharacterClass::kLetter);
      case PatternKind::kDigit:
        return emit_class(CharacterClass::kDigit);
      case PatternKind::kUnicodeDigit:
        return emit_class(CharacterClass::kNumber);
      case PatternKind::kWhitespace:
        return emit_class(CharacterClass::kWhitespace);
      case PatternKind::kAnyCharacter:
        return emit_class(CharacterClass::kAny);
      case PatternKind::kUnicodeCategory:
        return emit_class(lookup(kCategories, node.text));
      case PatternKind::kUnicodeScript:
        return emit_class(lookup(kScripts, node.text));
      case PatternKind::kUnicodeProperty:
        return emit_class(lookup(kProperties, node.text));
      case PatternKind::kSequence:
        return std::ranges::all_of(node.children, [&](const auto& child) { return emit_node(*child, depth + 1); });
      case PatternKind::kAlternatives:
        return emit_alternatives(node.children.size(),
                                 [&](std::size_t i) { return emit_node(*node.children[i], depth + 1); });
      case PatternKind::kRepeat:
        return emit_repeat(node, depth + 1);
      case PatternKind::kCapture: {
        const std::uint32_t number = capture_number(node.text);
        return emit(Op::kBeginCapture, number) && emit_node(*node.children.front(), depth + 1) &&
               emit(Op::kEndCapture, number);
      }
      case PatternKind::kBackReference:
        if (std::ranges::find(out_.capture_names, node.text) == out_.capture_names.end()) {
          return fail("Backreference to undefined capture group: '" + node.text + "'");
        }
        out_.has_back_references = true;
        return emit(Op::kBackReference, capture_number(node.text));
      case PatternKind::kStartOfText:
        return emit(Op::kStartOfText);
      case PatternKind::kEndOfText:
        return emit(Op::kEndOfText);
      case PatternKind::kLookAhead:
        return emit_look(node, Op::kAhead);
      case PatternKind::kLookBehind:
        return emit_look(node, Op::kBehind);
      case PatternKind::kListReference:
        return emit_list(node);
    }
    return fail("unknown pattern element");
  }

  CompiledPattern& out_;
  std::span<const vm::Value> lists_;
  std::vector<std::pair<std::uint32_t, const PatternNode*>> pending_;
};

bool between(char32_t c, char32_t low, char32_t high) {
  return c >= low && c <= high;
}

}  // namespace

bool in_class(CharacterClass which, char32_t c) {
  switch (which) {
    case CharacterClass::kNone:
      return false;
    case CharacterClass::kDigit:
      return c >= '0' && c <= '9';
    case CharacterClass::kLetter:
      return is_alphabetic(c);
    case CharacterClass::kWhitespace:
      return is_white_space(c);
    case CharacterClass::kAny:
      return true;
    case CharacterClass::kNumber:
      return is_numeric(c);
    case CharacterClass::kSymbol: {
      const auto k = utf8proc_category(static_cast<utf8proc_int32_t>(c));
      return (k >= UTF8PROC_CATEGORY_SM && k <= UTF8PROC_CATEGORY_SO) || c == 0xA7 || c == 0xB6;
    }
    case CharacterClass::kPunctuation: {
      if (c < 0x80)
        return between(c, 0x21, 0x2F) || between(c, 0x3A, 0x40) || between(c, 0x5B, 0x60) || between(c, 0x7B, 0x7E);
      const auto k = utf8proc_category(static_cast<utf8proc_int32_t>(c));
      return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
    }
    case CharacterClass::kMark: {
      const auto k = utf8proc_category(static_cast<utf8proc_int32_t>(c));
      return k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ME;
    }
    case CharacterClass::kUppercase:
      return is_upper(c);
    case CharacterClass::kLowercase:
      return is_lower(c);
    case CharacterClass::kAlphanumeric:
      return is_alphabetic(c) || is_numeric(c);
    case CharacterClass::kControl:
      return c < 0x20 || between(c, 0x7F, 0x9F);
    case CharacterClass::kLatin:
      return between(c, 'A', 'Z') || between(c, 'a', 'z') || between(c, 0xC0, 0x24F) || between(c, 0x1E00, 0x1EFF);
    case CharacterClass::kGreek:
      return between(c, 0x370, 0x3FF) || between(c, 0x1F00, 0x1FFF);
    case CharacterClass::kCyrillic:
      return between(c, 0x400, 0x52F);
    case CharacterClass::kArabic:
      return between(c, 0x600, 0x6FF) || between(c, 0x750, 0x77F);
    case CharacterClass::kHebrew:
      return between(c, 0x590, 0x5FF);
    case CharacterClass::kDevanagari:
      return between(c, 0x900, 0x97F);
    case CharacterClass::kHan:
      return between(c, 0x4E00, 0x9FFF) || between(c, 0x3400, 0x4DBF) || between(c, 0x20000, 0x2A6DF);
    case CharacterClass::kHiragana:
      return between(c, 0x3040, 0x309F);
    case CharacterClass::kKatakana:
      return between(c, 0x30A0, 0x30FF);
    case CharacterClass::kHangul:
      return between(c, 0xAC00, 0xD7AF) || between(c, 0x1100, 0x11FF) || between(c, 0x3130, 0x318F);
  }
  return false;
}

std::expected<std::unique_ptr<CompiledPattern>, std::string> CompiledPattern::compile(
    const PatternNode& root, std::span<const vm::Value> lists) {
  auto pattern = std::make_unique<CompiledPattern>();
  Compiler compiler(*pattern, lists);
  if (!compiler.compile(root)) return std::unexpected(std::move(compiler.error));
  return pattern;
}

std::unique_ptr<CompiledPattern> CompiledPattern::literal(std::string_view text) {
  PatternNode node;
  node.kind = PatternKind::kLiteral;
  node.text = text;
  return std::move(*compile(node, {}));
}

}  // namespace wfl::stdlib
