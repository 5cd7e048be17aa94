#pragma once

// The parser's inside. It is one class whose members are spread over files by what they parse:
//
//   parse_core.cpp        tokens, errors, blocks, recovery       parse_io.cpp        files, processes, waiting
//   parse_expression.cpp  operators and calls                    parse_container.cpp containers, interfaces, events
//   parse_primary.cpp     operands and special forms             parse_pattern.cpp   pattern bodies
//   parse_statement.cpp   dispatch, variables, collections       parse_web.cpp       web, HTTP, WebSocket, SQL
//   parse_control.cpp     conditions, loops, try, tests          parse_keystore*.cpp keystores
//
// Errors. `fail` records a diagnostic and throws ParseFailure, which the nearest block loop catches; it never leaves
// `parse`. A block's header that fails is skipped to the end of its line and the body is parsed all the same, so that
// one bad header is one error.
//
// Merged names. The lexer gives `scan cache` as one token. A form that needs the words apart calls `split`, which
// relinks the token into two; a trial (`attempt`) that fails puts it together again.
//
// Two readings. A line that means one thing to keystores and another without them is parsed twice, by two trials from
// the same token; the second counts only if it ends where the first ended.

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wfl/syntax/ast.h"
#include "wfl/syntax/diagnostic.h"
#include "wfl/syntax/lexer.h"
#include "wfl/syntax/token.h"

namespace wfl::syntax {

// Thrown after a diagnostic was recorded.
struct ParseFailure {};

// What ends an expression besides the usual, in the place where it stands. Brackets start afresh.
struct Mode {
  enum class Terminator : std::uint8_t { None, With, In };
  Terminator terminator = Terminator::None;  // Inside `find … in`, `replace … with`.
  bool stop_at_response_clause = false;      // `start streaming response … and status …`
  bool operand = false;                      // Keystore operand: infix `with`, `matches`, … do not belong to it.
  bool stop_at_key_clause = false;           // Value of `store V in S with key K`.
  bool of_without_from = false;              // Key before `from S`: `from` is no argument separator.
  bool stop_at_colon = false;                // Default of a parameter: the colon ends the action's first line.
  bool stop_at_option = false;               // Before `and compression` and the other options of `open keystore`.
};

class Parser {
 public:
  Parser(const SourceFile& source, Arena& arena, std::vector<Diagnostic>& diagnostics)
      : source_(source),
        arena_(arena),
        diagnostics_(diagnostics),
        tokens_(lex(source, arena, diagnostics)),
        errors_(diagnostics.size()) {
    collect_actions();
  }

  void collect_actions();
  StmtList parse_program();
  bool incomplete() const { return incomplete_; }

 private:
  // ---- Tokens (parse_core.cpp). References from `peek` live until the next split; `take` gives a copy. ----
  const Token& peek() const { return tokens_[at_]; }
  const Token& peek(unsigned n) const;
  Token take();
  bool at(TokenKind kind) const { return peek().is(kind); }
  bool at(Keyword keyword) const { return peek().is(keyword); }
  bool next_is(Keyword keyword) const { return peek(1).is(keyword); }
  bool at_name(std::string_view words) const { return peek().is_name(words); }
  bool line_ends_with_colon() const;
  bool is_ended_by(Keyword word) const;  // Whether `end WORD` comes somewhere behind this place.
  bool at_end_of_line() const { return at(TokenKind::EndOfLine) || at(TokenKind::EndOfFile); }
  bool eat(Keyword keyword);
  bool eat(TokenKind kind);
  bool eat_name(std::string_view words);
  void expect(Keyword keyword, std::string_view where);
  void expect(TokenKind kind, std::string_view sign, std::string_view where);
  void skip_lines();
  std::uint32_t position() const { return at_; }

  // Cuts the name at `index` behind its first `words` words.
  void split(std::uint32_t index, unsigned words);
  static unsigned count_words(std::string_view text);

  SourceSpan span_of(const Token& token) const { return {source_.id(), token.begin, token.end}; }
  SourceSpan span_from(std::uint32_t begin) const;  // From a byte to the end of the last token taken.
  Name name_of(const Token& token) const { return {token.text, span_of(token)}; }

  // ---- Errors (parse_core.cpp) ----
  Diagnostic& report(SourceSpan span, std::string message, std::initializer_list<std::string> hints = {},
                     std::string_view code = "WFL-P001");
  [[noreturn]] void fail(SourceSpan span, std::string message, std::initializer_list<std::string> hints = {},
                         std::string_view code = "WFL-P001");
  [[noreturn]] void fail_here(std::string message, std::initializer_list<std::string> hints = {},
                              std::string_view code = "WFL-P001");
  // "I expected WHAT, but found …".
  [[noreturn]] void fail_expected(std::string_view what, std::initializer_list<std::string> hints = {});

