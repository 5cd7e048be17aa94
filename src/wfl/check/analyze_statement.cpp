// Statements of the core language and their scopes.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "wfl/check/analyzer_impl.h"
#include "wfl/language/builtins.h"
#include "wfl/syntax/habit_hints.h"
#include "wfl/syntax/keystore_hints.h"
#include "wfl/syntax/suggest.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

void Analyzer::statements(const Block& block) {
  list_of_statements(block.statements);
}

void Analyzer::list_of_statements(const StmtList& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    statement(*list[i]);
    const auto* expression = try_as<ExpressionStmt>(list[i]);
    if (expression == nullptr) continue;
    first_word(*expression->value);
    if (i + 1 < list.size() && line_of(list[i]->span) == line_of(list[i + 1]->span)) {
      idle_expression(*expression->value, *list[i + 1]);
    }
  }
}

// A statement that begins with an unknown name was probably to begin with another word.
void Analyzer::first_word(const Expr& value) {
  for (std::vector<Diagnostic>* list : {&errors_, &warnings_}) {
    const auto found = std::find_if(list->rbegin(), list->rend(), [&value](const Diagnostic& diagnostic) {
      return diagnostic.span.begin <= value.span.begin;
    });
    if (found == list->rend() || found->span.begin != value.span.begin || found->code != "WFL-S002") continue;
    static constexpr auto kVerbs = std::to_array<std::string_view>(
        {"display", "store", "create", "change", "check", "count", "repeat", "define", "call", "return", "add",
         "remove", "open", "close", "write", "wait", "include", "execute", "otherwise"});
    const std::string_view text = source_->text().substr(value.span.begin, value.span.end - value.span.begin);
    const std::string_view line = source_->line_text(line_of(value.span));
    if (auto form = keystore_hint(line)) {
      found->hints = {std::move(*form)};
    } else if (auto habit = habit_hint(line)) {
      found->hints = {std::move(*habit)};
    } else if (const auto meant = closest(text.substr(0, text.find(' ')), kVerbs); meant && found->hints.empty()) {
      found->hints = {"Did you mean `" + std::string(*meant) + "`?"};
    }
  }
}

// `greet("Ada")` and `print "hello"` are two statements, a name and a text, and neither does anything.
void Analyzer::idle_expression(const Expr& value, const Stmt& next) {
  const auto* variable = try_as<VariableExpr>(&value);
  const auto* argument = try_as<ExpressionStmt>(&next);
  if (variable == nullptr || argument == nullptr) return;
  const std::string name(variable->name);
  const Symbol* symbol = scopes_.find(variable->name);
  bool takes_arguments = false;
  if (symbol != nullptr && symbol->kind == SymbolKind::kAction) {
    takes_arguments =
        std::ranges::none_of(symbol->versions, [](const DefineActionStmt* v) { return v->parameters.empty(); });
  } else if (symbol == nullptr) {
    const language::Builtin* builtin = language::find_builtin(variable->name);
    takes_arguments = builtin != nullptr && !language::is_called_bare(*builtin);
  }
  if (!takes_arguments) return;
  Diagnostic& diagnostic = warning("'" + name + "' is not called here", join(value.span, next.span), "WFL-S108");
  diagnostic.label = "this does nothing";
  const SourceSpan span = argument->value->span;
  std::string given(source_->text().substr(span.begin, span.end - span.begin));
  if (given.size() > 40 || given.find('\n') != std::string::npos) given = "VALUE";
  diagnostic.hints.push_back(name == "print" ? "Write `display " + given + "`."
                                             : "Write `call " + name + " with " + given + "`.");
}

void Analyzer::scoped_block(const Block& block) {
  scopes_.push();
  statements(block);
  scopes_.pop();
}

// Runs the bodies side by side, each in a scope of its own. A name that all of them bind is visible behind them, if one
// of them is sure to run.
void Analyzer::branches(const std::vector<std::function<void()>>& bodies, bool exhaustive) {
  std::vector<Scope> ends;
  const KeystoreStates::Map entry = keystores_.now();
  std::optional<KeystoreStates::Map> met;
  if (!exhaustive) met = entry;
  for (const auto& body : bodies) {
    scopes_.push();
    keystores_.restore(entry);
    body();
    if (!keystores_.take_ended()) met = met ? KeystoreStates::meet(*met, keystores_.now()) : keystores_.now();
    ends.push_back(scopes_.pop());
  }
  if (met) {
    keystores_.restore(std::move(*met));
  } else {
    keystores_.end_way();
  }
  if (!exhaustive || ends.empty()) return;
  for (auto& [name, symbol] : ends.front()) {
    if (scopes_.find(name) != nullptr) continue;
    Symbol merged = symbol;
    bool everywhere = true;
    for (std::size_t i = 1; i < ends.size() && everywhere; ++i) {
      const auto other = ends[i].find(name);
      everywhere = other != ends[i].end();
      if (!everywhere) break;
      merged.constant = merged.constant || other->second.constant;
      merged.changeable = merged.changeable && other->second.changeable;
      merged.maybe_callable = merged.maybe_callable || other->second.maybe_callable;
    }
    if (everywhere) scopes_.set(name, std::move(merged));
  }
}

