#include "help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace kvb::cli {
namespace {

constexpr std::string_view kGeneral = R"(
FILE is a bucket: one file that holds keys and their values. `kvb COMMAND --help` says more about each command.

Reading KEY and VALUE arguments:
  -         what standard input holds, every byte of it
  @PATH     what the file PATH holds
  --raw     takes them literally, if a key or value itself is `-` or begins with @
  --hex     they are hexadecimal digits, wherever they come from (--hex-key, --hex-value: that one only)
  --        ends the options; needed before a KEY or VALUE that begins with a dash and a letter

Exit codes: 0 fine, 1 the key is not there (or a condition of put or import did not hold), 2 the command line is
wrong, 3 anything else. Errors are one line on standard error; with --format json one JSON object.
NO_COLOR=1 turns colours off; they only ever go to a terminal.

Examples:
  kvb init app.kvb
  kvb put app.kvb greeting "Hello, world"
  kvb get app.kvb greeting
  kvb scan app.kvb --prefix g)";

constexpr std::array kCommands = {
    CommandHelp{"init", "Make a new, empty bucket",
                R"(
A file that is there already is never touched: that is an error. --compression zstd stores values compressed where that
makes them shorter; reading needs no option. The higher the level (3 by default), the shorter, and the slower to write.

Examples:
  kvb init new.kvb
  kvb init small.kvb --compression zstd
  kvb init other.kvb --format json)"},

    CommandHelp{"put", "Set or replace the value of a key",
                R"(
The value is on disk when the command ends. It is kept as text if it is valid UTF-8, else as bytes; --json keeps it as
JSON, after checking it, so that other programs get back a number, a list or a map. With --if-missing, --if-present or
--if-value the exit code is 1 if nothing was changed for that reason; looking and writing are one step. --if-value
compares bytes, of JSON too.

Examples:
  kvb put app.kvb greeting "Hello, world"
  kvb put new.kvb first 1 --create
  kvb put app.kvb user:1 '{"name":"Ann","age":30}' --json
  kvb put app.kvb session:1 "signed in" --ttl 30m
  kvb put app.kvb logo @logo.png
  date | kvb put app.kvb started -
  kvb put app.kvb counter 0 --if-missing --json
  kvb put app.kvb greeting "Hello again" --if-value "Hello, world"
  kvb put app.kvb ff00 48656c6c6f --hex
  kvb put app.kvb @ann - --raw
  kvb put app.kvb temperature -5)"},

    CommandHelp{"get", "Write the value of a key, or of several, to standard output",
                R"(
The bytes alone are written; if standard output is a terminal, a newline ends them. Nothing is written if the key is
not there: the exit code is 1 then. --format hex writes hexadecimal digits, --format json one object:
  {"key":…,"value":…,"kind":"text|json|bytes","expires_at":…,"seqno":…,"written_at":…,"ttl_seconds":…}
where a key or value that is not UTF-8 is called "key_base64" or "value_base64", and a JSON value is itself.

Several keys are read from one state of the bucket and written as lines in their order: KEY, a TAB and VALUE as `scan`
writes them, or with --format json one object each. The exit code is 1 if one of them is not there.

Examples:
  kvb get app.kvb greeting
  kvb get app.kvb greeting user:1
  kvb get app.kvb logo > copy.png
  kvb get app.kvb ff00 --hex
  kvb get app.kvb user:1 --format json)"},

    CommandHelp{"del", "Remove keys",
                R"(
All of them go at once: after a crash or an error every one is still there or none. The exit code is 1 if a key was not
there; the others are removed all the same.

--prefix P removes all keys that begin with P, and says how many there were; --prefix "" removes everything. They go in
batches of about 256: after a crash some may be gone and others not.

Examples:
  kvb del app.kvb greeting
  kvb del app.kvb user:1 session:1
  kvb del app.kvb --prefix tmp:)"},

    CommandHelp{"exists", "Say by the exit code whether a key is there",
                R"(
Exit code 0: the key is there and has not expired; 1: it is not. Words are printed for people only, on a terminal, or
with --format json.

Examples:
  kvb exists app.kvb greeting && echo "There it is."
  kvb exists app.kvb greeting --format json)"},

    CommandHelp{"incr", "Add to a number and show the sum",
                R"(
The value is a whole number of 64 bits in decimal digits, negative ones with a minus; a missing key counts as 0.
Reading and writing are one step, also beside other programs. The key keeps its expiry. BY is 1 if it is left out.

Examples:
  kvb incr app.kvb visits
  kvb incr app.kvb visits 10
  kvb incr app.kvb visits -3 --format json)"},

    CommandHelp{"expire", "Change when a key expires",
                R"(
TIME counts from now: whole seconds, or a number with s, m, h, d or w such as 30m. `never` takes the expiry away. The
value stays. The exit code is 1 if the key is not there.

Examples:
  kvb expire app.kvb session:1 2h
  kvb expire app.kvb session:1 never)"},

    CommandHelp{"scan", "List keys and values in order",
                R"(
Keys are ordered byte by byte. --prefix, --from and --to may be combined; they are taken literally (with --hex, they
are hexadecimal digits). What is listed is one state of the bucket, whatever is written meanwhile.

--format text: one line for each entry, KEY, a TAB, VALUE. In both, a backslash is \\, a tab \t, a newline \n, a
carriage return \r, and any other byte that cannot be shown \xHH, so that every line can be read back exactly.
--format json: one object on a line, the same as of `kvb get --format json` without the last three members.

Examples:
  kvb scan app.kvb
  kvb scan app.kvb --prefix user: --format json
  kvb scan app.kvb --from a --to m --keys
  kvb scan app.kvb --reverse --limit 1)"},

    CommandHelp{"count", "Count keys",
                R"(
Examples:
  kvb count app.kvb
  kvb count app.kvb --prefix user:)"},

    CommandHelp{"watch", "Show changes as they are committed",
                R"(
By whatever program: it reads the log of the bucket, and no change is missed, however fast they come. It goes on until
Ctrl-C, or as --limit and --timeout say. What expires is no change and is not shown.

--from goes on behind a write that was seen before: a seqno, which --format json shows with each change. The log keeps
old writes until compaction gives their space back; if that has happened, it is an error, and nothing is skipped.

--format text: one line for each change: put, a TAB, KEY, a TAB, VALUE; or remove, a TAB, KEY. Escapes as by `kvb scan`.
--format json: one object on a line, with type, seqno, written_at, and what `kvb scan` shows.

Examples:
  kvb watch app.kvb --prefix user: --timeout 100ms
  kvb watch app.kvb --from 0 --limit 3 --format json)"},

    CommandHelp{"stats", "Show sizes and numbers of a bucket",
                R"(
The first part is what the file tells. If a program has the bucket open for writing, the second is what that program
has counted since it opened it, and how long its operations took, as of half a second ago.

--format json: the same as one object; "writer" is null if nobody writes.
--format prometheus: metrics in the text format of Prometheus, with the file's name as label "bucket".

Examples:
  kvb stats app.kvb
  kvb stats app.kvb --format json
  kvb stats app.kvb --format prometheus)"},

    CommandHelp{"verify", "Check every structure and every record of a bucket",
                R"(
The bucket is opened for reading only and may be in use. The exit code is 0 if it is sound and 3 if there are problems;
each is named with its place.

Examples:
  kvb verify app.kvb
  kvb verify app.kvb --format json)"},

    CommandHelp{"compact", "Give the space of removed and replaced data back",
                R"(
A bucket uses the space of what was removed, replaced or has expired again; this gives it back to the file system. The
default does what is cheap: it empties segments of which at least half is dead. --aggressive empties those of which a
tenth is dead; --full rewrites everything, in the order of the keys, which makes the file as short as it can be and
scans as fast as they can be. It needs free space for what it moves: 64 MiB, with --full as much as the live data.
Other programs may read meanwhile; what they still read comes back the next time. A crash loses nothing.

--format json: "file_bytes_before", "file_bytes_after" (the length), "allocated_bytes_before", "allocated_bytes_after"
(the space on the disk), "segments_before", "segments_after", "segments_freed", "records_moved", "bytes_moved",
"seconds"; with --dry-run "gain_bytes": what could come back at most.

Examples:
  kvb compact app.kvb
  kvb compact app.kvb --full
  kvb compact app.kvb --dry-run)"},

    CommandHelp{"train", "Train a dictionary for small values",
                R"(
Small values shrink when what they have in common is stored once, in a dictionary. A compressed bucket trains one by
itself when it has about a MiB of values; this trains one from the values that are there now, and uses it for new
values if it makes them shorter. `kvb compact --full` stores the others anew. --compression changes how values are
stored first; with none new values are stored as they are, and those that are compressed stay so.

--format json: "adopted", if not, "reason"; "dictionary_id", "dictionary_bytes", "samples" (values that it was trained
from), and of other values "sample_bytes", "bytes_before", "bytes_after": what they take without it and with it.

Examples:
  kvb train app.kvb --compression zstd
  kvb train app.kvb --compression none)"},

    CommandHelp{"backup", "Copy a bucket while it is in use",
                R"(
TARGET becomes a bucket with everything that FILE holds at this moment: values, kinds, times, expiries. Other programs
go on writing to FILE meanwhile. The copy is made under the name TARGET.partial and gets its own when it is complete and
on the disk. A file that is there already is never touched: that is an error.

Examples:
  kvb backup app.kvb copy.kvb
  kvb backup app.kvb "copy of $(date +%F).kvb" --format json)"},

    CommandHelp{"export", "Write entries as JSON lines or in a binary format",
                R"(
What `import` reads again: all entries of one state of the bucket, in the order of their keys, whatever their bytes are.
--prefix, --from and --to choose keys as `scan` does.

--format json: one object on a line, as of `kvb scan --format json`. A JSON value with white space between its tokens is
written as a string, "value_text", so that not a byte of it is lost.
--format binary: quicker and smaller; with checksums, and an end that shows whether all of it is there.

Examples:
  kvb export app.kvb > app.jsonl
  kvb export app.kvb users.jsonl --prefix user:
  kvb export app.kvb app.dump --format binary)"},

    CommandHelp{"import", "Read entries that were exported, or made by other programs",
                R"(
SOURCE is what `export` has written, in either format, or lines of other programs. A line is a JSON object:
  {"key":…,"value":…,"kind":"text|json|bytes","expires_at":"2026-11-22T20:15:03Z"}
"key_base64" and "value_base64" stand for bytes that are no text. Without "kind" a string is text, any other value JSON.
"ttl_seconds" may stand instead of "expires_at". Entries that have expired are left out; times are kept to the second.

Entries are applied in batches of up to 1,000, each as a whole or not at all. If a line is wrong, the error names it and
nothing of its batch is applied. A key that is there already is such an error (exit code 1), unless --replace or
--if-missing says what is to win.

Examples:
  kvb import copy.kvb app.jsonl --replace
  kvb import new.kvb app.dump --create --if-missing
  kvb export app.kvb --prefix user: | kvb import copy.kvb - --if-missing --format json
  echo '{"key":"colour","value":"blue"}' | kvb import app.kvb)"},

    CommandHelp{"top", "Show what is happening to a bucket, as it happens",
                R"(
Writes and reads a second, how long they take, and how the file is doing: a picture that is drawn anew every second,
until q or Ctrl-C. It only reads, beside whoever writes.

What the writer does it shows itself, in a page of the file, twice a second. If nobody has the bucket open for writing,
there are only the numbers of the file. If standard output is no terminal, each look is text or, with --format json, one
object on a line.

Examples:
  kvb top app.kvb --interval 100ms --count 2
  kvb top app.kvb --count 1 --interval 100ms --format json)"},

    CommandHelp{"shell", "Type commands on one bucket",
                R"(
One command a line, without `kvb` and without the name of the bucket; quotes and backslashes work as in a POSIX shell,
and # begins a comment. On a terminal lines can be edited, TAB completes commands, options and keys, and what was typed
is kept in ~/.local/state/kvb/history. `help` lists the commands, `exit` or Ctrl-D ends. An error does not end it.

If standard input is no terminal, it reads commands from there, and the exit code is 0 if all of them succeeded, else
that of the last one that did not. Such a command cannot read standard input itself: give it @PATH instead of `-`.

Examples:
  printf 'put a 1\nput b 2\nscan\n' | kvb shell list.kvb --create
  echo "get greeting" | kvb shell app.kvb)"},

    CommandHelp{"bench", "Measure how quick this machine and its disk are",
                R"(
It makes a bucket, writes and reads for some seconds with one thread, shows how many operations there were a second and
how long they took, and removes it. "Disk alone" is a write and a sync without any store: a put that is on the disk when
it returns cannot be quicker. Other programs that run at the same time make the numbers worse.

Examples:
  kvb bench --memory --seconds 1 --keys 2000
  kvb bench bench.kvb --seconds 1 --keys 2000 --format json)"},

    CommandHelp{"completions", "Write a script that completes commands in a shell",
                R"(
An installed kvb has put these where the shells look for them. By hand:
bash: add `source <(kvb completions bash)` to ~/.bashrc; zsh and fish: as below, in a folder that they look into.

Examples:
  source <(kvb completions bash)
  kvb completions zsh > _kvb
  kvb completions fish > kvb.fish)"},

    CommandHelp{"manual", "Write the manual page", ""},

    CommandHelp{"repair", "Save what a damaged bucket still holds into a new one",
                R"(
The damaged file is only read. Every record that is whole is saved, the newest of each key, into the bucket NEW; what is
lost is named with its place. The exit code is 0 if nothing is lost, else 3. A bucket that opens needs no repair: a
crash, a killed process or a full disk never do that.

Examples:
  kvb repair app.kvb --dry-run
  kvb repair app.kvb saved.kvb)"},
};