  // Runs `parse`; if it fails, forgets its errors, goes back and returns a null value.
  template <typename F>
  auto attempt(F parse) -> decltype(parse()) {
    const Checkpoint before = checkpoint();
    try {
      return parse();
    } catch (const ParseFailure&) {
      rewind(before);
      return {};
    }
  }

  struct Checkpoint {
    std::uint32_t at;
    std::uint32_t last_end;
    std::size_t diagnostics;
    std::size_t splits;
    std::size_t tokens;
    std::size_t errors;
    bool incomplete;
  };
  Checkpoint checkpoint() const;
  void rewind(const Checkpoint& to);

  class ModeScope {
   public:
    ModeScope(Parser& parser, Mode mode) : parser_(parser), saved_(parser.mode_) { parser.mode_ = mode; }
    ~ModeScope() { parser_.mode_ = saved_; }
    ModeScope(const ModeScope&) = delete;
    ModeScope& operator=(const ModeScope&) = delete;

   private:
    Parser& parser_;
    Mode saved_;
  };

  // Counts how deep the parser is in itself; fails with a clear error before the C++ stack is in danger.
  class NestingScope {
   public:
    explicit NestingScope(Parser& parser);
    ~NestingScope() { --parser_.nesting_; }
    NestingScope(const NestingScope&) = delete;
    NestingScope& operator=(const NestingScope&) = delete;

   private:
    Parser& parser_;
  };

  // ---- Blocks (parse_core.cpp) ----
  // What stops a body besides `end`.
  enum Stop : unsigned { kEnd = 0, kOtherwise = 1, kWhen = 2, kCatch = 4, kFinally = 8, kUntil = 16 };
  // A block that waits for its closer: `word` is what stands behind `end` ("" for a plain `end`).
  struct OpenBlock {
    std::string_view word;
    SourceSpan head;
  };
  class BlockScope {
   public:
    BlockScope(Parser& parser, std::string_view word, SourceSpan head) : parser_(parser) {
      parser.open_blocks_.push_back({word, head});
    }
    ~BlockScope() { parser_.open_blocks_.pop_back(); }
    BlockScope(const BlockScope&) = delete;
    BlockScope& operator=(const BlockScope&) = delete;

   private:
    Parser& parser_;
  };

  Block parse_body(unsigned stops);
  bool at_stop(unsigned stops) const;
  // The closer of the innermost open block. A missing or wrong one is reported, not thrown.
  void close_block();
  bool closes(std::string_view word) const;  // At `end` with this word behind it.
  void recover();
  void skip_line();
  // Runs the header of a block statement; on failure skips the line.
  template <typename F>
  void header(F parse) {
    try {
      parse();
    } catch (const ParseFailure&) {
      skip_line();
    }
  }
  void optional_colon();

  // ---- Making nodes ----
  template <typename T>
  T* make(std::uint32_t begin) {
    return arena_.make<T>(span_from(begin));
  }
  // Sets the depth from the children and refuses a tree that is too deep.
  template <typename T>
  T* finish(T* node, std::initializer_list<const Expr*> children) {
    for (const Expr* child : children) {
      deepen(node, child);
    }
    return node;
  }
  template <typename T>
  T* finish(T* node, ExprList children) {
    for (const Expr* child : children) {
      deepen(node, child);
    }
    return node;
  }
  void deepen(Expr* node, const Expr* child);
  // A statement's span runs to the last token taken; `head` to the end of its header.
  template <typename T>
  T* make_statement(std::uint32_t begin) {
    return arena_.make<T>(span_from(begin));
  }
  template <typename T>
  const T* close_statement(T* statement, SourceSpan head) {
    statement->span = span_from(statement->span.begin);
    statement->head = head;
    return statement;
  }
  const VariableExpr* make_variable(std::string_view name, SourceSpan span);
  const Stmt* make_expression_statement(const Expr* value);

  // ---- Expressions ----
  const Expr* parse_expression();
  const Expr* parse_binary(int precedence);
  const Expr* parse_operators(const Expr* left, int precedence);
  bool stops_operators() const;
  BinaryOp parse_comparison_words();
  const Expr* parse_contains(const Expr* left, int precedence);
  const Expr* parse_infix_find(const Expr* left, int precedence);
  const Expr* parse_infix_replace(const Expr* left, int precedence);
  const Expr* parse_infix_split(int precedence);
  const Expr* make_binary(BinaryOp op, SourceSpan op_span, const Expr* left, const Expr* right);
  const Expr* make_concat(const std::vector<const Expr*>& parts);
  std::span<const Argument> parse_arguments();
  const Expr* parse_of_argument();
  const Expr* parse_of_term();
  const Expr* parse_with_call(const Expr* callee);
  const Expr* parse_of_call(const Expr* callee);
  // The tree with its leading variable called `name` instead; null if it does not begin with a variable.
  const Expr* with_lead_renamed(const Expr* expr, Name name);