// A body that runs any number of times.
void Analyzer::loop_body(const std::function<void()>& body) {
  const std::size_t mark = keystores_.mark();
  body();
  if (!keystores_.take_ended()) {
    for (const auto& [name, state] : keystores_.now()) {
      if (!state.closed || !keystores_.needed_since(mark, name)) continue;
      const std::string words(name);
      later([this, words, name, place = state.place, in_action = in_action_] {
        if (!in_action && set_in_actions_.contains(name)) return;
        Diagnostic& diagnostic =
            warning("The keystore '" + words + "' is closed in a loop that needs it again in its next round", place,
                    "WFL-S106");
        diagnostic.hints.push_back("Close it behind the loop.");
      });
    }
  }
  keystores_.forget_since(mark);
}

void Analyzer::statement(const Stmt& stmt) {
  if (io_statement(stmt) || web_statement(stmt) || keystore_statement(stmt)) return;
  switch (stmt.kind) {
    case StmtKind::Store:
    case StmtKind::Change:
    case StmtKind::Arithmetic:
    case StmtKind::AddTo:
    case StmtKind::CreateList:
    case StmtKind::CreateMap:
    case StmtKind::CreateDate:
    case StmtKind::CreateTime:
    case StmtKind::Push:
    case StmtKind::RemoveFrom:
    case StmtKind::Clear:
    case StmtKind::Display:
    case StmtKind::Return:
    case StmtKind::Expression:
      return variable_statement(stmt);
    case StmtKind::DefineAction:
    case StmtKind::DefineContainer:
    case StmtKind::DefineInterface:
    case StmtKind::CreateInstance:
    case StmtKind::DeclareEvent:
    case StmtKind::Trigger:
    case StmtKind::OnEvent:
    case StmtKind::ParentCall:
    case StmtKind::DefinePattern:
    case StmtKind::Include:
    case StmtKind::LoadModule:
    case StmtKind::Export:
      return definition_statement(stmt);
    case StmtKind::Describe:
    case StmtKind::Test:
    case StmtKind::Expect:
      return test_statement(stmt);
    default:
      return control_statement(stmt);
  }
}

void Analyzer::store_statement(const StoreStmt& store) {
  expression(store.value);
  if (container_ != nullptr && is_container_property(store.name.text)) return;
  Symbol symbol{.changeable = !store.is_constant, .constant = store.is_constant};
  // Only a literal is sure to be no action.
  const ValueType type = certain_type(*store.value);
  symbol.maybe_callable = type == ValueType::kUnknown;
  if (const auto* variable = try_as<VariableExpr>(store.value)) {
    const Symbol* source = scopes_.find(variable->name);
    symbol.maybe_callable = source == nullptr || source->maybe_callable;
  }
  symbol.type = type;
  if (in_action_ && container_ == nullptr && scopes_.find(store.name.text) == nullptr) {
    later([this, name = store.name] {
      const Symbol* outer = scopes_.find(name.text);
      if (outer == nullptr || !outer->known_place || outer->replaceable || outer->kind != SymbolKind::kVariable) return;
      const std::string words(name.text);
      Diagnostic& diagnostic = warning("'" + words + "' in this action and '" + words + "' in line " +
                                           std::to_string(line_of(outer->span)) + " are one variable",
                                       name.span, "WFL-S109");
      diagnostic.label =
          "this changes the other one when the action runs after line " + std::to_string(line_of(outer->span));
      diagnostic.hints.push_back("Give one of them another name.");
    });
  }
  // Inside `try` a value is often made only to see whether it can be made, and a change of a database always has a
  // name.
  const auto* query = try_as<DatabaseQueryExpr>(store.value);
  const bool made_for_its_effect = try_depth_ > 0 || (query != nullptr && !query->returns_rows);
  if (!made_for_its_effect) declarations_.emplace_back(store.name.text, store.name.span);
  define(store.name, std::move(symbol));
}

