// Actions, containers, interfaces, patterns, and the test framework.
#include "wfl/compile/compiler_impl.h"
#include "wfl/vm/pattern.h"

namespace wfl::compile {

using namespace syntax;  // The code names nearly every statement node.
using vm::IntrinsicId;

namespace {

vm::ParameterInfo parameter_info(const Parameter& parameter) {
  vm::ParameterInfo info;
  info.name = std::string(parameter.name.text);
  if (parameter.type == nullptr) return info;
  info.type_name = std::string(parameter.type->name.text);
  switch (parameter.type->kind) {
    case TypeKind::Text:
      info.type = vm::ParameterType::kText;
      break;
    case TypeKind::Number:
      info.type = vm::ParameterType::kNumber;
      break;
    case TypeKind::Boolean:
      info.type = vm::ParameterType::kBoolean;
      break;
    case TypeKind::Nothing:
      info.type = vm::ParameterType::kNothing;
      break;
    case TypeKind::Pattern:
      info.type = vm::ParameterType::kPattern;
      break;
    case TypeKind::Date:
      info.type = vm::ParameterType::kDate;
      break;
    case TypeKind::Time:
      info.type = vm::ParameterType::kTime;
      break;
    case TypeKind::DateTime:
      info.type = vm::ParameterType::kDateTime;
      break;
    case TypeKind::Binary:
      info.type = vm::ParameterType::kBinary;
      break;
    case TypeKind::List:
      info.type = vm::ParameterType::kList;
      break;
    case TypeKind::Map:
      info.type = vm::ParameterType::kMap;
      break;
    case TypeKind::Named:
      info.type = vm::ParameterType::kContainer;
      break;
    case TypeKind::Any:
    case TypeKind::Optional:
      break;
  }
  return info;
}

}  // namespace

void Compiler::begin_function(FunctionState& state) {
  state.outer = f_;
  state.proto->module = &module_;
  f_ = &state;
}

std::unique_ptr<vm::FunctionProto> Compiler::end_function() {
  std::unique_ptr<vm::FunctionProto> proto = std::move(f_->proto);
  f_ = f_->outer;
  return proto;
}

// Compiles the body of an action into a function of the current one; returns its number.
std::uint32_t Compiler::function(std::string_view name, std::span<const Parameter> parameters, const StmtList& body,
                                 SourceSpan span, const DefineContainerStmt* container) {
  FunctionState state;
  state.proto->name = std::string(name);
  state.proto->span = {span.file, span.begin, span.end};
  state.span = state.proto->span;
  state.container = container;
  if (container != nullptr) state.proto->container = std::string(container->name.text);
  add_inner_function_words(body, program_.source->text(), state.inner_words);
  state.has_inner = !state.inner_words.empty();
  begin_function(state);
  push_scope(nullptr);
  for (const Parameter& parameter : parameters) {
    state.proto->parameters.push_back(parameter_info(parameter));
    take();
  }
  state.scopes.back().reserved = mark();
  for (std::size_t i = 0; i < parameters.size(); ++i) bind_register(parameters[i].name.text, static_cast<Register>(i));
  // The body may store over its parameters: they live in the same scope.
  Scope parameter_scope = std::move(state.scopes.back());
  state.scopes.pop_back();
  push_scope(nullptr);
  state.scopes.back().names = std::move(parameter_scope.names);
  state.scopes.back().reserved = parameter_scope.reserved;
  state.scopes.back().first_register = 0;
  for (const Binding& binding : bindings_of(body)) {
    if (!binding.conditional && !is_shared(binding.name)) continue;
    if (state.scopes.back().names.contains(binding.name)) continue;
    declare(binding.name, true);
  }
  state.result_register = take();
  state.scopes.back().reserved = mark();
  load(static_cast<Register>(state.result_register), kNull);
  statements(body, true);
  emit(Op::kReturn, static_cast<std::uint32_t>(state.result_register));
  f_->proto->functions.shrink_to_fit();
  std::unique_ptr<vm::FunctionProto> proto = end_function();
  f_->proto->functions.push_back(std::move(proto));
  return static_cast<std::uint32_t>(f_->proto->functions.size() - 1);
}

void Compiler::define_action(const DefineActionStmt& stmt) {
  const bool root = f_->is_main && f_->scopes.size() == 1;
  // In an inner scope the name exists before its body is compiled, so that the action can call itself.
  if (!root) {
    Variable* variable = own(stmt.name.text);
    const bool merged = variable->definite;
    const std::uint32_t index = [&] {
      make_definite(variable);
      return function(stmt.name.text, stmt.parameters, stmt.body.statements, stmt.span, nullptr);
    }();
    const Register made = take();
    emit(Op::kClosure, made, short_constant(index));
    if (merged) {
      const Register old = take();
      read_raw(stmt.name.text, old);
      emit(Op::kMergeAction, old, made);
      emit(Op::kMove, made, old);
    }
    define_name(stmt.name.text, made);
    return;
  }
  const std::uint32_t index = function(stmt.name.text, stmt.parameters, stmt.body.statements, stmt.span, nullptr);
  const Register made = take();
  emit(Op::kClosure, made, short_constant(index));
  Variable* variable = own(stmt.name.text);
  emit(Op::kDefineAction, made, variable->global);
}

void Compiler::define_container(const DefineContainerStmt& stmt) {
  vm::ContainerSpec spec;
  spec.name = std::string(stmt.name.text);
  spec.parent = std::string(stmt.parent.text);
  for (const Name& name : stmt.interfaces) spec.interfaces.emplace_back(name.text);
  for (const EventDeclaration& event : stmt.events) spec.events.emplace_back(event.name.text);
  bool defaults = false;
  for (const PropertyDefinition& property : stmt.properties) {
    if (property.is_static) continue;
    spec.properties.push_back({std::string(property.name.text), property.default_value != nullptr});
    defaults = defaults || property.default_value != nullptr;
  }
  for (const DefineActionStmt* action : stmt.actions) {
    const std::uint32_t index =
        function(action->name.text, action->parameters, action->body.statements, action->span, &stmt);
    spec.methods.push_back({std::string(action->name.text), index, action->is_static});
  }
  if (defaults) {
    FunctionState state;
    state.proto->name = "the defaults of " + spec.name;
    state.proto->container = spec.name;
    state.span = f_->span;
    state.proto->span = f_->span;
    begin_function(state);
    push_scope(nullptr);
    for (const PropertyDefinition& property : stmt.properties) {
      if (property.is_static || property.default_value == nullptr) continue;
      const std::uint32_t before = mark();
      const Register self = take();
      emit(Op::kGetSelf, self);
      const Register value = expression(*property.default_value);
      emit(Op::kSetProperty, self, short_constant(text_constant(property.name.text)), value);
      release_to(before);
    }
    emit(Op::kReturnNull);
    std::unique_ptr<vm::FunctionProto> proto = end_function();
    spec.defaults = static_cast<std::int32_t>(f_->proto->functions.size());
    f_->proto->functions.push_back(std::move(proto));
  }
  const Register container = take();
  load_number(container, static_cast<double>(f_->proto->containers.size()));
  f_->proto->containers.push_back(std::move(spec));
  intrinsic(IntrinsicId::kDefineContainer, container, 1);
  for (const PropertyDefinition& property : stmt.properties) {
    if (!property.is_static) continue;
    Register value = take();
    if (property.default_value != nullptr) {
      expression(*property.default_value, value);
    } else {
      load(value, kNull);
    }
    emit(Op::kSetProperty, container, short_constant(text_constant(property.name.text)), value);
    release_to(container + 1U);
  }
  emit(Op::kSetGlobal, container, module_.slot(stmt.name.text));
}

void Compiler::define_interface(const DefineInterfaceStmt& stmt) {
  vm::InterfaceSpec spec;
  spec.name = std::string(stmt.name.text);
  for (const Name& parent : stmt.parents) spec.parents.emplace_back(parent.text);
  for (const RequiredAction& action : stmt.actions) {
    spec.requirements.push_back({std::string(action.name.text), static_cast<std::uint32_t>(action.parameters.size())});
  }
  const Register interface = take();
  load_number(interface, static_cast<double>(f_->proto->interfaces.size()));
  f_->proto->interfaces.push_back(std::move(spec));
  intrinsic(IntrinsicId::kDefineInterface, interface, 1);
  emit(Op::kSetGlobal, interface, module_.slot(stmt.name.text));
}

void Compiler::create_instance(const CreateInstanceStmt& stmt) {
  const Register instance = take();
  const vm::CodeSpan place = at(stmt.container.span);
  read_name(stmt.container.text, instance);
  load_text(take(), stmt.container.text);
  intrinsic(IntrinsicId::kNewInstance, instance, 2);
  at(place);
  for (const PropertyInitializer& initializer : stmt.initializers) {
    release_to(instance + 1U);
    const Register value = expression(*initializer.value);
    emit(Op::kSetProperty, instance, short_constant(text_constant(initializer.name.text)), value);
  }
  release_to(instance + 1U);
  define_name(stmt.name.text, instance);
}

namespace {

std::unique_ptr<vm::PatternNode> lower(const Pattern& pattern, std::vector<std::string_view>& lists) {
  auto node = std::make_unique<vm::PatternNode>();
  node->text = std::string(pattern.text);
  node->min = pattern.min;
  node->max = pattern.max;
  node->negated = pattern.negated;
  switch (pattern.kind) {
    case PatternKind::Literal:
      node->kind = vm::PatternKind::kLiteral;
      break;
    case PatternKind::Letter:
      node->kind = vm::PatternKind::kLetter;
      break;
    case PatternKind::Digit:
      node->kind = vm::PatternKind::kDigit;
      break;
    case PatternKind::Whitespace:
      node->kind = vm::PatternKind::kWhitespace;
      break;
    case PatternKind::AnyCharacter:
      node->kind = vm::PatternKind::kAnyCharacter;
      break;
    case PatternKind::UnicodeCategory:
      node->kind = vm::PatternKind::kUnicodeCategory;
      break;
    case PatternKind::UnicodeScript:
      node->kind = vm::PatternKind::kUnicodeScript;
      break;
    case PatternKind::UnicodeProperty:
      node->kind = vm::PatternKind::kUnicodeProperty;
      break;
    case PatternKind::Sequence:
      node->kind = vm::PatternKind::kSequence;
      break;
    case PatternKind::Alternative:
      node->kind = vm::PatternKind::kAlternatives;
      break;
    case PatternKind::Repeat:
      node->kind = vm::PatternKind::kRepeat;
      break;
    case PatternKind::Capture:
      node->kind = vm::PatternKind::kCapture;
      break;
    case PatternKind::SameAsCaptured:
      node->kind = vm::PatternKind::kBackReference;
      break;
    case PatternKind::StartOfText:
      node->kind = vm::PatternKind::kStartOfText;
      break;
    case PatternKind::Ahead:
      node->kind = vm::PatternKind::kLookAhead;
      break;
    case PatternKind::Behind:
      node->kind = vm::PatternKind::kLookBehind;
      break;
    case PatternKind::ListName:
      node->kind = vm::PatternKind::kListReference;
      node->reference = static_cast<std::uint32_t>(lists.size());
      lists.push_back(pattern.text);
      break;
  }
  for (const Pattern* child : pattern.children) node->children.push_back(lower(*child, lists));
  return node;
}

}  // namespace

void Compiler::define_pattern(const DefinePatternStmt& stmt) {
  std::vector<std::string_view> lists;
  std::shared_ptr<const vm::PatternNode> description = lower(*stmt.pattern, lists);
  HostCall host(*this, "pattern.compile");
  const Register pattern = take();
  load_number(pattern, static_cast<double>(f_->proto->patterns.size()));
  f_->proto->patterns.push_back(std::move(description));
  load_text(take(), stmt.name.text);
  intrinsic(IntrinsicId::kNewPattern, pattern, 2);
  release_to(pattern + 1U);
  const Register references = take();
  for (const std::string_view name : lists) read_name(name, take());
  emit(Op::kNewList, references, references + 1U, static_cast<std::uint32_t>(lists.size()));
  release_to(references + 1U);
  define_name(stmt.name.text, host.run());
}

void Compiler::describe(const DescribeStmt& stmt) {
  const Register title = take();
  load_text(title, stmt.title);
  intrinsic(IntrinsicId::kDescribeBegin, title, 1);
  release_to(title);
  std::vector<const Stmt*> all(stmt.setup.statements.begin(), stmt.setup.statements.end());
  all.insert(all.end(), stmt.teardown.statements.begin(), stmt.teardown.statements.end());
  const StmtList whole(all.data(), all.size());
  push_scope(&whole);
  f_->scopes.back().reserved = mark();
  statements(stmt.setup.statements, false);
  statements(stmt.tests, false);
  statements(stmt.teardown.statements, false);
  pop_scope();
  intrinsic(IntrinsicId::kDescribeEnd, take(), 1);
}

void Compiler::test(const TestStmt& stmt) {
  const std::size_t definite = branch_mark();
  push_scope(&stmt.body.statements, true, true);
  const Register title = take(2);  // And the error.
  f_->scopes.back().reserved = mark();
  const Position begin = here();
  statements(stmt.body.statements, false);
  load_text(title, stmt.title);
  const Position end = here();
  intrinsic(IntrinsicId::kTestPassed, title, 1);
  const Position done = emit_wide(Op::kJump, 0, 0);
  protect(vm::Protection::Kind::kHandler, begin, end, here(), static_cast<Register>(title + 1));
  load_text(title, stmt.title);
  intrinsic(IntrinsicId::kTestFailed, title, 2);
  patch(done);
  pop_scope();
  take_back(definite);
}

void Compiler::expect(const ExpectStmt& stmt) {
  const Register first = take();
  vm::ExpectKind kind = vm::ExpectKind::kEqual;
  switch (stmt.assertion) {
    case AssertionKind::Equal:
    case AssertionKind::Be:
      kind = vm::ExpectKind::kEqual;
      break;
    case AssertionKind::Greater:
      kind = vm::ExpectKind::kGreater;
      break;
    case AssertionKind::Less:
      kind = vm::ExpectKind::kLess;
      break;
    case AssertionKind::BeYes:
      kind = vm::ExpectKind::kYes;
      break;
    case AssertionKind::BeNo:
      kind = vm::ExpectKind::kNo;
      break;
    case AssertionKind::Exist:
      kind = vm::ExpectKind::kExist;
      break;
    case AssertionKind::Contain:
      kind = vm::ExpectKind::kContain;
      break;
    case AssertionKind::Empty:
      kind = vm::ExpectKind::kEmpty;
      break;
    case AssertionKind::HaveLength:
      kind = vm::ExpectKind::kLength;
      break;
    case AssertionKind::OfType:
      kind = vm::ExpectKind::kType;
      break;
  }
  load_number(first, static_cast<double>(kind));
  expression(*stmt.subject, take());
  const Register operand = take();
  if (stmt.operand != nullptr) {
    expression(*stmt.operand, operand);
  } else if (stmt.assertion == AssertionKind::OfType) {
    load_text(operand, stmt.type_name);
  } else {
    load(operand, kNull);
  }
  at(stmt.head);
  intrinsic(IntrinsicId::kExpect, first, 3);
}

bool Compiler::definition_statement(const Stmt& stmt) {
  switch (stmt.kind) {
    case StmtKind::DefineAction:
      define_action(as<DefineActionStmt>(stmt));
      return true;
    case StmtKind::DefineContainer:
      define_container(as<DefineContainerStmt>(stmt));
      return true;
    case StmtKind::DefineInterface:
      define_interface(as<DefineInterfaceStmt>(stmt));
      return true;
    case StmtKind::CreateInstance:
      create_instance(as<CreateInstanceStmt>(stmt));
      return true;
    case StmtKind::DefinePattern:
      define_pattern(as<DefinePatternStmt>(stmt));
      return true;
    case StmtKind::Describe:
      describe(as<DescribeStmt>(stmt));
      return true;
    case StmtKind::Test:
      test(as<TestStmt>(stmt));
      return true;
    case StmtKind::Expect:
      expect(as<ExpectStmt>(stmt));
      return true;
    case StmtKind::DeclareEvent:
      return true;  // Only a declaration; nothing happens when it is reached.
    case StmtKind::Trigger:
      // There are no handlers with a body in the language, so nothing is called; the arguments are evaluated.
      for (const Argument& argument : as<TriggerStmt>(stmt).arguments) expression(*argument.value);
      return true;
    case StmtKind::OnEvent: {
      const auto& node = as<OnEventStmt>(stmt);
      const Register source = take();
      expression(*node.source, source);
      load_text(take(), node.event.text);
      intrinsic(IntrinsicId::kOnEvent, source, 2);
      return true;
    }
    case StmtKind::ParentCall: {
      const auto& node = as<ParentCallStmt>(stmt);
      const Register target = take();
      for (const Argument& argument : node.arguments) expression(*argument.value, take());
      at(stmt.head);
      emit(Op::kCallParent, target, static_cast<std::uint32_t>(node.arguments.size()),
           short_constant(text_constant(node.action.text)));
      return true;
    }
    case StmtKind::Include:
    case StmtKind::LoadModule: {
      const bool include = stmt.kind == StmtKind::Include;
      const Register path = take();
      expression(include ? *as<IncludeStmt>(stmt).path : *as<LoadModuleStmt>(stmt).path, path);
      at(stmt.head);
      intrinsic(include ? IntrinsicId::kInclude : IntrinsicId::kLoadModule, path, 1);
      return true;
    }
    case StmtKind::Export: {
      const auto& node = as<ExportStmt>(stmt);
      const Register first = take(4);
      load_text(first, node.what == ExportKind::Container ? "container"
                       : node.what == ExportKind::Action  ? "action"
                                                          : "constant");
      load_text(static_cast<Register>(first + 1), node.name.text);
      read_raw(node.name.text, static_cast<Register>(first + 2));
      const std::vector<Candidate> candidates = resolve(node.name.text);
      load(static_cast<Register>(first + 3), candidates.front().constant ? kYes : kNo);
      intrinsic(IntrinsicId::kExport, first, 4);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace wfl::compile
