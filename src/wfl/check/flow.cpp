// The one question asked of every statement is whether the flow can go on behind it. A list of statements ends where
// one of them never goes on; what stands behind that is unreachable and reported once. A branching statement ends if
// all its ways end and one of them is sure to be taken; an endless loop ends unless something leaves it.
#include "wfl/check/flow.h"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "wfl/language/builtins.h"

namespace wfl::check {

using namespace syntax;  // NOLINT: the tree's node types are this file's vocabulary.

namespace {

// What a condition made of nothing but literals always is.
std::optional<bool> settled(const Expr& condition) {
  switch (condition.kind) {
    case ExprKind::Boolean:
      return as<BooleanExpr>(condition).value;
    case ExprKind::Nothing:
      return false;
    case ExprKind::Unary: {
      const auto& unary = as<UnaryExpr>(condition);
      if (unary.op != UnaryOp::Not) return std::nullopt;
      const auto operand = settled(*unary.operand);
      return operand ? std::optional(!*operand) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

class FlowChecker {
 public:
  FlowChecker(const Program& program, const std::function<bool(std::string_view)>& may_run_code)
      : source_(program.source.get()), may_run_code_(may_run_code) {}

  std::vector<Diagnostic> run(StmtList statements) {
    ends(statements);
    return std::move(findings_);
  }

 private:
  struct Loop {
    bool left = false;    // A `break` of its own.
    bool exited = false;  // An `exit` inside, which leaves the outermost loop.
  };
  struct Returns {
    bool with_value = false;
    bool bare = false;
  };

  void report(std::string message, SourceSpan span, const char* code, std::string label, std::string hint) {
    Diagnostic finding;
    finding.severity = Severity::Warning;
    finding.code = code;
    finding.message = std::move(message);
    finding.span = span;
    finding.label = std::move(label);
    if (!hint.empty()) finding.hints.push_back(std::move(hint));
    findings_.push_back(std::move(finding));
  }

  [[nodiscard]] std::string line_of(SourceSpan span) const { return std::to_string(source_->line_of(span.begin)); }
  [[nodiscard]] std::string_view text_of(const Expr& expr) const {
    return source_->text().substr(expr.span.begin, expr.span.end - expr.span.begin);
  }

  void never_runs(const Block& block, SourceSpan head, const std::string& message) {
    report(message, block.statements.empty() ? head : block.statements.front()->head, "WFL-S103", "this never runs",
           "Remove the branch, or ask for what it was meant for.");
  }

  // Whether evaluating it twice in a row gives the same answer twice.
  bool is_steady(const Expr& expr) {
    switch (expr.kind) {
      case ExprKind::Number:
      case ExprKind::Text:
      case ExprKind::Boolean:
      case ExprKind::Nothing:
        return true;
      case ExprKind::Variable: {
        const std::string_view name = as<VariableExpr>(expr).name;
        return language::find_builtin(name) == nullptr && !may_run_code_(name);
      }
      case ExprKind::Unary:
        return is_steady(*as<UnaryExpr>(expr).operand);
      case ExprKind::Binary:
        return is_steady(*as<BinaryExpr>(expr).left) && is_steady(*as<BinaryExpr>(expr).right);
      case ExprKind::Between:
        return is_steady(*as<BetweenExpr>(expr).subject) && is_steady(*as<BetweenExpr>(expr).low) &&
               is_steady(*as<BetweenExpr>(expr).high);
      case ExprKind::Index:
        return is_steady(*as<IndexExpr>(expr).collection) && is_steady(*as<IndexExpr>(expr).index);
      case ExprKind::Property:
        return is_steady(*as<PropertyExpr>(expr).object);
      default:
        return false;
    }
  }

  bool ends(StmtList statements) {
    bool ended = false;
    for (const Stmt* stmt : statements) {
      if (ended) {
        report("Unreachable code", stmt->head, "WFL-S102", "the program never gets here",
               "The statement before it never goes on to the next line.");
        return true;
      }
      ended = ends(*stmt);
    }
    return ended;
  }
  bool ends(const Block& block) { return ends(block.statements); }

  bool ends(const Stmt& stmt) {
    switch (stmt.kind) {
      case StmtKind::Return:
        (as<ReturnStmt>(stmt).value == nullptr ? returns_.bare : returns_.with_value) = true;
        return true;
      case StmtKind::Break:
        if (!loops_.empty()) loops_.back().left = true;
        return !loops_.empty();
      case StmtKind::Continue:
        return !loops_.empty();
      case StmtKind::Exit:
        if (as<ExitStmt>(stmt).whole_program) return true;
        if (!loops_.empty()) loops_.front().exited = true;
        return !loops_.empty();
      case StmtKind::If:
        return if_ends(as<IfStmt>(stmt));
      case StmtKind::Route:
        return route_ends(as<RouteStmt>(stmt));
      case StmtKind::Try:
        return try_ends(as<TryStmt>(stmt));
      case StmtKind::ForEach:
        loop_ends(as<ForEachStmt>(stmt).body, false);
        return false;
      case StmtKind::Count:
        loop_ends(as<CountStmt>(stmt).body, false);
        return false;
      case StmtKind::RepeatWhile: {
        const auto& loop = as<RepeatWhileStmt>(stmt);
        const auto always = settled(*loop.condition);
        if (always == false) never_runs(loop.body, stmt.head, "This loop never runs: its condition is always no");
        return loop_ends(loop.body, always == true);
      }
      case StmtKind::RepeatUntil: {
        const auto& loop = as<RepeatUntilStmt>(stmt);
        return loop_ends(loop.body, settled(*loop.condition) == false);
      }
      case StmtKind::Forever:
        return loop_ends(as<ForeverStmt>(stmt).body, true);
      case StmtKind::MainLoop:
        return loop_ends(as<MainLoopStmt>(stmt).body, true);
      case StmtKind::Batch:
        return ends(as<BatchStmt>(stmt).body);
      case StmtKind::Transaction:
        return ends(as<TransactionStmt>(stmt).body);
      case StmtKind::WaitStatement:
        return ends(*as<WaitStatementStmt>(stmt).inner);
      case StmtKind::DefineAction:
        action(as<DefineActionStmt>(stmt));
        return false;
      case StmtKind::DefineContainer:
        for (const DefineActionStmt* inner : as<DefineContainerStmt>(stmt).actions) action(*inner);
        return false;
      case StmtKind::OnWebSocket: {
        const std::vector<Loop> outer = std::exchange(loops_, {});
        ends(as<OnWebSocketStmt>(stmt).body);
        loops_ = outer;
        return false;
      }
      case StmtKind::Describe: {
        const auto& describe = as<DescribeStmt>(stmt);
        ends(describe.setup);
        for (const Stmt* test : describe.tests) ends(*test);
        ends(describe.teardown);
        return false;
      }
      case StmtKind::Test:
        ends(as<TestStmt>(stmt).body);
        return false;
      default:
        return false;
    }
  }

  bool loop_ends(const Block& body, bool endless) {
    loops_.emplace_back();
    ends(body);
    const Loop loop = loops_.back();
    loops_.pop_back();
    return endless && !loop.left && !loop.exited;
  }

  bool if_ends(const IfStmt& stmt) {
    bool all_end = true;
    bool taken = false;  // One of the conditions before is always yes.
    std::unordered_map<std::string_view, const Expr*> asked;
    for (std::size_t i = 0; i < stmt.branches.size(); ++i) {
      const IfBranch& branch = stmt.branches[i];
      const auto always = settled(*branch.condition);
      if (taken) {
        never_runs(branch.body, branch.condition->span,
                   "This branch never runs: the condition before it is always yes");
      } else if (always == false) {
        never_runs(branch.body, branch.condition->span, "This branch never runs: its condition is always no");
      } else if (is_steady(*branch.condition)) {
        const auto [before, is_new] = asked.try_emplace(text_of(*branch.condition), branch.condition);
        if (!is_new) {
          never_runs(branch.body, branch.condition->span,
                     "This branch never runs: line " + line_of(before->second->span) + " asks the same before it");
        }
      }
      taken = taken || always == true;
      const bool branch_ends = ends(branch.body);
      all_end = all_end && (branch_ends || always == false);
    }
    if (taken && stmt.has_otherwise) {
      never_runs(stmt.otherwise, stmt.head, "This branch never runs: the condition before it is always yes");
    }
    const bool otherwise_ends = stmt.has_otherwise && ends(stmt.otherwise);
    return all_end && (otherwise_ends || taken);
  }

  bool route_ends(const RouteStmt& stmt) {
    bool all_end = !stmt.arms.empty();
    const bool steady = is_steady(*stmt.subject);
    std::map<std::pair<RouteTest, std::string_view>, const Expr*> asked;
    for (const RouteArm& arm : stmt.arms) {
      for (const Expr* value : arm.values) {
        if (!steady || !is_steady(*value)) continue;
        const auto [before, is_new] = asked.try_emplace({arm.test, text_of(*value)}, value);
        // An arm with more values may still run for another one of them.
        if (is_new || arm.values.size() != 1) continue;
        never_runs(arm.body, value->span,
                   "This branch never runs: line " + line_of(before->second->span) + " asks the same before it");
      }
      const bool arm_ends = ends(arm.body);
      all_end = all_end && arm_ends;
    }
    const bool otherwise_ends = stmt.has_otherwise && ends(stmt.otherwise);
    return all_end && otherwise_ends;
  }

  bool try_ends(const TryStmt& stmt) {
    bool all_end = ends(stmt.body);
    for (const Handler& handler : stmt.handlers) {
      const bool handler_ends = ends(handler.body);
      all_end = all_end && handler_ends;
    }
    if (stmt.has_otherwise) {
      const bool otherwise_ends = ends(stmt.otherwise);
      all_end = all_end && otherwise_ends;
    }
    const bool finally_ends = stmt.has_finally && ends(stmt.finally);
    return all_end || finally_ends;
  }

  void action(const DefineActionStmt& definition) {
    const std::vector<Loop> outer_loops = std::exchange(loops_, {});
    const Returns outer_returns = std::exchange(returns_, {});
    const bool always_ends = ends(definition.body);
    const Returns own = std::exchange(returns_, outer_returns);
    loops_ = outer_loops;
    if (!own.with_value) return;
    // Without a `give back` an action's value is that of its last statement, if it has one.
    const StmtList body = definition.body.statements;
    const bool gives_last = !body.empty() && body.back()->kind == StmtKind::Expression;
    const bool declared = definition.return_type != nullptr && definition.return_type->kind != TypeKind::Nothing;
    if (!own.bare && (!declared || always_ends || gives_last)) return;
    report("Action '" + std::string(definition.name.text) + "' has inconsistent return paths", definition.head,
           "WFL-S105", "it gives back a value on some of its ways only",
           "End each way through the action with `give back` and a value.");
  }

  const SourceFile* source_;
  const std::function<bool(std::string_view)>& may_run_code_;
  std::vector<Diagnostic> findings_;
  std::vector<Loop> loops_;
  Returns returns_;
};

}  // namespace

std::vector<Diagnostic> check_flow(const Program& program, const std::function<bool(std::string_view)>& may_run_code) {
  return FlowChecker(program, may_run_code).run(program.statements);
}

}  // namespace wfl::check
