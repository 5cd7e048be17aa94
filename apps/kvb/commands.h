#pragma once
// The commands behind the command line. main.cpp fills these structs from the arguments as they stand; each command
// reads and checks them, does its work, and writes to the Output. Nothing here knows the command line parser.

#include <kvb/bucket.h>

#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "output.h"

namespace kvb::cli {

struct CommonArguments {
  std::string file;
  std::optional<std::string> format;  // Nothing: the command's default.
};

struct KeyStyle {
  bool raw = false;      // --raw
  bool hex = false;      // --hex
  bool hex_key = false;  // --hex-key
};

// For commands that write.
struct WriterArguments {
  std::optional<std::string> lock_timeout;  // Nothing: the engine's default.
  std::optional<std::string> durability;    // Nothing: sync.
};

struct InitArguments : CommonArguments {
  std::optional<std::string> durability;
  std::optional<std::string> compression;
};

struct PutArguments : CommonArguments {
  std::string key;
  std::string value;
  KeyStyle style;
  bool hex_value = false;
  WriterArguments writer;
  std::optional<std::string> ttl;
  bool if_missing = false;
  bool if_present = false;
  std::optional<std::string> if_value;
  bool text = false;
  bool json = false;
  bool bytes = false;
  bool create = false;
};

struct GetArguments : CommonArguments {
  std::vector<std::string> keys;
  KeyStyle style;
};

struct ExistsArguments : CommonArguments {
  std::string key;
  KeyStyle style;
};

struct DelArguments : CommonArguments {
  std::vector<std::string> keys;
  std::optional<std::string> prefix;  // Instead of keys.
  KeyStyle style;
  WriterArguments writer;
};

struct IncrArguments : CommonArguments {
  std::string key;
  std::optional<std::string> by;  // Nothing: 1.
  KeyStyle style;
  WriterArguments writer;
  bool create = false;
};

struct ExpireArguments : CommonArguments {
  std::string key;
  std::string time;  // As for --ttl, or "never".
  KeyStyle style;
  WriterArguments writer;
};

struct RangeArguments : CommonArguments {
  std::optional<std::string> prefix;
  std::optional<std::string> from;
  std::optional<std::string> to;
  bool hex = false;
};

struct ScanArguments : RangeArguments {
  bool reverse = false;
  std::optional<std::string> limit;
  bool keys = false;
};

struct CountArguments : RangeArguments {};

struct WatchArguments : CommonArguments {
  std::optional<std::string> prefix;
  bool hex = false;
  std::optional<std::string> from;
  std::optional<std::string> limit;
  std::optional<std::string> timeout;
  bool keys = false;
};

struct StatsArguments : CommonArguments {};
struct VerifyArguments : CommonArguments {};

struct CompactArguments : CommonArguments {
  bool aggressive = false;
  bool full = false;
  bool dry_run = false;
  WriterArguments writer;  // Of these, only how long to wait.
};

struct TrainArguments : CommonArguments {
  std::optional<std::string> compression;
  WriterArguments writer;  // Of these, only how long to wait.
};

struct BackupArguments : CommonArguments {
  std::string target;
};

struct ExportArguments : RangeArguments {
  std::optional<std::string> target;  // Nothing: standard output.
};

struct ImportArguments : CommonArguments {
  std::optional<std::string> source;  // Nothing, or `-`: standard input.
  std::optional<std::string> prefix;
  bool hex = false;
  bool replace = false;
  bool if_missing = false;
  bool create = false;
  WriterArguments writer;
};

struct RepairArguments : CommonArguments {
  std::optional<std::string> target;  // NEW; not given with --dry-run.
  bool dry_run = false;
};

struct TopArguments : CommonArguments {
  std::optional<std::string> interval;  // Nothing: a second.
  std::optional<std::string> count;     // Nothing: without end.
};

struct ShellArguments : CommonArguments {
  bool create = false;
};

struct BenchArguments : CommonArguments {  // `file` may be empty.
  bool memory = false;
  std::optional<std::string> keys;
  std::optional<std::string> value_bytes;
  std::optional<std::string> seconds;
};

struct CompletionsArguments {
  std::string shell;
};

struct ManualArguments {};

[[nodiscard]] Outcome run(const InitArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const PutArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const DelArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const GetArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const ExistsArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const IncrArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const ExpireArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const ScanArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const CountArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const WatchArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const StatsArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const VerifyArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const CompactArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const TrainArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const BackupArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const ExportArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const ImportArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const RepairArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const TopArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const ShellArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const BenchArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const CompletionsArguments& arguments, Output& output);
[[nodiscard]] Outcome run(const ManualArguments& arguments, Output& output);

// What the commands share.

// The format that was asked for, or the first of `known` if none was. A usage failure if it is not known.
[[nodiscard]] Expected<std::string> choose_format(const CommonArguments& arguments,
                                                  const std::vector<std::string>& known);

[[nodiscard]] Expected<Durability> read_durability(const std::optional<std::string>& text);
// none, zstd or zstd:LEVEL.
[[nodiscard]] Expected<Compression> read_compression(const std::optional<std::string>& text);

// The bytes of a KEY argument.
[[nodiscard]] Expected<std::string> read_key(const std::string& argument, const KeyStyle& style);

// The keys of --prefix, --from and --to.
[[nodiscard]] Expected<ScanOptions> read_range(const RangeArguments& arguments);

// The bytes of several. Only one of them can come from standard input.
[[nodiscard]] Expected<std::vector<std::string>> read_keys(const std::vector<std::string>& arguments,
                                                           const KeyStyle& style);

// "FILE has no key 'K' and 2 more of these"; without a full stop.
[[nodiscard]] std::string no_such_keys(const std::string& file, const std::vector<std::string>& keys);

// Opens for writing, or for reading only, with errors as failures.
[[nodiscard]] Expected<Bucket> open_for_writing(const CommonArguments& arguments, const WriterArguments& writer,
                                                bool create);
[[nodiscard]] Expected<Bucket> open_for_reading(const CommonArguments& arguments);

// Ends a writing command: what close() cannot make durable is a failure.
[[nodiscard]] Outcome close_bucket(Bucket& bucket);

// Writes what a command answers, and ends it well.
[[nodiscard]] Outcome tell(Output& output, std::string_view text);

// A name as it is shown in messages: escaped.
[[nodiscard]] std::string shown_name(std::string_view name);

// A key as it is shown in messages: quoted, escaped, shortened.
[[nodiscard]] std::string shown_key(std::string_view key);

// "1 key", "2,000 keys".
[[nodiscard]] std::string plural(std::uint64_t number, std::string_view noun);

// Appends the members of an entry: "key", and with values "value" and "kind", and "expires_at" if it expires.
void append_entry_members(std::string& out, std::string_view key, const Value& value, bool with_value);

}  // namespace kvb::cli
