#pragma once
// Dictionaries of compression: bytes that many values of a bucket have in common, so that even a small value shrinks.
//
// A dictionary is what zstd's trainer (ZDICT) makes of samples: a header with its id, tables, and the common bytes. It
// never changes, and its id is a random number of 16 bits that no other dictionary of the bucket has. Values state the
// id of theirs.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "kvb/format/layout.h"

struct ZSTD_CDict_s;
struct ZSTD_DDict_s;

namespace kvb::format {

inline constexpr int kLowestLevel = 1;
inline constexpr int kHighestLevel = 19;

// Ids below are zstd's own.
inline constexpr std::uint16_t kLowestDictionaryId = 256;
inline constexpr std::size_t kMostDictionaryBytes = std::size_t{112} << 10;

class Dictionary {
 public:
  Dictionary(std::uint16_t id, std::vector<std::byte> bytes);
  ~Dictionary();
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  [[nodiscard]] std::uint16_t id() const noexcept { return id_; }
  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }

  // zstd's form of it, made when it is first asked for; null if the bytes are none, or memory has run out. May be
  // called by many threads.
  [[nodiscard]] const ZSTD_DDict_s* for_decoding() const;
  [[nodiscard]] const ZSTD_CDict_s* for_encoding(int level) const;

 private:
  std::uint16_t id_;
  std::vector<std::byte> bytes_;
  mutable std::mutex making_;
  mutable std::atomic<ZSTD_DDict_s*> decoding_{nullptr};
  mutable std::array<std::atomic<ZSTD_CDict_s*>, kHighestLevel + 1> encoding_{};
};

// The id that a trained dictionary states; nothing if the bytes are not one.
[[nodiscard]] std::optional<std::uint16_t> dictionary_id(Bytes bytes) noexcept;

// Trains one from samples, which lie one behind the other in `samples`. Nothing if they do not give one: too few, too
// small, or with nothing in common.
[[nodiscard]] std::optional<std::vector<std::byte>> train_dictionary(std::string_view samples,
                                                                     const std::vector<std::size_t>& sizes,
                                                                     std::size_t most_bytes, std::uint16_t id,
                                                                     int level);

// Dictionaries by their ids. It only grows, so what was found stays, and looking takes no lock.
class DictionaryShelf {
 public:
  DictionaryShelf() = default;
  ~DictionaryShelf();
  DictionaryShelf(const DictionaryShelf&) = delete;
  DictionaryShelf& operator=(const DictionaryShelf&) = delete;

  // The same one again, if it is there already. Another one of the same id hides it.
  const Dictionary* add(std::uint16_t id, Bytes bytes);
  [[nodiscard]] const Dictionary* find(std::uint16_t id) const noexcept {
    for (const Node* node = first_.load(std::memory_order_acquire); node != nullptr; node = node->next) {
      if (node->dictionary.id() == id) return &node->dictionary;
    }
    return nullptr;
  }

 private:
  struct Node {
    Node(std::uint16_t id, Bytes bytes, Node* older) : dictionary(id, {bytes.begin(), bytes.end()}), next(older) {}
    Dictionary dictionary;
    Node* next;
  };
  std::mutex adding_;
  std::atomic<Node*> first_{nullptr};  // The newest.
};

}  // namespace kvb::format
