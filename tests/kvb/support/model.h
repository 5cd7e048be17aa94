#pragma once
// What a bucket should hold, as a std::map: the oracle of the model test and of the crash test.

#include <kvb/bucket.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kvb::testing {

struct ModelValue {
  std::string bytes;
  ValueKind kind = ValueKind::bytes;
  std::uint32_t ttl_seconds = 0;
  std::int64_t expires_at_ns = 0;  // 0: never.

  friend bool operator==(const ModelValue&, const ModelValue&) = default;
};

using Model = std::map<std::string, ModelValue>;

inline bool is_live(const ModelValue& value, std::int64_t now_ns) {
  return value.expires_at_ns == 0 || now_ns < value.expires_at_ns;
}

inline ModelValue model_value(std::string_view bytes, const PutOptions& options, std::int64_t now_ns) {
  return {.bytes = std::string(bytes),
          .kind = options.kind,
          .ttl_seconds = options.ttl_seconds,
          .expires_at_ns = options.ttl_seconds == 0 ? 0 : now_ns + std::int64_t{options.ttl_seconds} * 1'000'000'000};
}

inline void apply(Model& model, const Batch& batch, std::int64_t now_ns) {
  for (const auto& operation : batch.operations()) {
    if (operation.type == Batch::Operation::Type::put) {
      model[operation.key] =
          model_value(operation.value, {.ttl_seconds = operation.ttl_seconds, .kind = operation.kind}, now_ns);
    } else if (operation.type == Batch::Operation::Type::remove) {
      model.erase(operation.key);
    }
  }
}

// The live part, in order, cut to what the scan asks for.
inline std::vector<std::pair<std::string, ModelValue>> model_scan(const Model& model, const ScanOptions& options,
                                                                  std::int64_t now_ns) {
  std::vector<std::pair<std::string, ModelValue>> found;
  for (const auto& [key, value] : model) {
    if (!is_live(value, now_ns)) continue;
    if (!key.starts_with(options.prefix)) continue;
    if (options.from && key < *options.from) continue;
    if (options.to && key > *options.to) continue;
    found.emplace_back(key, value);
  }
  if (options.reverse) std::reverse(found.begin(), found.end());
  if (found.size() > options.limit) found.resize(options.limit);
  return found;
}

// Short enough to be shown: the first difference between what was found and what should be there, or nothing.
inline std::string difference(const std::vector<Entry>& found,
                              const std::vector<std::pair<std::string, ModelValue>>& expected, bool keys_only = false) {
  const auto shown = [](const std::string& text) {
    return "'" + text.substr(0, 40) + (text.size() > 40 ? "…' (" + std::to_string(text.size()) + " bytes)" : "'");
  };
  for (std::size_t i = 0; i < std::max(found.size(), expected.size()); ++i) {
    if (i >= found.size()) return "key " + shown(expected[i].first) + " is missing";
    if (i >= expected.size()) return "key " + shown(found[i].key) + " should not be there";
    const auto& entry = found[i];
    const auto& [key, value] = expected[i];
    if (entry.key != key) return "key " + shown(entry.key) + " instead of " + shown(key);
    if (entry.value.bytes != (keys_only ? std::string() : value.bytes)) {
      return "key " + shown(key) + " has " + shown(entry.value.bytes) + " instead of " + shown(value.bytes);
    }
    if (keys_only) {
      const Value& nothing = entry.value;
      if (nothing.kind != ValueKind::bytes || nothing.seqno != 0 || nothing.written_at_ns != 0 ||
          nothing.ttl_seconds != 0) {
        return "key " + shown(key) + " has something of its value";
      }
      continue;
    }
    if (entry.value.kind != value.kind) return "key " + shown(key) + " has another kind of value";
    if (entry.value.expires_at_ns().value_or(0) != value.expires_at_ns) {
      return "key " + shown(key) + " expires at " + std::to_string(entry.value.expires_at_ns().value_or(0)) +
             " instead of " + std::to_string(value.expires_at_ns);
    }
  }
  return {};
}

}  // namespace kvb::testing
