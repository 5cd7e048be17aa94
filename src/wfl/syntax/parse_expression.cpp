#include <array>

#include "wfl/language/builtins.h"
#include "wfl/syntax/parser_impl.h"

// Operators (reference 3.1): precedence climbing. Levels: 3 times, divided by, modulo; 2 plus, minus; 1 comparisons;
// 0 and, or. `with` and the infix pattern words may follow at any level, and what stands right of `with` is read from
// level 0. Therefore `with` takes the whole rest, and a chain of them is read by a loop into one flat node instead of
// by recursion.

namespace wfl::syntax {

namespace {

struct SimpleOperator {
  BinaryOp op;
  int precedence;
};

std::optional<SimpleOperator> simple_operator(const Token& token) {
  switch (token.kind) {
    case TokenKind::Plus:
      return SimpleOperator{BinaryOp::Plus, 2};
    case TokenKind::Minus:
      return SimpleOperator{BinaryOp::Minus, 2};
    case TokenKind::Slash:
      return SimpleOperator{BinaryOp::Divide, 3};
    case TokenKind::Percent:
      return SimpleOperator{BinaryOp::Modulo, 3};
    case TokenKind::Equals:
      return SimpleOperator{BinaryOp::Equal, 1};
    case TokenKind::Keyword:
      break;
    default:
      return std::nullopt;
  }
  switch (token.keyword) {
    case Keyword::Plus:
      return SimpleOperator{BinaryOp::Plus, 2};
    case Keyword::Minus:
      return SimpleOperator{BinaryOp::Minus, 2};
    case Keyword::Times:
      return SimpleOperator{BinaryOp::Times, 3};
    case Keyword::DividedBy:
    case Keyword::Divided:
      return SimpleOperator{BinaryOp::Divide, 3};
    case Keyword::Modulo:
      return SimpleOperator{BinaryOp::Modulo, 3};
    case Keyword::And:
      return SimpleOperator{BinaryOp::And, 0};
    case Keyword::Or:
      return SimpleOperator{BinaryOp::Or, 0};
    default:
      return std::nullopt;
  }
}

}  // namespace

bool Parser::starts_statement(const Token& token) {
  return token.is(TokenKind::Keyword) && language::info(token.keyword).starts_statement;
}

bool Parser::is_response_clause_word(const Token& token) {
  return token.is(Keyword::As) || token.is(Keyword::Content) || token.is(Keyword::Status) ||
         token.starts_with_words("headers") || token.starts_with_words("content_type");
}

const Expr* Parser::parse_expression() {
  return parse_binary(0);
}

const Expr* Parser::parse_binary(int precedence) {
  const NestingScope nesting(*this);
  const Expr* left = parse_primary();
  return parse_operators(left, precedence);
}

// Whether the next token ends the expression whatever the level.
bool Parser::stops_operators() const {
  const Token& token = peek();
  if (token.is(TokenKind::EndOfLine) || token.is(TokenKind::EndOfFile) || starts_statement(token)) {
    return true;
  }
  if (token.is(Keyword::With)) {
    return mode_.terminator == Mode::Terminator::With || mode_.operand ||
           (mode_.stop_at_key_clause && at_key_clause()) ||
           (mode_.stop_at_response_clause && is_response_clause_word(peek(1)));
  }
  if (token.is(Keyword::In)) {
    return mode_.terminator == Mode::Terminator::In;
  }
  if (token.is(Keyword::And)) {
    return (mode_.stop_at_response_clause && is_response_clause_word(peek(1))) ||
           (mode_.stop_at_option && is_option_word(peek(1)));
  }
  if (token.is(TokenKind::Colon)) {
    return mode_.operand || mode_.stop_at_colon;
  }
  return mode_.operand && (token.is(Keyword::Matches) || token.is(Keyword::Find) || token.is(Keyword::Replace) ||
                           token.is(Keyword::Split));
}

const Expr* Parser::parse_operators(const Expr* left, int precedence) {
  std::vector<const Expr*> parts;  // What stood left of each `with` so far.
  while (!stops_operators()) {
    const Token token = peek();
    if (const auto simple = simple_operator(token)) {
      if (simple->precedence < precedence) {
        break;
      }
      take();
      if (token.is(Keyword::Divided)) {
        expect(Keyword::By, "after `divided`");
      }
      if (token.is(Keyword::Or) && eat(Keyword::Equal)) {
        // `a is less than b or equal to c` turns the comparison that is already finished.
        const bool to = eat(Keyword::To);
        const auto* comparison = try_as<BinaryExpr>(left);
        if (to && comparison != nullptr && (comparison->op == BinaryOp::Less || comparison->op == BinaryOp::Greater)) {
          left = make_binary(comparison->op == BinaryOp::Less ? BinaryOp::LessEqual : BinaryOp::GreaterEqual,
                             comparison->op_span, comparison->left, comparison->right);
          continue;
        }
      }
      const Expr* right = parse_binary(simple->precedence + 1);
      left = make_binary(simple->op, span_of(token), left, right);
      continue;
    }
    if (token.is(TokenKind::Colon)) {  // A stray colon inside an expression is passed over.
      take();
      continue;
    }
    if (!token.is(TokenKind::Keyword)) {
      break;
    }
    if (token.is(Keyword::Is)) {
      if (precedence > 1) {
        break;
      }
      take();
      if (eat(Keyword::Between)) {
        const Expr* low = parse_binary(2);
        expect(Keyword::And, "between the two ends of `is between`");
        const Expr* high = parse_binary(2);
        auto* node = make<BetweenExpr>(left->span.begin);
        node->subject = left;
        node->low = low;
        node->high = high;
        left = finish(node, {left, low, high});
        continue;
      }
      const BinaryOp op = parse_comparison_words();
      const SourceSpan op_span{source_.id(), token.begin, last_end_};
      const Expr* right = parse_binary(2);
      left = make_binary(op, op_span, left, right);
    } else if (token.is(Keyword::With)) {
      if (const Expr* call = parse_with_call(left)) {
        left = call;
        continue;
      }
      take();
      parts.push_back(left);
      precedence = 0;
      left = parse_primary();
    } else if (token.is(Keyword::Matches)) {
      take();
      eat(Keyword::Pattern);
      const Expr* pattern = parse_binary(precedence + 1);
      auto* node = make<PatternMatchExpr>(left->span.begin);
      node->text = left;
      node->pattern = pattern;
      left = finish(node, {left, pattern});
    } else if (token.is(Keyword::Find)) {
      left = parse_infix_find(left, precedence);
    } else if (token.is(Keyword::Replace)) {
      left = parse_infix_replace(left, precedence);
    } else if (token.is(Keyword::Split)) {
      left = parse_infix_split(precedence);
    } else if (token.is(Keyword::Starts) || token.is(Keyword::Ends)) {
      if (precedence > 1 || !next_is(Keyword::With)) {
        break;
      }
      take();
      take();
      const SourceSpan op_span{source_.id(), token.begin, last_end_};
      const Expr* right = parse_binary(2);
      left = make_binary(token.is(Keyword::Starts) ? BinaryOp::StartsWith : BinaryOp::EndsWith, op_span, left, right);
    } else if (token.is(Keyword::Contains)) {
      if (precedence > 1) {
        break;
      }
      left = parse_contains(left, precedence);
    } else {
      break;
    }
  }
  if (parts.empty()) {
    return left;
  }
  parts.push_back(left);
  return make_concat(parts);
}

// The words behind `is`. `is greater than or X` without `equal` is a plain comparison.
BinaryOp Parser::parse_comparison_words() {
  if (eat(Keyword::Above)) {
    return BinaryOp::Greater;
  }
  if (eat(Keyword::Below)) {
    return BinaryOp::Less;
  }
  if (eat(Keyword::Equal)) {
    eat(Keyword::To);
    return BinaryOp::Equal;
  }
  if (eat(Keyword::Not)) {
    if (eat(Keyword::Equal)) {
      eat(Keyword::To);
    }
    return BinaryOp::NotEqual;
  }
  const bool greater = at(Keyword::Greater);
  if (greater || at(Keyword::Less)) {
    take();
    bool or_equal = false;
    if (eat(Keyword::Than) && eat(Keyword::Or) && eat(Keyword::Equal)) {
      or_equal = true;
      eat(Keyword::To);
    }
    return greater ? (or_equal ? BinaryOp::GreaterEqual : BinaryOp::Greater)
                   : (or_equal ? BinaryOp::LessEqual : BinaryOp::Less);
  }
  return BinaryOp::Equal;
}

// Behind S at `contains`: a pattern test, a key test (keystore-language 8.6), or the plain operator.
const Expr* Parser::parse_contains(const Expr* left, int precedence) {
  const Token word = take();
  if (eat(Keyword::Pattern)) {
    const Expr* pattern = parse_binary(precedence + 1);
    auto* node = make<PatternMatchExpr>(left->span.begin);
    node->text = left;
    node->pattern = pattern;
    return finish(node, {left, pattern});
  }
  const Token key_word = peek();
  const bool merged = key_word.starts_with_words("key") && key_word.text != "key";
  if (!merged && !(key_word.is_name("key") && can_start_key(peek(1), peek(2)))) {
    const Expr* right = parse_binary(2);
    return make_binary(BinaryOp::Contains, span_of(word), left, right);
  }
  if (merged) {
    split(at_, 1);
  }
  take();
  const Token lead = peek();
  const Expr* key = parse_key_operand();
  const Expr* today_item = nullptr;
  if (merged) {
    today_item = with_lead_renamed(key, name_of(key_word));
  } else if (lead.is(TokenKind::Integer)) {
    // `contains key 5` was the element `key 5` of a list.
    if (const auto* number = try_as<NumberExpr>(key)) {
      auto* index = arena_.make<IndexExpr>(join(span_of(key_word), number->span));
      index->form = IndexForm::Direct;
      index->collection = make_variable("key", span_of(key_word));
      index->index = number;
      today_item = finish(index, {index->collection, index->index});
    }
  }
  const auto* negated = try_as<UnaryExpr>(left);
  if (today_item == nullptr && negated != nullptr && negated->op == UnaryOp::Not) {
    fail(join(left->span, key->span), "`not` takes only the name behind it, not the whole question",
         {"Put the question in parentheses: `not (" +
          std::string(
              source_.text().substr(negated->operand->span.begin, key->span.end - negated->operand->span.begin)) +
          ")`."});
  }
  auto* node = make<KeystoreContainsExpr>(left->span.begin);
  node->container = left;
  node->key = key;
  node->today_item = today_item;
  return finish(node, {left, key, today_item});
}

const Expr* Parser::parse_infix_find(const Expr* left, int precedence) {
  take();
  eat(Keyword::Pattern);
  const Expr* pattern = nullptr;
  {
    Mode mode = mode_;
    mode.terminator = Mode::Terminator::In;
    const ModeScope scope(*this, mode);
    pattern = parse_binary(precedence + 1);
  }
  const Expr* text = eat(Keyword::In) ? parse_binary(precedence + 1) : left;
  auto* node = make<FindExpr>(left->span.begin);
  node->text = text;
  node->pattern = pattern;
  return finish(node, {text, pattern});
}

const Expr* Parser::parse_infix_replace(const Expr* left, int precedence) {
  take();
  eat(Keyword::Pattern);
  const Expr* pattern = nullptr;
  const Expr* replacement = nullptr;
  Mode mode = mode_;
  {
    mode.terminator = Mode::Terminator::With;
    const ModeScope scope(*this, mode);
    pattern = parse_binary(precedence + 1);
  }
  expect(Keyword::With, "after the pattern of `replace`");
  {
    mode.terminator = Mode::Terminator::In;
    const ModeScope scope(*this, mode);
    replacement = parse_binary(precedence + 1);
  }
  const Expr* text = eat(Keyword::In) ? parse_binary(precedence + 1) : left;
  auto* node = make<ReplaceExpr>(left->span.begin);
  node->text = text;
  node->pattern = pattern;
  node->replacement = replacement;
  return finish(node, {text, pattern, replacement});
}

// The text stands behind the word also in the infix form; what stood before it is not used.
const Expr* Parser::parse_infix_split(int precedence) {
  const Token word = take();
  eat(Keyword::Of);
  const Expr* text = parse_binary(precedence + 1);
  const bool on_pattern = at(Keyword::On);
  if (!on_pattern && !at(Keyword::By)) {
    fail_expected("`by` or `on` after the text to split");
  }
  take();
  if (on_pattern) {
    eat(Keyword::Pattern);
  }
  const Expr* separator = parse_binary(precedence + 1);
  auto* node = make<SplitExpr>(word.begin);
  node->on_pattern = on_pattern;
  node->text = text;
  node->separator = separator;
  return finish(node, {text, separator});
}

const Expr* Parser::make_binary(BinaryOp op, SourceSpan op_span, const Expr* left, const Expr* right) {
  auto* node = arena_.make<BinaryExpr>(join(left->span, right->span));
  node->op = op;
  node->op_span = op_span;
  node->left = left;
  node->right = right;
  return finish(node, {left, right});
}

const Expr* Parser::make_concat(const std::vector<const Expr*>& parts) {
  auto* node = arena_.make<ConcatExpr>(join(parts.front()->span, parts.back()->span));
  node->parts = arena_.copy(parts);
  return finish(node, node->parts);
}

// `[name:] Expr and …`: `and` separates, so the arguments themselves are read from level 1.
std::span<const Argument> Parser::parse_arguments() {
  std::vector<Argument> arguments;
  do {
    Argument argument;
    if (at(TokenKind::Identifier) && peek(1).is(TokenKind::Colon)) {
      argument.label = name_of(take());
      take();
    }
    argument.value = parse_binary(1);
    arguments.push_back(argument);
    if (at(Keyword::And) && stops_operators()) {
      break;
    }
  } while (eat(Keyword::And));
  return arena_.copy(arguments);
}

// The argument of an of-call: arithmetic only, so that `f of n minus 1` is `f of (n minus 1)` and everything else stays
// with the caller.
const Expr* Parser::parse_of_argument() {
  const NestingScope nesting(*this);
  const Expr* left = parse_of_term();
  while (at(TokenKind::Plus) || at(TokenKind::Minus) || at(Keyword::Plus) || at(Keyword::Minus)) {
    const Token token = take();
    const Expr* right = parse_of_term();
    left = make_binary(token.is(TokenKind::Plus) || token.is(Keyword::Plus) ? BinaryOp::Plus : BinaryOp::Minus,
                       span_of(token), left, right);
  }
  return left;
}

const Expr* Parser::parse_of_term() {
  const Expr* left = parse_primary();
  while (true) {
    const Token token = peek();
    const auto simple = simple_operator(token);
    if (!simple || simple->precedence != 3 || (token.is(Keyword::Divided) && !next_is(Keyword::By))) {
      return left;
    }
    take();
    if (token.is(Keyword::Divided)) {
      take();
    }
    const Expr* right = parse_primary();
    left = make_binary(simple->op, span_of(token), left, right);
  }
}

const Expr* Parser::parse_of_call(const Expr* callee) {
  take();  // `of`
  std::vector<Argument> arguments{{{}, parse_of_argument()}};
  const auto* named = try_as<VariableExpr>(callee);
  while (true) {
    // `substring of T from 0 length n`: the lexer has made one name of `length n`.
    if (named != nullptr && named->name == "substring" && arguments.size() == 2 && peek().starts_with_words("length") &&
        count_words(peek().text) > 1) {
      split(at_, 1);
    }
    const Token& token = peek();
    const bool separates = token.is(Keyword::And) || token.is(Keyword::By) ||
                           (token.is(Keyword::From) && !mode_.of_without_from) || token.is_name("length");
    if (!separates || (token.is(Keyword::And) && stops_operators())) {
      break;
    }
    take();
    arguments.push_back({{}, parse_of_argument()});
  }
  auto* node = make<CallExpr>(callee->span.begin);
  node->form = CallForm::Of;
  if (const auto* variable = try_as<VariableExpr>(callee)) {
    node->name = {variable->name, variable->span};
  } else {
    node->callee = callee;
    deepen(node, callee);
  }
  node->arguments = arena_.copy(arguments);
  for (const Argument& argument : node->arguments) {
    deepen(node, argument.value);
  }
  return node;
}

// `NAME with a and b` as a call: of a built-in function, or of an action of this file that needs that many values.
// Everything else in front of `with` is joined to what follows. At `with`; null if it is no call.
const Expr* Parser::parse_with_call(const Expr* callee) {
  const auto* variable = try_as<VariableExpr>(callee);
  if (variable == nullptr || variable->name == "count") return nullptr;
  const auto call = [&]() -> const CallExpr* {
    take();
    auto* node = make<CallExpr>(callee->span.begin);
    node->form = CallForm::With;
    node->name = {variable->name, variable->span};
    node->arguments = parse_arguments();
    for (const Argument& argument : node->arguments) deepen(node, argument.value);
    return node;
  };
  if (language::find_builtin(variable->name) != nullptr || language::is_reserved_builtin(variable->name)) return call();
  const auto known = actions_with_values_.lower_bound({variable->name, 0});
  if (known == actions_with_values_.end() || known->first != variable->name) return nullptr;
  return attempt([&]() -> const CallExpr* {
    const CallExpr* node = call();
    if (!actions_with_values_.contains({variable->name, node->arguments.size()})) throw ParseFailure{};
    return node;
  });
}

const Expr* Parser::with_lead_renamed(const Expr* expr, Name name) {
  const auto widened = [&](auto* node) {
    node->span = join(node->span, name.span);
    return node;
  };
  switch (expr->kind) {
    case ExprKind::Variable:
      return make_variable(name.text, name.span);
    case ExprKind::Index: {
      auto* node = arena_.make<IndexExpr>(as<IndexExpr>(*expr));
      node->collection = with_lead_renamed(node->collection, name);
      return node->collection == nullptr ? nullptr : widened(node);
    }
    case ExprKind::Property: {
      auto* node = arena_.make<PropertyExpr>(as<PropertyExpr>(*expr));
      node->object = with_lead_renamed(node->object, name);
      return node->object == nullptr ? nullptr : widened(node);
    }
    case ExprKind::MethodCall: {
      auto* node = arena_.make<MethodCallExpr>(as<MethodCallExpr>(*expr));
      node->object = with_lead_renamed(node->object, name);
      return node->object == nullptr ? nullptr : widened(node);
    }
    case ExprKind::Call: {
      auto* node = arena_.make<CallExpr>(as<CallExpr>(*expr));
      if (node->form != CallForm::Of || node->name.empty()) {
        return nullptr;
      }
      node->name = name;
      return widened(node);
    }
    case ExprKind::Binary: {
      auto* node = arena_.make<BinaryExpr>(as<BinaryExpr>(*expr));
      node->left = with_lead_renamed(node->left, name);
      return node->left == nullptr ? nullptr : widened(node);
    }
    case ExprKind::Concat: {
      auto* node = arena_.make<ConcatExpr>(as<ConcatExpr>(*expr));
      std::vector<const Expr*> parts(node->parts.begin(), node->parts.end());
      parts.front() = with_lead_renamed(parts.front(), name);
      node->parts = arena_.copy(parts);
      return parts.front() == nullptr ? nullptr : widened(node);
    }
    default:
      return nullptr;
  }
}

}  // namespace wfl::syntax