// The target of `change` and of arithmetic.
void Analyzer::change_target(const Name& name) {
  mark_used(name.text);
  Symbol* symbol = scopes_.find(name.text);
  if (symbol == nullptr) {
    if (is_container_property(name.text) || name.text.starts_with("flag_")) return;
    unknown_name("Variable '" + std::string(name.text) + "' is not defined", name.text, name.span, false);
    return;
  }
  if (symbol->kind == SymbolKind::kAction) {
    error("'" + std::string(name.text) + "' is not a variable", name.span, "WFL-S004");
  } else if (!symbol->changeable) {
    Diagnostic& diagnostic =
        error("Cannot modify constant '" + std::string(name.text) + "' - constants are immutable once defined",
              name.span, "WFL-S005");
    if (!symbol->constant) {
      diagnostic.notes.push_back("Parameters, loop variables and the names a program starts with keep their value.");
      diagnostic.hints.push_back("Store it under another name first, and change that one.");
    }
  }
}

// The target of `add`, `remove` and `clear`, which change what a variable holds.
void Analyzer::collection_target(const Name& name) {
  mark_used(name.text);
  const Symbol* symbol = scopes_.find(name.text);
  if (symbol == nullptr) {
    if (is_known(name.text)) return;
    const std::uint32_t depth = std::exchange(try_depth_, 0);
    unknown_name("Variable '" + std::string(name.text) + "' is not defined", name.text, name.span, false);
    try_depth_ = depth;
    return;
  }
  if (symbol->constant) {
    error("Cannot modify constant '" + std::string(name.text) + "' - constants are immutable once defined", name.span,
          "WFL-S005");
  }
}

void Analyzer::variable_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Store:
      return store_statement(as<StoreStmt>(stmt));
    case StmtKind::Change: {
      const auto& change = as<ChangeStmt>(stmt);
      change_target(change.name);
      expression(change.value);
      note_binding(change.name.text, certain_type(*change.value));
      if (Symbol* symbol = scopes_.find(change.name.text)) {
        symbol->maybe_callable = symbol->maybe_callable || certain_type(*change.value) == ValueType::kUnknown;
        if (symbol->type != certain_type(*change.value)) symbol->type = ValueType::kUnknown;
      }
      return;
    }
    case StmtKind::Arithmetic: {
      const auto& arithmetic = as<ArithmeticStmt>(stmt);
      change_target(arithmetic.name);
      expression(arithmetic.value);
      later([this, &arithmetic] {
        VariableExpr target(arithmetic.name.span);
        target.name = arithmetic.name.text;
        types_.check_number(&target, "This statement changes a number");
        types_.check_number(arithmetic.value, "This statement calculates");
      });
      return;
    }
    case StmtKind::AddTo: {
      const auto& add = as<AddToStmt>(stmt);
      expression(add.value);
      later([this, &add] { types_.check_changed(add.name, TypeChecker::Change::kAdd, add.value); });
      return collection_target(add.name);
    }
    case StmtKind::CreateList: {
      const auto& create = as<CreateListStmt>(stmt);
      expressions(create.items);
      declarations_.emplace_back(create.name.text, create.name.span);
      return define(create.name, {.type = ValueType::kList});
    }
    case StmtKind::CreateMap: {
      const auto& create = as<CreateMapStmt>(stmt);
      for (const MapEntry& entry : create.entries) expression(entry.value);
      declarations_.emplace_back(create.name.text, create.name.span);
      return define(create.name, {.type = ValueType::kMap});
    }
    case StmtKind::CreateDate: {
      const auto& create = as<CreateDateStmt>(stmt);
      expression(create.value);
      return define(create.name);
    }
    case StmtKind::CreateTime: {
      const auto& create = as<CreateTimeStmt>(stmt);
      expression(create.value);
      return define(create.name);
    }
    case StmtKind::Push: {
      const auto& push = as<PushStmt>(stmt);
      expression(push.list);
      expression(push.value);
      // What the list is part of must be no constant.
      const Expr* root = push.list;
      while (root != nullptr && root->kind != ExprKind::Variable) {
        if (const auto* index = try_as<IndexExpr>(root)) {
          root = index->collection;
        } else if (const auto* property = try_as<PropertyExpr>(root)) {
          root = property->object;
        } else {
          root = nullptr;
        }
      }
      if (root != nullptr) {
        const Symbol* symbol = scopes_.find(as<VariableExpr>(*root).name);
        if (symbol != nullptr && symbol->constant) {
          error("Cannot modify constant '" + std::string(as<VariableExpr>(*root).name) +
                    "' - constants are immutable once defined",
                root->span, "WFL-S005");
        }
      }
      return;
    }
    case StmtKind::RemoveFrom: {
      const auto& remove = as<RemoveFromStmt>(stmt);
      expression(remove.value);
      later([this, &remove] { types_.check_changed(remove.name, TypeChecker::Change::kRemove, remove.value); });
      return collection_target(remove.name);
    }
    case StmtKind::Clear:
      later([this, &stmt] { types_.check_changed(as<ClearStmt>(stmt).name, TypeChecker::Change::kClear, nullptr); });
      return collection_target(as<ClearStmt>(stmt).name);
    case StmtKind::Display:
      return expressions(as<DisplayStmt>(stmt).values);
    case StmtKind::Return:
      expression(as<ReturnStmt>(stmt).value);
      return keystores_.end_way();
    default:
      return expression(as<ExpressionStmt>(stmt).value);
  }
}

