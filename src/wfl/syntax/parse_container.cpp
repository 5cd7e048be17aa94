#include "wfl/syntax/parser_impl.h"

// Containers, interfaces, events (reference chapter 8).

namespace wfl::syntax {

namespace {

bool starts_upper(std::string_view text) {
  return !text.empty() && text[0] >= 'A' && text[0] <= 'Z';
}

}  // namespace

const Stmt* Parser::parse_create_container() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<DefineContainerStmt>(begin);
  header([&] {
    take();
    take();
    node->name = parse_name("for the container");
    if (eat(Keyword::Extends)) {
      node->parent = parse_name("of a container after `extends`");
    }
    if (eat(Keyword::Implements)) {
      std::vector<Name> interfaces;
      do {
        interfaces.push_back(parse_name("of an interface after `implements`"));
      } while (eat(TokenKind::Comma));
      node->interfaces = arena_.copy(interfaces);
    }
    expect(TokenKind::Colon, ":", "at the end of the container's first line");
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "", head);
  std::vector<PropertyDefinition> properties;
  std::vector<const DefineActionStmt*> actions;
  std::vector<EventDeclaration> events;
  for (skip_lines(); !at_stop(kEnd); skip_lines()) {
    const std::uint32_t start = at_;
    try {
      const bool is_static = eat(Keyword::Static);
      if (at(Keyword::Property)) {
        properties.push_back(parse_property(is_static));
      } else if (at(Keyword::Action)) {
        actions.push_back(parse_container_action(is_static));
      } else if (at(Keyword::Event) && !is_static) {
        take();
        EventDeclaration event;
        event.name = parse_name("for the event");
        if (eat(Keyword::Needs)) {
          event.parameters = parse_member_parameters();
        }
        events.push_back(event);
      } else {
        fail_expected(is_static ? "`property` or `action` after `static`"
                                : "`property`, `action`, `event` or `end` in a container");
      }
    } catch (const ParseFailure&) {
      if (at_ == start && !at_end_of_line()) {
        take();
      }
      recover();
    }
  }
  close_block();
  // `end container` is what many expect; the second word was always passed over.
  if (at(Keyword::Container) && peek(1).is(TokenKind::EndOfLine)) {
    take();
  }
  node->properties = arena_.copy(properties);
  node->actions = arena_.copy(actions);
  node->events = arena_.copy(events);
  return close_statement(node, head);
}

PropertyDefinition Parser::parse_property(bool is_static) {
  take();
  PropertyDefinition property;
  property.is_static = is_static;
  property.name = parse_name("for the property");
  if (eat(TokenKind::Colon)) {
    property.type = parse_member_type(true);
  }
  if (eat(Keyword::Defaults)) {
    property.default_value = parse_expression();
  }
  return property;
}

// Behind a colon: `Text`, `Number`, …, the name of a container, and for properties `List [of T]`.
const TypeRef* Parser::parse_member_type(bool with_lists) {
  const NestingScope nesting(*this);
  const Token token = peek();
  if (with_lists && (at(Keyword::List) || at_name("List"))) {
    take();
    return make_type(TypeKind::List, token, eat(Keyword::Of) ? parse_member_type(true) : nullptr);
  }
  return parse_parameter_type();
}

const DefineActionStmt* Parser::parse_container_action(bool is_static) {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<DefineActionStmt>(begin);
  node->is_static = is_static;
  header([&] {
    take();
    node->name = parse_name("for the action");
    if (eat(Keyword::Needs)) {
      node->parameters = parse_member_parameters();
    }
    if (eat(TokenKind::Colon)) {
      const bool is_type = at(Keyword::Text) || at(Keyword::Pattern) || at(Keyword::Any) || at(Keyword::Date) ||
                           at(Keyword::Time) || at(TokenKind::Nothing) ||
                           (at(TokenKind::Identifier) && starts_upper(peek().text));
      if (is_type) {
        node->return_type = parse_parameter_type();
      }
    }
  });
  const SourceSpan head = span_from(begin);
  const BlockScope block(*this, "", head);
  node->body = parse_body(kEnd);
  close_block();
  if (at(Keyword::Action) && peek(1).is(TokenKind::EndOfLine)) {
    take();
  }
  return close_statement(node, head);
}

std::span<const Parameter> Parser::parse_member_parameters() {
  std::vector<Parameter> parameters;
  while (at(TokenKind::Identifier)) {
    Parameter parameter;
    parameter.name = name_of(take());
    // In the last one the colon may already be the header's; then a line end follows.
    if (at(TokenKind::Colon) && !peek(1).is(TokenKind::EndOfLine)) {
      take();
      parameter.type = parse_member_type(false);
    }
    parameters.push_back(parameter);
    if (!eat(TokenKind::Comma) && !eat(Keyword::And)) {
      break;
    }
  }
  return arena_.copy(parameters);
}

const Stmt* Parser::parse_create_interface() {
  const std::uint32_t begin = peek().begin;
  auto* node = make_statement<DefineInterfaceStmt>(begin);
  take();
  take();
  node->name = parse_name("for the interface");
  if (eat(Keyword::Extends)) {
    std::vector<Name> parents;
    do {
      parents.push_back(parse_name("of an interface after `extends`"));
    } while (eat(TokenKind::Comma));
    node->parents = arena_.copy(parents);
  }
  const SourceSpan head = span_from(begin);
  if (!eat(TokenKind::Colon)) {
    return close_statement(node, head);
  }
  const BlockScope block(*this, "", head);
  std::vector<RequiredAction> actions;
  for (skip_lines(); !at_stop(kEnd); skip_lines()) {
    const std::uint32_t start = at_;
    try {
      expect(Keyword::Requires, "action …, or `end`, in an interface");
      expect(Keyword::Action, "after `requires`");
      RequiredAction action;
      action.name = parse_name("of the required action");
      if (eat(Keyword::Needs) || eat(Keyword::With)) {
        action.parameters = parse_member_parameters();
      }
      if (eat(TokenKind::Colon)) {
        action.return_type = parse_parameter_type();
      }
      actions.push_back(action);
    } catch (const ParseFailure&) {
      if (at_ == start && !at_end_of_line()) {
        take();
      }
      recover();
    }
  }
  close_block();
  node->actions = arena_.copy(actions);
  return close_statement(node, head);
}

// `create new TYPE as X: … end`, and the old spelling `create new constant X as V`.
const Stmt* Parser::parse_create_instance() {
  const Token verb = take();
  take();
  if (at(Keyword::Constant)) {
    take();
    const Name name = parse_declared_name();
    expect(Keyword::As, "after the name of the constant");
    const Expr* value = parse_expression();
    auto* node = make_statement<StoreStmt>(verb.begin);
    node->name = name;
    node->value = value;
    node->is_constant = true;
    node->with_create = true;
    Diagnostic warning;
    warning.severity = Severity::Warning;
    warning.code = "WFL-P007";
    warning.message = "`create new constant` is an old spelling that will go away";
    warning.span = node->span;
    warning.label = "Still accepted";
    warning.hints.push_back("Write `store new constant " + std::string(name.text) + " as …`.");
    diagnostics_.push_back(std::move(warning));
    return node;
  }
  auto* node = make_statement<CreateInstanceStmt>(verb.begin);
  header([&] {
    node->container = parse_name("of a container after `create new`");
    expect(Keyword::As, "after the container's name");
    node->name = parse_name("after `as`");
    expect(TokenKind::Colon, ":", "after the name");
  });
  const SourceSpan head = span_from(verb.begin);
  const BlockScope block(*this, "", head);
  std::vector<PropertyInitializer> initializers;
  for (skip_lines(); !at_stop(kEnd); skip_lines()) {
    const std::uint32_t start = at_;
    try {
      PropertyInitializer initializer;
      initializer.name = parse_name("of a property, or `end`");
      if (!eat(Keyword::Is) && !eat(TokenKind::Colon)) {
        fail_expected("`is` after the name of the property");
      }
      initializer.value = parse_expression();
      initializers.push_back(initializer);
    } catch (const ParseFailure&) {
      if (at_ == start && !at_end_of_line()) {
        take();
      }
      recover();
    }
  }
  close_block();
  node->initializers = arena_.copy(initializers);
  return close_statement(node, head);
}

const Stmt* Parser::parse_event() {
  const Token word = take();
  auto* node = make_statement<DeclareEventStmt>(word.begin);
  node->event.name = parse_name("for the event");
  return close_statement(node, span_from(word.begin));
}

const Stmt* Parser::parse_trigger() {
  const Token word = take();
  auto* node = make_statement<TriggerStmt>(word.begin);
  node->event = parse_name("of the event to trigger");
  return close_statement(node, span_from(word.begin));
}

const Stmt* Parser::parse_on_event() {
  const Token word = take();
  // `on obj clicked` arrives as one merged name; the last word is the event.
  if (at(TokenKind::Identifier) && count_words(peek().text) > 1 && peek(1).is(TokenKind::EndOfLine)) {
    split(at_, count_words(peek().text) - 1);
  }
  auto* node = make_statement<OnEventStmt>(word.begin);
  node->source = parse_expression();
  node->event = parse_name("of the event");
  return close_statement(node, span_from(word.begin));
}

const Stmt* Parser::parse_parent_call() {
  const Token word = take();
  auto* node = make_statement<ParentCallStmt>(word.begin);
  node->action = parse_name("of the parent's action after `parent`");
  return close_statement(node, span_from(word.begin));
}

}  // namespace wfl::syntax
