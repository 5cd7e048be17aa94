// The only file that sees CLI11, which takes longer to compile than all the rest.

#include "command_line.h"

#include <fmt/format.h>
#include <kvb/kvb.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "commands.h"
#include "help.h"
#include "outline.h"

namespace kvb::cli {
namespace {

// All commands with their options. Options are kept as they were written; the commands read and check them.
class CommandLine {
 public:
  explicit CommandLine(const HiddenWords& words) : words_(words) {
    app_.name("kvb");
    app_.set_version_flag("--version", std::string("kvb ") + kvb_version(), "Show the version and end");
    app_.set_help_flag("-h,--help", "Show this help and end");
    app_.require_subcommand(1);
    app_.get_formatter()->label("REQUIRED", "");
    app_.get_formatter()->label("Positionals", "Arguments");
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND …");
    app_.footer(std::string(general_help()));

    CLI::App& init = command("init", init_);
    format_option(init, init_, {"text", "json"});
    durability_option(init, init_.durability);
    text(init, "--compression", init_.compression, "How values are stored: none, zstd or zstd:LEVEL (1 to 19)", "HOW");

    CLI::App& put = command("put", put_);
    text(put, "KEY", put_.key, "The key: 1 to 65,535 bytes, `-` or @PATH")->required();
    text(put, "VALUE", put_.value, "The value: up to 4 GiB, `-` or @PATH")->required();
    text(put, "--ttl", put_.ttl, "The key is gone after so long: seconds, or a number with s, m, h, d, w", "TIME");
    put.add_flag("--if-missing", put_.if_missing, "Only if the key is not there");
    put.add_flag("--if-present", put_.if_present, "Only if the key is there");
    text(put, "--if-value", put_.if_value, "Only if the key has this value; read as VALUE is", "OLD");
    put.add_flag("--text", put_.text, "Keep it as text; it must be UTF-8");
    put.add_flag("--json", put_.json, "Keep it as JSON; it must be that");
    put.add_flag("--bytes", put_.bytes, "Keep it as bytes, even if it is UTF-8");
    put.add_flag("--create", put_.create, "Make the bucket first if it is not there");
    key_options(put, put_.style, "KEY and VALUE");
    put.add_flag("--hex-key", put_.style.hex_key, "KEY is hexadecimal digits");
    put.add_flag("--hex-value", put_.hex_value, "VALUE is hexadecimal digits");
    writer_options(put, put_.writer);
    format_option(put, put_, {"text", "json"});

    CLI::App& get = command("get", get_);
    several(get, "KEY", get_.keys, "The keys, `-` or @PATH")->required();
    key_options(get, get_.style, "each KEY");
    format_option(get, get_, {"raw", "hex", "json"});

    CLI::App& del = command("del", del_);
    several(del, "KEY", del_.keys, "The keys, `-` or @PATH");
    text(del, "--prefix", del_.prefix, "Instead of keys: all that begin with this", "P");
    key_options(del, del_.style, "each KEY, or P,");
    writer_options(del, del_.writer);
    format_option(del, del_, {"text", "json"});

    CLI::App& exists = command("exists", exists_);
    text(exists, "KEY", exists_.key, "The key, `-` or @PATH")->required();
    key_options(exists, exists_.style, "KEY");
    format_option(exists, exists_, {"text", "json"});

    CLI::App& incr = command("incr", incr_);
    text(incr, "KEY", incr_.key, "The key, `-` or @PATH")->required();
    text(incr, "BY", incr_.by, "What to add, 1 by default; a negative number takes away");
    incr.add_flag("--create", incr_.create, "Make the bucket first if it is not there");
    key_options(incr, incr_.style, "KEY");
    writer_options(incr, incr_.writer);
    format_option(incr, incr_, {"text", "json"});

    CLI::App& expire = command("expire", expire_);
    text(expire, "KEY", expire_.key, "The key, `-` or @PATH")->required();
    text(expire, "TIME", expire_.time, "Seconds, a number with s, m, h, d or w, or `never`")->required();
    key_options(expire, expire_.style, "KEY");
    writer_options(expire, expire_.writer);
    format_option(expire, expire_, {"text", "json"});

    CLI::App& scan = command("scan", scan_);
    range_options(scan, scan_);
    scan.add_flag("--reverse", scan_.reverse, "From the last key to the first");
    text(scan, "--limit", scan_.limit, "At most so many entries", "N");
    scan.add_flag("--keys", scan_.keys, "Keys only");
    format_option(scan, scan_, {"text", "json"});

    CLI::App& count = command("count", count_);
    range_options(count, count_);
    format_option(count, count_, {"text", "json"});

    CLI::App& watch = command("watch", watch_);
    text(watch, "--prefix", watch_.prefix, "Only keys that begin with this", "P");
    watch.add_flag("--hex", watch_.hex, "P is hexadecimal digits");
    text(watch, "--from", watch_.from, "Begin behind this write, 0 for all that the log has; by default now", "SEQNO");
    text(watch, "--limit", watch_.limit, "End after so many changes", "N");
    text(watch, "--timeout", watch_.timeout, "End when nothing has come for so long: seconds, 500ms, 2m", "TIME");
    watch.add_flag("--keys", watch_.keys, "Without values");
    format_option(watch, watch_, {"text", "json"});

    format_option(command("stats", stats_), stats_, {"table", "json", "prometheus"});
    format_option(command("verify", verify_), verify_, {"text", "json"});

    CLI::App& compact = command("compact", compact_);
    compact.add_flag("--aggressive", compact_.aggressive, "Empty every segment of which a tenth is dead");
    compact.add_flag("--full", compact_.full, "Rewrite everything in the order of the keys; the shortest file");
    compact.add_flag("--dry-run", compact_.dry_run, "Only say what could be given back");
    lock_timeout_option(compact, compact_.writer.lock_timeout);
    format_option(compact, compact_, {"text", "json"});

    CLI::App& train = command("train", train_);
    text(train, "--compression", train_.compression, "First change how values are stored: none, zstd or zstd:LEVEL",
         "HOW");
    lock_timeout_option(train, train_.writer.lock_timeout);
    format_option(train, train_, {"text", "json"});

    CLI::App& backup = command("backup", backup_);
    text(backup, "TARGET", backup_.target, "The copy; it must not exist")->required();
    format_option(backup, backup_, {"text", "json"});

    CLI::App& export_app = command("export", export_);
    text(export_app, "TARGET", export_.target, "The file to write, which must not exist; standard output by default");
    range_options(export_app, export_);
    format_option(export_app, export_, {"json", "binary"});

    CLI::App& import_app = command("import", import_);
    text(import_app, "SOURCE", import_.source, "What `export` has written; `-`, standard input, by default");
    import_app.add_flag("--replace", import_.replace, "Let what is read win over what is there");
    import_app.add_flag("--if-missing", import_.if_missing, "Leave keys alone that are there");
    text(import_app, "--prefix", import_.prefix, "Only keys that begin with this", "P");
    import_app.add_flag("--hex", import_.hex, "P is hexadecimal digits");
    import_app.add_flag("--create", import_.create, "Make the bucket first if it is not there");
    writer_options(import_app, import_.writer);
    format_option(import_app, import_, {"text", "json"});

    CLI::App& top = command("top", top_);
    text(top, "--interval", top_.interval, "How often to look: seconds, 500ms, 2m; 1 by default", "TIME");
    text(top, "--count", top_.count, "End after so many looks; by default with q or Ctrl-C", "N");
    format_option(top, top_, {"text", "json"});

    CLI::App& shell = command("shell", shell_);
    shell.add_flag("--create", shell_.create, "Make the bucket first if it is not there");

    CLI::App& bench = command_without_file("bench", bench_);
    text(bench, "FILE", bench_.file, "A bucket to make for it; it must not exist, and is removed at the end");
    bench.add_flag("--memory", bench_.memory, "Instead of FILE: one in memory");
    text(bench, "--keys", bench_.keys, "How many keys; 100,000 by default", "N");
    text(bench, "--value-bytes", bench_.value_bytes, "How long each value is; 100 by default", "N");
    text(bench, "--seconds", bench_.seconds, "At most so long for each part; 3 by default", "N");
    format_option(bench, bench_, {"text", "json"});

    CLI::App& completions = command_without_file("completions", completions_);
    CLI::Option* const shells = text(completions, "SHELL", completions_.shell, "bash, zsh or fish");
    shells->required();
    choices_[shells] = {"bash", "zsh", "fish"};
    command_without_file("manual", manual_).group("");

    CLI::App& repair = command("repair", repair_);
    text(repair, "NEW", repair_.target, "The bucket to save into; it must not exist");
    repair.add_flag("--dry-run", repair_.dry_run, "Only say what would be saved and what is lost");
    format_option(repair, repair_, {"text", "json"});
  }