void Analyzer::control_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::If: {
      const auto& check = as<IfStmt>(stmt);
      for (const IfBranch& branch : check.branches) expression(branch.condition);
      std::vector<std::function<void()>> bodies;
      for (const IfBranch& branch : check.branches) bodies.push_back([&] { statements(branch.body); });
      if (check.has_otherwise) bodies.push_back([&] { statements(check.otherwise); });
      return branches(bodies, check.has_otherwise);
    }
    case StmtKind::Route: {
      const auto& route = as<RouteStmt>(stmt);
      expression(route.subject);
      for (const RouteArm& arm : route.arms) expressions(arm.values);
      std::vector<std::function<void()>> bodies;
      for (const RouteArm& arm : route.arms) bodies.push_back([&] { statements(arm.body); });
      if (route.has_otherwise) bodies.push_back([&] { statements(route.otherwise); });
      return branches(bodies, route.has_otherwise);
    }
    case StmtKind::ForEach: {
      const auto& loop = as<ForEachStmt>(stmt);
      expression(loop.collection);
      key_range(loop.range);
      later([this, &loop] { types_.check_iterable(*loop.collection); });
      use_keystore(loop.collection);
      scopes_.push();
      loop_body([&] {
        define(loop.item, {.changeable = false, .maybe_callable = true, .used = true});
        statements(loop.body);
      });
      scopes_.pop();
      return;
    }
    case StmtKind::Count: {
      const auto& loop = as<CountStmt>(stmt);
      expression(loop.from);
      expression(loop.to);
      expression(loop.step);
      const std::string_view variable = loop.variable ? loop.variable.text : std::string_view("count");
      if (std::ranges::find(count_variables_, variable) != count_variables_.end()) {
        error("Nested count loops both use the loop variable '" + std::string(variable) +
                  "'. Give the loops distinct names with 'count from X to Y as <name>:'.",
              loop.head, "WFL-S012");
      }
      later([this, &loop] {
        for (const Expr* bound : {loop.from, loop.to, loop.step}) {
          types_.check_number(bound, "Cannot count with this value");
        }
      });
      scopes_.push();
      note_binding(variable, ValueType::kNumber);
      scopes_.set(variable, {.span = loop.head, .changeable = false, .used = true});
      count_variables_.push_back(variable);
      loop_body([&] { statements(loop.body); });
      count_variables_.pop_back();
      scopes_.pop();
      return;
    }
    case StmtKind::RepeatWhile: {
      const auto& loop = as<RepeatWhileStmt>(stmt);
      expression(loop.condition);
      return softened([&] { loop_body([&] { scoped_block(loop.body); }); });
    }
    case StmtKind::RepeatUntil: {
      const auto& loop = as<RepeatUntilStmt>(stmt);
      scopes_.push();
      softened([&] { loop_body([&] { statements(loop.body); }); });
      expression(loop.condition);
      scopes_.pop();
      return;
    }
    case StmtKind::Forever:
      return softened([&] { loop_body([&] { scoped_block(as<ForeverStmt>(stmt).body); }); });
    case StmtKind::MainLoop: {
      const auto& loop = as<MainLoopStmt>(stmt);
      if (loop.concurrent &&
          (loop.body.statements.empty() || loop.body.statements.front()->kind != StmtKind::WaitRequest)) {
        error(
            "A `main loop concurrently:` body must begin with `wait for request ...`. Concurrent handlers start before "
            "any "
            "request arrives, so statements before the first `wait for request` run once per handler slot. Move that "
            "setup "
            "above the loop, or make `wait for request` the first statement in the loop.",
            loop.head, "WFL-S013");
      }
      return softened([&] { loop_body([&] { scoped_block(loop.body); }); });
    }
    case StmtKind::Try:
      return try_statement(as<TryStmt>(stmt));
    default:  // break, continue, exit.
      return keystores_.end_way();
  }
}

