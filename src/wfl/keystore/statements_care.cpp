// Looking after a keystore: flush, verify, statistics, compact, back up, take snapshot; and what is still to come.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "wfl/keystore/statements.h"
#include "wfl/vm/heap.h"
#include "wfl/vm/operations.h"

namespace wfl::keystore {
namespace {

void set_number(vm::NativeCall& call, vm::Map* map, std::string_view name, double number) {
  call.heap.map_set(map, name, vm::Value::number(number));
}
void set_number(vm::NativeCall& call, vm::Map* map, std::string_view name, std::uint64_t number) {
  set_number(call, map, name, static_cast<double>(number));
}
void set_text(vm::NativeCall& call, vm::Map* map, std::string_view name, std::string_view text) {
  call.heap.map_set(map, name, call.make_text(text));
}

// The open keystore in an argument, which must be one with a file of its own.
Keystore* whole_keystore_argument(vm::NativeCall& call, std::string_view statement, Access access) {
  Keystore* keystore = keystore_argument(call, 0, access);
  if (keystore == nullptr || !keystore->is_snapshot()) return keystore;
  call.fail(fmt::format(
      "`{}` is for a keystore, and this is a snapshot of the keystore \"{}\", which has no file of its own. "
      "Name the keystore itself.",
      statement, keystore->path()));
  return nullptr;
}

// keystore.flush: keystore
vm::Value flush(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  if (call.failed()) return vm::Value::null();
  if (keystore->read_only()) return vm::Value::null();  // It has written nothing.
  if (const auto flushed = keystore->bucket().flush(); !flushed) {
    return fail_with(call, flushed.error(), keystore->path());
  }
  return vm::Value::null();
}

// keystore.verify: keystore
vm::Value verify(vm::NativeCall& call) {
  Keystore* keystore = whole_keystore_argument(call, "verify", Access::read);
  if (call.failed()) return vm::Value::null();
  const auto report = keystore->bucket().verify();
  if (!report) return fail_with(call, report.error(), keystore->path());
  vm::List* problems = call.heap.list();
  for (const kvb::VerifyProblem& problem : report->problems) {
    problems->items.push_back(call.make_text(fmt::format("{} (at byte {})", problem.message, problem.offset_bytes)));
  }
  vm::Map* map = call.heap.map();
  call.heap.map_set(map, "ok", vm::Value::boolean(report->ok()));
  set_number(call, map, "records", report->records);
  call.heap.map_set(map, "problems", vm::Value(problems));
  set_number(call, map, "keys", report->keys);
  set_number(call, map, "segments", report->segments);
  set_number(call, map, "bytes", report->bytes);
  return vm::Value(map);
}

void set_latency(vm::NativeCall& call, vm::Map* map, std::string_view name, const Latency& latency) {
  constexpr double kNanosecondsInMicrosecond = 1000;
  const auto microseconds = [](std::uint64_t ns) { return static_cast<double>(ns) / kNanosecondsInMicrosecond; };
  vm::Map* entry = call.heap.map();
  set_number(call, entry, "measured", latency.measured());
  set_number(call, entry, "median_us", microseconds(latency.quantile_ns(0.5)));
  set_number(call, entry, "p99_us", microseconds(latency.quantile_ns(0.99)));
  set_number(call, entry, "slowest_us", microseconds(latency.slowest_ns()));
  call.heap.map_set(map, name, vm::Value(entry));
}

// keystore.statistics: keystore, detailed
vm::Value statistics(vm::NativeCall& call) {
  Keystore* keystore = whole_keystore_argument(call, "get statistics from", Access::read);
  if (call.failed()) return vm::Value::null();
  const kvb::Stats stats = keystore->bucket().stats();
  vm::Map* map = call.heap.map();
  set_number(call, map, "keys", stats.keys);
  set_number(call, map, "live_bytes", stats.live_bytes);
  set_number(call, map, "file_bytes", stats.file_bytes);
  set_number(call, map, "puts", stats.puts);
  set_number(call, map, "gets", stats.gets);
  set_number(call, map, "hits", stats.hits);
  set_number(call, map, "hit_rate",
             stats.gets == 0 ? 0.0 : static_cast<double>(stats.hits) / static_cast<double>(stats.gets));
  set_number(call, map, "deletes", stats.deletes);
  set_number(call, map, "batches", stats.batches);
  set_number(call, map, "bytes_written", stats.bytes_written);
  if (!vm::truthy(call[1])) return vm::Value(map);
  set_number(call, map, "allocated_bytes", stats.allocated_bytes);
  set_number(call, map, "segments", stats.segments);
  set_number(call, map, "journal_bytes", stats.journal_bytes);
  set_number(call, map, "memory_bytes", stats.memory_bytes);
  set_number(call, map, "index_bytes", stats.index_bytes);
  set_number(call, map, "checkpoints", stats.checkpoints);
  set_number(call, map, "snapshots", stats.snapshots);
  set_number(call, map, "oldest_snapshot_age", stats.oldest_snapshot_age);
  set_number(call, map, "syncs", stats.syncs);
  set_number(call, map, "epoch", stats.epoch);
  set_number(call, map, "committed_seqno", stats.committed_seqno);
  set_number(call, map, "synced_seqno", stats.synced_seqno);
  set_number(call, map, "replayed_records", stats.replayed_records);
  set_number(call, map, "recovery_cuts", stats.recovery_cuts);
  set_number(call, map, "lost_records", stats.lost_records);
  vm::Map* latency = call.heap.map();
  set_latency(call, latency, "reads", keystore->reads());
  set_latency(call, latency, "writes", keystore->writes());
  set_latency(call, latency, "batches", keystore->batches());
  call.heap.map_set(map, "latency", vm::Value(latency));
  call.heap.map_set(map, "read_only", vm::Value::boolean(stats.read_only));
  call.heap.map_set(map, "writing_has_failed", vm::Value::boolean(stats.poisoned));
  set_text(call, map, "durability", stats.durability == kvb::Durability::sync ? "sync" : "relaxed");
  set_text(call, map, "uuid", stats.uuid);
  call.heap.map_set(map, "created", vm::Value(call.heap.date_time(stats.created_at_ns / 1'000'000'000)));
  return vm::Value(map);
}

struct StrategyName {
  std::string_view name;
  kvb::CompactStrategy strategy;
};
constexpr std::array<StrategyName, 3> kStrategies = {{{"auto", kvb::CompactStrategy::automatic},
                                                      {"aggressive", kvb::CompactStrategy::aggressive},
                                                      {"full", kvb::CompactStrategy::full}}};

std::optional<kvb::CompactStrategy> strategy_called(vm::Value value) {
  if (!value.is_text()) return std::nullopt;
  const auto* found = std::ranges::find(kStrategies, value.as_text(), &StrategyName::name);
  return found == kStrategies.end() ? std::nullopt : std::optional(found->strategy);
}

std::string no_such_strategy(vm::Value value) {
  std::string message = fmt::format("There is no strategy {}.", vm::debug_form(value));
  // Their first two letters are enough to tell them apart, whatever follows.
  const std::string_view word = value.is_text() ? value.as_text() : std::string_view();
  for (const auto& [name, strategy] : kStrategies) {
    if (word.size() >= 2 && (word[0] | 0x20) == name[0] && (word[1] | 0x20) == name[1]) {
      message += fmt::format(" Did you mean \"{}\"?", name);
    }
  }
  return message + " The strategies of `compact` are \"auto\", \"aggressive\" and \"full\".";
}

// keystore.compact: keystore, strategy?
vm::Value compact(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::write);
  if (call.failed()) return vm::Value::null();
  if (keystore->in_batch()) {
    return call.fail(
        fmt::format("The keystore \"{}\" cannot be compacted in the middle of its batch. Do it after `end batch`.",
                    keystore->path()));
  }
  std::optional<kvb::CompactStrategy> strategy = kvb::CompactStrategy::automatic;
  if (!call[1].is_undefined()) strategy = strategy_called(call[1]);
  if (!strategy) return call.fail(no_such_strategy(call[1]));

  const auto start = std::chrono::steady_clock::now();
  const auto report = keystore->bucket().compact({.strategy = *strategy});
  if (!report) return fail_with(call, report.error(), keystore->path());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  vm::Map* map = call.heap.map();
  set_number(call, map, "bytes_before", report->file_bytes_before);
  set_number(call, map, "bytes_after", report->file_bytes_after);
  set_number(call, map, "records_moved", report->records_moved);
  set_number(call, map, "seconds", took.count());
  set_number(call, map, "allocated_bytes_before", report->allocated_bytes_before);
  set_number(call, map, "allocated_bytes_after", report->allocated_bytes_after);
  set_number(call, map, "segments_freed", report->segments_freed);
  return vm::Value(map);
}

// What went wrong with a backup. The engine's errors that name the copy are told with the copy's path.
vm::Error backup_error(const kvb::Error& error, const Keystore& keystore, const std::string& target) {
  using kvb::ErrorCode;
  const bool of_the_copy = error.path == target || error.path.starts_with(target + ".");
  vm::Error described = describe(error, of_the_copy ? error.path : keystore.path());
  std::error_code unknown;
  if (error.code == ErrorCode::already_exists && std::filesystem::equivalent(target, keystore.path(), unknown)) {
    described.message =
        fmt::format("\"{}\" is the keystore itself, so it cannot be its backup. Choose another name.", target);
  } else if (error.code == ErrorCode::already_exists) {
    described.message = fmt::format(
        "There is a file at \"{0}\" already, and `back up` never overwrites one. Choose another name, or delete it "
        "first with: delete file at \"{0}\".",
        error.path);
    if (error.path != target) {
      described.message += " It may be what an interrupted backup has left, or one that is under way.";
    }
  } else if (error.code == ErrorCode::not_found && of_the_copy) {
    const std::string folder = std::filesystem::path(target).parent_path().string();
    described.message = fmt::format(
        "No backup can be made at \"{}\", because there is no folder \"{}\". Make the folder first with: create "
        "directory at \"{}\".",
        target, folder, folder);
  } else if (error.code == ErrorCode::full && of_the_copy) {
    described.message = fmt::format(
        "There is no space left on the disk for the backup \"{}\", so none was made. Make room and try again.", target);
  } else if (error.code == ErrorCode::permission_denied && of_the_copy) {
    described.message = fmt::format(
        "The rights to make the backup \"{}\" are missing. Choose another folder, or ask its owner.", target);
  }
  return described;
}

// keystore.back_up: keystore, path
vm::Value back_up(vm::NativeCall& call) {
  Keystore* keystore = whole_keystore_argument(call, "back up", Access::read);
  if (call.failed()) return vm::Value::null();
  if (!call[1].is_text() || call[1].as_text().empty()) {
    return call.fail(fmt::format("A backup needs a path that is a text such as \"copy.kvb\", but this is {} {}.",
                                 vm::type_name(call[1]), vm::debug_form(call[1])));
  }
  const std::string target(call[1].as_text());
  if (target.find('\0') != std::string::npos) {
    return call.fail("The path of a backup must not have a zero character in it.");
  }
  if (const auto done = keystore->bucket().backup(target); !done) {
    return fail_with(call, backup_error(done.error(), *keystore, target));
  }
  return vm::Value::null();
}

// keystore.snapshot: keystore
vm::Value take_snapshot(vm::NativeCall& call) {
  Keystore* keystore = keystore_argument(call, 0, Access::read);
  if (call.failed()) return vm::Value::null();
  auto taken = keystore->snapshot();
  if (!taken) return fail_with(call, taken.error(), keystore->path());
  return vm::Value(call.heap.make<Keystore>(*keystore, std::move(*taken)));
}

// keystore.change_secret: keystore, secret
vm::Value change_secret(vm::NativeCall& call) {
  if (keystore_argument(call, 0, Access::write) == nullptr) return vm::Value::null();
  return fail_with(call, not_yet("Encryption", "The keystore has been left as it is: not encrypted."));
}

}  // namespace

void register_care_statements(vm::HostTable& table) {
  table.add("keystore.flush", flush);
  table.add("keystore.verify", verify);
  table.add("keystore.statistics", statistics);
  table.add("keystore.compact", compact);
  table.add("keystore.back_up", back_up);
  table.add("keystore.snapshot", take_snapshot);
  table.add("keystore.change_secret", change_secret);
}

}  // namespace wfl::keystore