  [[nodiscard]] Outline outline() const {
    Outline all{.version = kvb_version(), .summary = app_.get_description(), .details = app_.get_footer()};
    std::vector<OptionOutline> none;
    add_options(app_, none, all.options);
    for (const CLI::App* const command : app_.get_subcommands(nullptr)) {
      if (command->get_group().empty()) continue;
      CommandOutline& one = all.commands.emplace_back(CommandOutline{.name = command->get_name(),
                                                                     .summary = command->get_description(),
                                                                     .details = command->get_footer(),
                                                                     .arguments = {},
                                                                     .options = {}});
      add_options(*command, one.arguments, one.options);
    }
    return all;
  }

  // Runs the command that the words ask for.
  Outcome run(Output& output) {
    std::vector<std::string> tokens(words_.tokens().rbegin(), words_.tokens().rend());  // As CLI11 wants them.
    try {
      app_.parse(tokens);
    } catch (const CLI::CallForHelp&) {
      return show(output, app_.help());
    } catch (const CLI::CallForVersion&) {
      return show(output, std::string("kvb ") + kvb_version() + '\n');
    } catch (const CLI::ExtrasError&) {
      const std::string extra = app_.remaining(true).front();
      return usage(too_much(extra),
                   extra.starts_with("--") ? suggestion(extra, options_of(words_.tokens().front())) : "");
    } catch (const CLI::ArgumentMismatch& error) {
      return usage(wrong_count(error.what()));
    } catch (const CLI::ParseError& error) {
      return usage(error.what());
    }
    return chosen_(output);
  }