// The body's names are visible in `finally` when all ways there bind them; handlers see none of them, because the body
// may have stopped before it bound anything.
void Analyzer::try_statement(const TryStmt& stmt) {
  scopes_.push();
  std::vector<std::function<void()>> ways;
  const std::size_t mark = keystores_.mark();
  ways.push_back([&] {
    ++try_depth_;
    statements(stmt.body);
    --try_depth_;
  });
  bool catches_all = stmt.has_otherwise;
  for (const Handler& handler : stmt.handlers) {
    catches_all = catches_all || handler.kind == HandlerKind::Any;
    ways.push_back([&] {
      keystores_.forget_since(mark);  // The body may have stopped anywhere.
      // The message's names live for the handler alone; what else it binds lives as long as the whole statement.
      const Name message_name{.text = "error_message", .span = handler.head};
      const Name own_name = handler.variable ? handler.variable : Name{.text = "error", .span = handler.head};
      define_or_replace(own_name, {.changeable = false, .used = true});
      define_or_replace(message_name, {.changeable = false, .used = true});
      statements(handler.body);
      scopes_.current().erase(own_name.text);
      scopes_.current().erase(message_name.text);
    });
  }
  if (stmt.has_otherwise) {
    ways.push_back([&] {
      keystores_.forget_since(mark);
      statements(stmt.otherwise);
    });
  }
  branches(ways, catches_all);
  if (stmt.has_finally) {
    keystores_.forget_since(mark);
    statements(stmt.finally);
  }
  scopes_.pop();
}

void Analyzer::pattern(const syntax::Pattern& node) {
  if (node.kind == syntax::PatternKind::ListName) {
    mark_used(node.text);
    if (scopes_.find(node.text) == nullptr && !parameter_words_.contains(node.text) &&
        !is_container_property(node.text)) {
      error("Undefined list reference '" + std::string(node.text) + "' in pattern", node.span, "WFL-S014").hints =
          suggestion(node.text, false);
    }
  }
  for (const syntax::Pattern* child : node.children) pattern(*child);
}

void Analyzer::definition_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::DefineAction: {
      const auto& action = as<DefineActionStmt>(stmt);
      register_action(action);
      return action_body(action);
    }
    case StmtKind::DefineContainer:
      return container(as<DefineContainerStmt>(stmt));
    case StmtKind::DefineInterface: {
      const auto& definition = as<DefineInterfaceStmt>(stmt);
      if (scopes_.find(definition.name.text) == nullptr) {
        define(definition.name, {.kind = SymbolKind::kContainer, .changeable = false});
      }
      return;
    }
    case StmtKind::CreateInstance: {
      const auto& create = as<CreateInstanceStmt>(stmt);
      for (const Argument& argument : create.arguments) expression(argument.value);
      for (const PropertyInitializer& property : create.initializers) expression(property.value);
      mark_used(create.container.text);
      return define(create.name);
    }
    case StmtKind::DeclareEvent: {
      const auto& declare = as<DeclareEventStmt>(stmt);
      return define(declare.event.name, {.kind = SymbolKind::kOther, .used = true});
    }
    case StmtKind::Trigger:
      for (const Argument& argument : as<TriggerStmt>(stmt).arguments) expression(argument.value);
      return;
    case StmtKind::OnEvent:
      return expression(as<OnEventStmt>(stmt).source);
    case StmtKind::ParentCall:
      for (const Argument& argument : as<ParentCallStmt>(stmt).arguments) expression(argument.value);
      return;
    case StmtKind::DefinePattern: {
      const auto& definition = as<DefinePatternStmt>(stmt);
      if (definition.pattern != nullptr) pattern(*definition.pattern);
      declarations_.emplace_back(definition.name.text, definition.name.span);
      return define(definition.name, {.type = ValueType::kPattern});
    }
    case StmtKind::Include:
      return expression(as<IncludeStmt>(stmt).path);
    case StmtKind::LoadModule:
      return expression(as<LoadModuleStmt>(stmt).path);
    default:
      mark_used(as<ExportStmt>(stmt).name.text);
      return;
  }
}

void Analyzer::test_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::Describe: {
      const auto& describe = as<DescribeStmt>(stmt);
      scopes_.push();
      if (describe.has_setup) statements(describe.setup);
      for (const Stmt* test : describe.tests) statement(*test);
      if (describe.has_teardown) statements(describe.teardown);
      scopes_.pop();
      return;
    }
    case StmtKind::Test:
      return scoped_block(as<TestStmt>(stmt).body);
    default:
      expression(as<ExpectStmt>(stmt).subject);
      return expression(as<ExpectStmt>(stmt).operand);
  }
}

}  // namespace wfl::check
