#include <algorithm>
#include <unordered_set>

#include "wfl/stdlib/pattern_program.h"

namespace wfl::stdlib {
namespace {

using Op = PatternInstruction::Op;

constexpr std::size_t kMaxLookBehind = 1000;

}  // namespace

bool PatternMatcher::charge_step() {
  if (++steps_ <= limits_.steps) return true;
  if (!error_) {
    error_ = vm::Error{vm::ErrorKind::kResourceLimit, "Pattern matching exceeded the step limit of " +
                                                          std::to_string(limits_.steps) + " (max_pattern_steps)"};
  }
  return false;
}

// Runs one way until it fails, matches, or has to decide.
PatternMatcher::StepResult PatternMatcher::step(State& state, std::optional<std::size_t> end) {
  const std::size_t size = text_.size();
  while (true) {
    if (!charge_step()) return StepResult::kFailed;
    const PatternInstruction& instruction = pattern_.code[state.pc];
    switch (instruction.op) {
      case Op::kCharacter:
        if (state.position >= size || text_[state.position] != instruction.argument) return StepResult::kFailed;
        ++state.position;
        break;
      case Op::kLiteral: {
        const std::u32string_view literal = pattern_.literals[instruction.argument];
        if (text_.substr(state.position, literal.size()) != literal) return StepResult::kFailed;
        state.position += literal.size();
        break;
      }
      case Op::kClass:
        if (state.position >= size ||
            !in_class(static_cast<CharacterClass>(instruction.argument), text_[state.position])) {
          return StepResult::kFailed;
        }
        ++state.position;
        break;
      case Op::kSplit:
        return StepResult::kSplit;
      case Op::kJump:
        state.pc = instruction.argument;
        continue;
      case Op::kBeginCapture:
        state.captures[2 * instruction.argument] = static_cast<std::int64_t>(state.position);
        state.captures[2 * instruction.argument + 1] = static_cast<std::int64_t>(state.position);
        break;
      case Op::kEndCapture:
        state.captures[2 * instruction.argument + 1] = static_cast<std::int64_t>(state.position);
        break;
      case Op::kBackReference: {
        const std::int64_t from = state.captures[2 * instruction.argument];
        const std::int64_t to = state.captures[2 * instruction.argument + 1];
        if (from < 0) return StepResult::kFailed;
        const auto captured = text_.substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
        if (text_.substr(state.position, captured.size()) != captured) return StepResult::kFailed;
        state.position += captured.size();
        break;
      }
      case Op::kStartOfText:
        if (state.position != 0) return StepResult::kFailed;
        break;
      case Op::kEndOfText:
        if (state.position != size) return StepResult::kFailed;
        break;
      case Op::kAhead: {
        State inner;
        const bool found = match_at(instruction.argument, state.position, std::nullopt, state.captures, inner);
        if (error_ || found == (instruction.second != 0)) return StepResult::kFailed;
        break;
      }
      case Op::kBehind:
        if (look_behind(instruction.argument, state) == (instruction.second != 0) || error_) return StepResult::kFailed;
        break;
      case Op::kMatch:
        return end && state.position != *end ? StepResult::kFailed : StepResult::kMatched;
    }
    ++state.pc;
  }
}

// Whether the inner pattern matches some text that ends exactly here.
bool PatternMatcher::look_behind(std::uint32_t pc, const State& state) {
  const std::size_t furthest = std::min(state.position, kMaxLookBehind);
  for (std::size_t length = 1; length <= furthest; ++length) {
    State inner;
    if (match_at(pc, state.position - length, state.position, state.captures, inner)) return true;
    if (error_) return false;
  }
  return false;
}

// Tries all ways from one start, in rounds: each round is one decision further than the last.
bool PatternMatcher::match_at(std::uint32_t pc, std::size_t start, std::optional<std::size_t> end,
                              const std::vector<std::int64_t>& captures, State& result) {
  State first{pc, start, captures};
  switch (step(first, end)) {
    case StepResult::kFailed:
      return false;
    case StepResult::kMatched:
      result = std::move(first);
      return true;
    case StepResult::kSplit:
      break;
  }
  // A decision already met at the same place needs no second try: the earlier one is first at everything behind it.
  std::unordered_set<std::u32string> seen_with_captures;
  std::unordered_set<std::uint64_t> seen;
  const auto is_new = [&](const State& state) {
    if (!pattern_.has_back_references) {
      return seen.insert((static_cast<std::uint64_t>(state.pc) << 40U) ^ static_cast<std::uint64_t>(state.position))
          .second;
    }
    std::u32string key;
    key.push_back(static_cast<char32_t>(state.pc));
    key.push_back(static_cast<char32_t>(state.position));
    for (const std::int64_t place : state.captures) key.push_back(static_cast<char32_t>(place));
    return seen_with_captures.insert(std::move(key)).second;
  };
  is_new(first);
  std::vector<State> round;
  round.push_back(std::move(first));
  while (!round.empty()) {
    std::vector<State> next;
    for (State& state : round) {
      const PatternInstruction& split = pattern_.code[state.pc];
      State ways[2] = {{split.argument, state.position, state.captures},
                       {split.second, state.position, std::move(state.captures)}};
      for (State& way : ways) next.push_back(std::move(way));
    }
    if (next.size() > limits_.states) {
      error_ = vm::Error{vm::ErrorKind::kResourceLimit, "Pattern matching exceeded the state limit of " +
                                                            std::to_string(limits_.states) + " (max_pattern_states)"};
      return false;
    }
    round.clear();
    for (State& way : next) {
      switch (step(way, end)) {
        case StepResult::kFailed:
          if (error_) return false;
          break;
        case StepResult::kMatched:
          result = std::move(way);
          return true;
        case StepResult::kSplit:
          if (is_new(way)) round.push_back(std::move(way));
          break;
      }
    }
  }
  return false;
}

std::expected<std::optional<PatternMatch>, vm::Error> PatternMatcher::find(std::size_t from) {
  const std::vector<std::int64_t> none(2 * pattern_.capture_names.size(), -1);
  for (std::size_t start = from; start <= text_.size(); ++start) {
    State state;
    const bool matched = match_at(0, start, std::nullopt, none, state);
    if (error_) return std::unexpected(*error_);
    if (!matched) continue;
    PatternMatch match{start, state.position, {}};
    for (std::size_t i = 0; i < pattern_.capture_names.size(); ++i) {
      if (state.captures[2 * i] < 0) continue;
      match.captures.push_back({pattern_.capture_names[i], static_cast<std::size_t>(state.captures[2 * i]),
                                static_cast<std::size_t>(state.captures[2 * i + 1])});
    }
    return match;
  }
  return std::nullopt;
}

std::expected<std::vector<PatternMatch>, vm::Error> PatternMatcher::find_all() {
  std::vector<PatternMatch> matches;
  std::size_t from = 0;
  while (from <= text_.size()) {
    auto match = find(from);
    if (!match) return std::unexpected(std::move(match.error()));
    if (!*match) break;
    from = (*match)->end > (*match)->start ? (*match)->end : (*match)->start + 1;
    matches.push_back(std::move(**match));
  }
  return matches;
}

}  // namespace wfl::stdlib