 private:
  void add_options(const CLI::App& app, std::vector<OptionOutline>& arguments,
                   std::vector<OptionOutline>& options) const {
    for (const CLI::Option* const option : app.get_options()) {
      const bool is_argument = option->get_positional();
      const auto chosen = choices_.find(option);
      (is_argument ? arguments : options)
          .push_back({.name = is_argument ? option->get_name(true) : "--" + option->get_lnames().front(),
                      .description = option->get_description(),
                      .value = is_argument ? "" : option->get_type_name(),
                      .required = option->get_required(),
                      .several = option->get_allow_extra_args(),
                      .choices = chosen == choices_.end() ? std::vector<std::string>{} : chosen->second});
    }
  }

  [[nodiscard]] Outcome usage(const std::string& what, const std::string& hint = {}) const {
    return usage_failure(fmt::format("{}.{} `kvb {} --help` shows what it takes.", words_.reveal_all(what), hint,
                                     words_.tokens().front()));
  }

  [[nodiscard]] static std::vector<std::string> options_of(const std::string& command) {
    std::vector<std::string> names;
    if (const CommandOutline* const found = find_command(command)) {
      for (const OptionOutline& option : found->options) names.push_back(option.name);
    }
    return names;
  }

  static Outcome show(Output& output, const std::string& text) {
    if (auto written = output.write(text); !written) return std::unexpected(written.error());
    return ExitCode::ok;
  }

  template <typename Arguments>
  CLI::App& command(const char* name, Arguments& arguments) {
    CLI::App& added = command_without_file(name, arguments);
    text(added, "FILE", arguments.file, "The bucket")->required();
    return added;
  }

  template <typename Arguments>
  CLI::App& command_without_file(const char* name, Arguments& arguments) {
    const CommandHelp& help = *command_help(name);
    CLI::App& added = *app_.add_subcommand(name, std::string(help.summary));
    added.footer(std::string(help.details))->group("Commands");
    added.callback(
        [this, &arguments] { chosen_ = [&arguments](Output& output) { return cli::run(arguments, output); }; });
    return added;
  }