  const Expr* parse_primary();
  const Expr* parse_primary_lead(bool& takes_postfix);
  const Expr* parse_postfix(const Expr* expr);
  const Expr* parse_list_literal();
  const Expr* parse_parenthesized();
  const Expr* parse_name_operand();
  const Expr* parse_member(const Expr* object);
  const Expr* parse_index(const Expr* collection);
  const Expr* parse_keyword_primary(bool& takes_postfix);
  const Expr* parse_read_primary();
  const Expr* parse_list_files();
  ExprList parse_extension_filter();
  const Expr* parse_current_time();
  const Expr* parse_call_action();
  const Expr* parse_split_primary();
  const Expr* parse_database_query();
  bool at_database_query() const;
  const Expr* parse_path();

  static bool starts_statement(const Token& token);
  static bool can_start_operand(const Token& token);
  bool starts_display_value() const;
  static bool is_response_clause_word(const Token& token);

  // ---- Statements ----
  const Stmt* parse_statement();
  const Stmt* parse_keyword_statement(Keyword keyword);
  const Stmt* parse_name_statement();
  const Stmt* parse_expression_statement();
  const Stmt* parse_store();
  const Stmt* parse_declaration();
  const Stmt* parse_create();
  const Stmt* parse_create_instance();
  const Stmt* parse_change();
  const Stmt* parse_arithmetic();
  const Stmt* parse_add();
  const Stmt* parse_remove();
  const Stmt* parse_remove_from_list();
  const Stmt* parse_clear();
  const Stmt* parse_push();
  const Stmt* parse_create_list();
  const Stmt* parse_create_map();
  const Stmt* parse_create_date_or_time();
  const Stmt* parse_display();
  const Stmt* parse_include();
  const Stmt* parse_load_module();
  const Stmt* parse_export();
  bool at_declaration() const;
  bool line_has(Keyword keyword) const;  // On the rest of the line, outside brackets.
  Name parse_declared_name();            // Behind `store`, `create`: up to `as`.
  Name parse_name(std::string_view where);
  Name parse_names(std::string_view where);  // Several adjacent name tokens.
  Name parse_binder_name(bool also_store = false);
  Name parse_as_name(std::string_view where);

  const Stmt* parse_check();
  const Stmt* parse_if();
  const Stmt* parse_route();
  RouteArm parse_route_arm();
  const Stmt* parse_for_each();
  const Stmt* parse_count();
  const Stmt* parse_repeat();
  const Stmt* parse_main_loop();
  const Stmt* parse_exit();
  const Stmt* parse_define_action();
  const Stmt* parse_return();
  const Stmt* parse_try();
  Handler parse_handler();
  HandlerKind parse_handler_kind();
  const Stmt* parse_describe();
  const Stmt* parse_test();
  const Stmt* parse_expect();
  std::string_view parse_title(std::string_view what);

  std::span<const Parameter> parse_action_parameters();
  std::span<const Parameter> parse_member_parameters();
  const TypeRef* parse_parameter_type();
  const TypeRef* parse_return_type();
  const TypeRef* parse_member_type(bool with_lists);
  const TypeRef* make_type(TypeKind kind, const Token& token, const TypeRef* inner = nullptr,
                           const TypeRef* second = nullptr);

  const Stmt* parse_create_container();
  const DefineActionStmt* parse_container_action(bool is_static);
  PropertyDefinition parse_property(bool is_static);
  const Stmt* parse_create_interface();
  const Stmt* parse_event();
  const Stmt* parse_trigger();
  const Stmt* parse_on_event();
  const Stmt* parse_parent_call();

  const Stmt* parse_create_pattern();
  const Pattern* parse_pattern_alternatives();
  const Pattern* parse_pattern_sequence();
  const Pattern* parse_pattern_element();
  const Pattern* parse_pattern_base();
  const Pattern* parse_pattern_group(TokenKind open, TokenKind close, std::string_view what);
  const Pattern* parse_pattern_unicode();
  const Pattern* parse_pattern_look_around();
  const Pattern* parse_pattern_repeat(std::uint32_t begin, std::uint32_t min, std::uint32_t max);
  std::uint32_t parse_pattern_count();
  Pattern* make_pattern(PatternKind kind, std::uint32_t begin);
  const Pattern* merge_classes(std::vector<const Pattern*> classes, std::uint32_t begin);

