// Actions with their overloads, and containers.
#include <algorithm>
#include <string>

#include "wfl/check/analyzer_impl.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

namespace {

bool same_type(const TypeRef* a, const TypeRef* b) {
  const auto kind = [](const TypeRef* t) { return t == nullptr ? TypeKind::Any : t->kind; };
  if (kind(a) != kind(b)) return false;
  return kind(a) != TypeKind::Named || a->name.text == b->name.text;
}

bool is_concrete(const TypeRef* type) {
  return type != nullptr && type->kind != TypeKind::Any && type->kind != TypeKind::Optional;
}

enum class Conflict : std::uint8_t { kNone, kSame, kAmbiguous };

// Two versions of an action can stand side by side if the number of arguments or the type of one of them tells them
// apart.
Conflict conflict(const DefineActionStmt& a, const DefineActionStmt& b) {
  if (a.parameters.size() != b.parameters.size()) return Conflict::kNone;
  bool same = true;
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    const TypeRef* left = a.parameters[i].type;
    const TypeRef* right = b.parameters[i].type;
    if (same_type(left, right)) continue;
    if (is_concrete(left) && is_concrete(right)) return Conflict::kNone;
    same = false;
  }
  return same ? Conflict::kSame : Conflict::kAmbiguous;
}

// Whether a value of this type can be passed for the parameter; what can't be told is accepted.
bool accepts(const Parameter& parameter, const Expr& argument) {
  const ValueType wanted = declared_type(parameter.type);
  const ValueType given = certain_type(argument);
  return wanted == ValueType::kUnknown || given == ValueType::kUnknown || given == ValueType::kNothing ||
         wanted == given;
}

std::string words_of(const TypeRef* type) {
  return type == nullptr || type->name.empty() ? std::string("any") : std::string(type->name.text);
}

}  // namespace

void Analyzer::register_action(const DefineActionStmt& action) {
  if (!registered_.insert(&action).second) return;
  if (scopes_.depth() == 1) {
    for (const Parameter& parameter : action.parameters) {
      std::string_view rest = parameter.name.text;
      while (!rest.empty()) {
        const std::size_t blank = rest.find(' ');
        parameter_words_.emplace(rest.substr(0, blank));
        rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
      }
    }
  }
  const std::string name(action.name.text);
  if (Symbol* known = scopes_.find_here(action.name.text); known != nullptr && known->kind == SymbolKind::kAction) {
    for (const DefineActionStmt* version : known->versions) {
      switch (conflict(*version, action)) {
        case Conflict::kNone:
          continue;
        case Conflict::kSame:
          error("Action '" + name + "' was already defined with the same parameters at line " +
                    std::to_string(line_of(known->span)) +
                    ". Overloads must differ in parameter count or in their declared parameter types (e.g. 'value as "
                    "number' vs 'value as text').",
                action.name.span, "WFL-S006");
          return;
        case Conflict::kAmbiguous:
          error("These two versions of '" + name + "' cannot be told apart when called with " +
                    std::to_string(action.parameters.size()) +
                    " argument(s). Give every same-parameter-count overload distinct parameter types ('as number', 'as "
                    "text', ...), or use different parameter counts.",
                action.name.span, "WFL-S006");
          return;
      }
    }
    known->versions.push_back(&action);
    return;
  }
  // An action in an inner scope may add a version to one outside.
  if (const Symbol* outer = scopes_.find(action.name.text); outer != nullptr && outer->kind == SymbolKind::kAction) {
    Symbol merged = *outer;
    merged.versions.push_back(&action);
    define_or_replace(action.name, std::move(merged));
    return;
  }
  define(action.name,
         {.kind = SymbolKind::kAction, .changeable = false, .maybe_callable = true, .versions = {&action}});
}

void Analyzer::action_body(const DefineActionStmt& action) {
  scopes_.push();
  const std::vector<std::string_view> outer_counts = std::exchange(count_variables_, {});
  // It runs at some other time, when nothing is known of the keystores outside.
  const KeystoreStates::Map outer_keystores = keystores_.now();
  const bool outer_in_action = std::exchange(in_action_, true);
  keystores_.restore({});
  for (const Parameter& parameter : action.parameters) {
    expression(parameter.default_value);
    define_or_replace(parameter.name, {.changeable = false, .maybe_callable = true, .used = true});
  }
  statements(action.body);
  static_cast<void>(keystores_.take_ended());
  keystores_.restore(outer_keystores);
  in_action_ = outer_in_action;
  count_variables_ = outer_counts;
  scopes_.pop();
}