  // An option or argument whose text is kept as it is. `Text` is std::string, std::optional of it, or std::vector of
  // it.
  template <typename Text>
  CLI::Option* text(CLI::App& to, const char* name, Text& target, const char* description, const char* type = "") {
    const auto keep = [this, &target](const CLI::results_t& results) {
      if constexpr (std::is_same_v<Text, std::vector<std::string>>) {
        for (const std::string& result : results) target.push_back(words_.reveal(result));
      } else {
        target = words_.reveal(results.at(0));
      }
      return true;
    };
    return to.add_option(name, keep, description)->expected(1)->type_name(type);
  }

  CLI::Option* several(CLI::App& to, const char* name, std::vector<std::string>& target, const char* description) {
    return text(to, name, target, description)->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
  }

  // The first one is the default.
  void format_option(CLI::App& to, CommonArguments& arguments, std::vector<std::string> formats) {
    std::string description = fmt::format("{} (the default)", formats.front());
    for (std::size_t i = 1; i < formats.size(); ++i) {
      description += fmt::format("{} {}", i + 1 < formats.size() ? "," : " or", formats[i]);
    }
    choices_[text(to, "--format", arguments.format, description.c_str(), "FORMAT")] = std::move(formats);
  }

  void durability_option(CLI::App& to, std::optional<std::string>& target) {
    choices_[text(to, "--durability", target, "sync (survives power loss when it returns; the default) or relaxed",
                  "MODE")] = {"sync", "relaxed"};
  }

  void lock_timeout_option(CLI::App& to, std::optional<std::string>& target) {
    text(to, "--lock-timeout", target, "How long to wait for another writer: seconds, 500ms, 2m; 5 by default", "TIME");
  }

  void writer_options(CLI::App& to, WriterArguments& writer) {
    lock_timeout_option(to, writer.lock_timeout);
    durability_option(to, writer.durability);
  }

  static void key_options(CLI::App& to, KeyStyle& style, const std::string& what) {
    to.add_flag("--raw", style.raw, "Take `-` and @… literally");
    to.add_flag("--hex", style.hex, fmt::format("Take {} as hexadecimal digits", what));
  }

  void range_options(CLI::App& to, RangeArguments& range) {
    text(to, "--prefix", range.prefix, "Only keys that begin with this", "P");
    text(to, "--from", range.from, "Only this key and those after it", "K");
    text(to, "--to", range.to, "Only this key and those before it", "K");
    to.add_flag("--hex", range.hex, "These three are hexadecimal digits");
  }

  const HiddenWords& words_;
  std::map<const CLI::Option*, std::vector<std::string>> choices_;  // Of those that take only certain words.
  CLI::App app_{"Keeps keys and values in one file, a bucket."};
  std::function<Outcome(Output&)> chosen_;
  InitArguments init_;
  PutArguments put_;
  GetArguments get_;
  DelArguments del_;
  ExistsArguments exists_;
  IncrArguments incr_;
  ExpireArguments expire_;
  ScanArguments scan_;
  CountArguments count_;
  WatchArguments watch_;
  StatsArguments stats_;
  VerifyArguments verify_;
  CompactArguments compact_;
  TrainArguments train_;
  BackupArguments backup_;
  ExportArguments export_;
  ImportArguments import_;
  RepairArguments repair_;
  TopArguments top_;
  ShellArguments shell_;
  BenchArguments bench_;
  CompletionsArguments completions_;
  ManualArguments manual_;
};

}  // namespace

const Outline& outline() {
  static const Outline all = CommandLine(HiddenWords()).outline();
  return all;
}

const CommandOutline* find_command(const std::string& name) {
  const auto& commands = outline().commands;
  const auto found = std::ranges::find(commands, name, &CommandOutline::name);
  return found == commands.end() ? nullptr : &*found;
}

Outcome run_command(const HiddenWords& words, Output& output) {
  return CommandLine(words).run(output);
}

}  // namespace kvb::cli