  const Stmt* parse_open();
  const Stmt* parse_open_file();
  const Stmt* parse_open_url(std::uint32_t begin);
  const Stmt* parse_open_database(std::uint32_t begin);
  const Expr* parse_url_clause(std::string_view word);
  const Expr* parse_url_value();
  const Stmt* parse_close();
  const Stmt* parse_close_value();
  const Stmt* parse_write();
  const Stmt* parse_create_file();
  const Stmt* parse_create_directory();
  const Stmt* parse_delete();
  const Stmt* parse_copy_or_move();
  const Stmt* parse_directory_command();
  const Stmt* parse_execute();
  const Stmt* parse_execute_file();
  const Stmt* parse_spawn();
  const Stmt* parse_read_output();
  const Stmt* parse_kill();
  const Stmt* parse_wait();
  const Stmt* parse_wait_for_content(std::uint32_t begin);
  const Stmt* parse_wait_process(std::uint32_t begin);
  const Stmt* parse_wait_request(std::uint32_t begin);
  const Stmt* parse_wait_next(std::uint32_t begin);

  const Stmt* parse_listen();
  const Stmt* parse_respond();
  const Stmt* parse_start_stream();
  bool parse_response_clause(ResponseClauses& clauses, bool streaming);
  const Stmt* parse_stream_write(std::uint32_t begin);
  bool at_stream_write() const;
  const Stmt* parse_register();
  const Stmt* parse_stop();
  const Stmt* parse_on_websocket();
  const Stmt* parse_websocket_message();
  const Stmt* parse_transaction();

  // ---- Keystores ----
  const Stmt* parse_keystore_name_statement();  // Null: not one of them.
  const Stmt* parse_put();
  const Stmt* parse_create_keystore();
  const Stmt* parse_open_keystore(std::uint32_t begin);
  const Stmt* finish_open_keystore(OpenKeystoreStmt* node);
  const Stmt* parse_close_keystore();
  const Stmt* parse_get();
  const Stmt* parse_remove_key();
  const Stmt* parse_remove_keys();
  const Stmt* parse_change_counter();
  const Stmt* parse_keep_key();
  const Stmt* parse_scan();
  const Stmt* parse_list_keys();
  const Stmt* parse_count_keys();
  const Stmt* parse_batch();
  const Stmt* parse_compact();
  const Stmt* parse_flush();
  const Stmt* parse_back_up();
  const Stmt* parse_verify();
  const Stmt* parse_snapshot();
  const Stmt* parse_change_encryption_key();
  void parse_for_each_range(ForEachStmt* node);

  const Expr* parse_keystore();     // S
  const Expr* parse_key_operand();  // K, P, A, B, PATH, SECRET, N, OLD
  bool at_key_clause() const;       // At `with key …`.
  void take_key_word();             // `with key`, leaving the key itself as the next token.
  const Expr* parse_key_clause(std::string_view form);
  static bool can_start_key(const Token& token, const Token& behind);
  static bool is_option_word(const Token& token);
  KeystoreOptions parse_options();
  Lifetime parse_lifetime();
  void parse_put_condition(PutStmt& node);
  void cut_limit();
  bool cut_starting();
  KeyRange* parse_range_tail(KeyRange* range, bool with_limit);
  void parse_range_start(KeyRange& range);
  bool store_is_keystore(unsigned n) const;  // `store` as the n-th next token may be the name here.
  bool at_statement_end() const;
  void end_of_keystore_statement(std::string_view form);
  // The reading that these tokens had before keystores; null if they had none that ends at `end`.
  const Stmt* today_reading(const Checkpoint& from, std::uint32_t end, const Stmt* (Parser::*parse)());

  const SourceFile& source_;
  Arena& arena_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<Token> tokens_;
  std::uint32_t at_ = 0;
  std::uint32_t last_end_ = 0;                           // End of the last token taken.
  std::vector<std::pair<std::uint32_t, Token>> splits_;  // Tokens as they were before they were cut.
  std::vector<OpenBlock> open_blocks_;
  Mode mode_;
  unsigned nesting_ = 0;
  unsigned read_trials_ = 0;
  unsigned batch_depth_ = 0;  // Batches around this place in the program's text.
  // Names of the actions that this file defines, each with the numbers of values it may need; never with none.
  std::set<std::pair<std::string_view, std::size_t>> actions_with_values_;
  std::size_t errors_;
  bool incomplete_ = false;
  bool reported_end_of_file_ = false;
  // The last statement, if it was nothing but a name: a mistake behind it may come from a misspelt first word.
  Name bare_name_;
};

}  // namespace wfl::syntax