void Analyzer::check_call(const CallExpr& call, const Symbol& symbol) {
  const std::string name(call.name.text);
  const std::size_t given = call.arguments.size();
  std::vector<const DefineActionStmt*> candidates;
  std::vector<std::size_t> counts;
  for (const DefineActionStmt* version : symbol.versions) {
    counts.push_back(version->parameters.size());
    if (version->parameters.size() == given) candidates.push_back(version);
  }
  if (candidates.empty()) {
    std::ranges::sort(counts);
    const auto repeated = std::ranges::unique(counts);
    counts.erase(repeated.begin(), repeated.end());
    std::string wanted;
    for (const std::size_t count : counts) wanted += (wanted.empty() ? "" : " or ") + std::to_string(count);
    const std::string message = call.form == CallForm::Of
                                    ? "Function '" + name + "' expects " + wanted + " arguments, but " +
                                          std::to_string(given) + " were provided"
                                    : "Action '" + name + "' expects " + wanted + " argument(s), but " +
                                          std::to_string(given) + " were provided";
    Diagnostic& diagnostic = error(message, call.span, "WFL-S007");
    for (const DefineActionStmt* version : symbol.versions) {
      diagnostic.notes.push_back("'" + name + "' is defined at line " + std::to_string(line_of(version->name.span)));
    }
    return;
  }
  if (candidates.size() == 1) {
    check_arguments(call, *candidates.front());
    return;
  }
  std::vector<const DefineActionStmt*> fitting;
  for (const DefineActionStmt* version : candidates) {
    bool fits = true;
    for (std::size_t i = 0; i < given; ++i) fits = fits && accepts(version->parameters[i], *call.arguments[i].value);
    if (fits) fitting.push_back(version);
  }
  if (!fitting.empty()) return;
  std::string provided;
  for (const Argument& argument : call.arguments) {
    provided += (provided.empty() ? "" : ", ") + std::string(type_word(certain_type(*argument.value)));
  }
  std::string message =
      "No version of '" + name + "' matches this call.\nYou provided (" + provided + "), but '" + name + "' accepts:";
  for (const DefineActionStmt* version : candidates) {
    message += "\n  " + name;
    bool first = true;
    for (const Parameter& parameter : version->parameters) {
      message += std::string(first ? " with " : " and ") + std::string(parameter.name.text) + " as " +
                 words_of(parameter.type);
      first = false;
    }
  }
  error(message, call.span, "WFL-S008");
}

void Analyzer::check_arguments(const CallExpr& call, const DefineActionStmt& action) {
  const std::string name(call.name.text);
  std::vector<bool> taken(action.parameters.size(), false);
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const Argument& argument = call.arguments[i];
    std::size_t at = i;
    if (argument.label) {
      const auto it = std::ranges::find(action.parameters, argument.label.text,
                                        [](const Parameter& parameter) { return parameter.name.text; });
      if (it == action.parameters.end()) {
        error("Unknown parameter '" + std::string(argument.label.text) + "' for action '" + name + "'",
              argument.label.span, "WFL-S009");
        continue;
      }
      at = static_cast<std::size_t>(it - action.parameters.begin());
    }
    const Parameter& parameter = action.parameters[at];
    if (taken[at]) {
      error("Duplicate argument for parameter '" + std::string(parameter.name.text) + "' in action '" + name + "'",
            argument.value->span, "WFL-S009");
      continue;
    }
    taken[at] = true;
    if (!accepts(parameter, *argument.value)) {
      error("Argument '" + std::string(parameter.name.text) + "' of action '" + name + "' expects " +
                std::string(type_word(declared_type(parameter.type))) + ", but got " +
                std::string(type_word(certain_type(*argument.value))),
            argument.value->span, "WFL-S010");
    }
  }
}

// Containers are known in the whole text, so that a property of a parent defined further down is found.
void Analyzer::collect(const StmtList& list) {
  for (const Stmt* stmt : list) {
    if (const auto* definition = try_as<DefineContainerStmt>(stmt))
      containers_.emplace(definition->name.text, definition);
  }
}

bool Analyzer::is_container_property(std::string_view name) const {
  if (container_ == nullptr) return false;
  if (name == "this") return true;
  const DefineContainerStmt* at = container_;
  for (std::size_t steps = 0; at != nullptr && steps <= containers_.size(); ++steps) {
    for (const PropertyDefinition& property : at->properties) {
      if (property.name.text == name) return true;
    }
    for (const EventDeclaration& event : at->events) {
      if (event.name.text == name) return true;
    }
    if (at->parent.empty()) return false;
    const auto parent = containers_.find(at->parent.text);
    if (parent == containers_.end()) return true;  // The parent comes from elsewhere: it may have anything.
    at = parent->second;
  }
  return false;
}

void Analyzer::container(const DefineContainerStmt& definition) {
  containers_.emplace(definition.name.text, &definition);
  if (scopes_.find(definition.name.text) == nullptr) {
    define(definition.name, {.kind = SymbolKind::kContainer, .changeable = false});
  }
  for (const PropertyDefinition& property : definition.properties) {
    note_binding(property.name.text, ValueType::kUnknown);
    expression(property.default_value);
  }
  const DefineContainerStmt* outer = std::exchange(container_, &definition);
  for (const DefineActionStmt* action : definition.actions) action_body(*action);
  container_ = outer;
}

void Analyzer::check_inheritance() {
  std::set<std::string_view> reported;
  for (const auto& [name, definition] : containers_) {
    std::vector<std::string_view> path = {name};
    const DefineContainerStmt* at = definition;
    while (!at->parent.empty()) {
      const auto parent = containers_.find(at->parent.text);
      if (parent == containers_.end()) break;
      const bool seen = std::ranges::find(path, at->parent.text) != path.end();
      path.push_back(at->parent.text);
      if (seen) {
        // A circle this container only leads to is reported for those that are in it.
        if (path.front() != path.back() || reported.contains(name)) break;
        std::string chain;
        for (const std::string_view step : path) {
          chain += (chain.empty() ? "" : " -> ") + std::string(step);
          reported.insert(step);
        }
        error("Cyclic container inheritance detected: " + chain, definition->head, "WFL-S011");
        break;
      }
      at = parent->second;
    }
  }
}

}  // namespace wfl::check