// Levenshtein's distance: how many letters to add, remove or change.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row[b.size()];
}

// What people who know other stores type.
constexpr std::array<std::pair<std::string_view, std::string_view>, 36> kOtherNames = {{{"create", "init"},
                                                                                        {"new", "init"},
                                                                                        {"set", "put"},
                                                                                        {"add", "put"},
                                                                                        {"delete", "del"},
                                                                                        {"remove", "del"},
                                                                                        {"rm", "del"},
                                                                                        {"mget", "get"},
                                                                                        {"list", "scan"},
                                                                                        {"ls", "scan"},
                                                                                        {"keys", "scan"},
                                                                                        {"follow", "watch"},
                                                                                        {"tail", "watch"},
                                                                                        {"info", "stats"},
                                                                                        {"check", "verify"},
                                                                                        {"recover", "repair"},
                                                                                        {"vacuum", "compact"},
                                                                                        {"shrink", "compact"},
                                                                                        {"increment", "incr"},
                                                                                        {"incrby", "incr"},
                                                                                        {"increase", "incr"},
                                                                                        {"decr", "incr"},
                                                                                        {"ttl", "expire"},
                                                                                        {"persist", "expire"},
                                                                                        {"keep", "expire"},
                                                                                        {"copy", "backup"},
                                                                                        {"cp", "backup"},
                                                                                        {"dump", "export"},
                                                                                        {"load", "import"},
                                                                                        {"restore", "import"},
                                                                                        {"monitor", "top"},
                                                                                        {"repl", "shell"},
                                                                                        {"cli", "shell"},
                                                                                        {"benchmark", "bench"},
                                                                                        {"completion", "completions"},
                                                                                        {"metrics", "stats"}}};

}  // namespace

std::string_view general_help() noexcept {
  return kGeneral;
}

const CommandHelp* command_help(std::string_view name) noexcept {
  const auto* found =
      std::find_if(kCommands.begin(), kCommands.end(), [name](const CommandHelp& help) { return help.name == name; });
  return found == kCommands.end() ? nullptr : found;
}

std::string suggestion(std::string_view word) {
  for (const auto& [other, ours] : kOtherNames) {
    if (word == other) return fmt::format(" Did you mean {}?", ours);
  }
  if (word.size() > 20) return {};
  const auto* nearest = std::min_element(
      kCommands.begin(), kCommands.end(),
      [word](const CommandHelp& a, const CommandHelp& b) { return distance(word, a.name) < distance(word, b.name); });
  return distance(word, nearest->name) <= 2 ? fmt::format(" Did you mean {}?", nearest->name) : std::string();
}

std::string suggestion(std::string_view option, const std::vector<std::string>& options) {
  if (option.size() > 30) return {};
  const auto nearest = std::ranges::min_element(options, {}, [option](const std::string& known) {
    return known.starts_with(option) && option.size() > 3 ? 0 : distance(option, known);
  });
  if (nearest == options.end()) return {};
  const bool near = nearest->starts_with(option) || distance(option, *nearest) <= 2;
  return near ? fmt::format(" Did you mean {}?", *nearest) : std::string();
}

std::string too_much(std::string_view argument) {
  if (argument.starts_with('-') && argument.size() > 1) return fmt::format("There is no option {} here", argument);
  return fmt::format("'{}' is one argument too many", argument);
}

std::string wrong_count(std::string_view message) {
  return fmt::format("{} takes one value and may be given once", message.substr(0, message.find(':')));
}

}  // namespace kvb::cli
