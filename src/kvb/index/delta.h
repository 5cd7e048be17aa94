#pragma once
// The delta: what the log says since the last checkpoint, in memory. A hash table from key to the versions of that key,
// newest first. Deletes are versions too.
//
// Keys are not stored: a version names its record, and the record has the key. Whoever looks a key up compares it with
// the records of equal hash; different keys with equal hashes therefore work.
//
// Old versions are kept as long as somebody may still read them: readers see what is published, snapshots see their
// seqno (R8, R28). `push` drops those that nobody can reach any more.
//
// Not synchronised: the store's index lock guards it. Nodes and versions keep their addresses until they are dropped.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kvb::index {

struct Version {
  static constexpr std::uint32_t kDelete = 1;   // The key was removed.
  static constexpr std::uint32_t kExpires = 2;  // The record has a time to live.
  static constexpr std::uint32_t kDamaged = 4;  // The record's key or value failed its checksum when it was replayed.

  std::uint64_t paddr = 0;
  std::uint64_t seqno = 0;
  std::uint64_t record_bytes = 0;
  std::uint32_t flags = 0;
  Version* older = nullptr;

  [[nodiscard]] bool is_delete() const noexcept { return (flags & kDelete) != 0; }
  [[nodiscard]] bool expires() const noexcept { return (flags & kExpires) != 0; }
  [[nodiscard]] bool is_damaged() const noexcept { return (flags & kDamaged) != 0; }
};

struct KeyNode {
  std::uint64_t hash = 0;
  KeyNode* next = nullptr;    // In its bucket.
  Version* newest = nullptr;  // Never null while the node is in the table.
  bool ordered = false;       // The ordered view knows it.

  // The newest version with a seqno up to `limit`, or null.
  [[nodiscard]] const Version* visible(std::uint64_t limit) const noexcept {
    const Version* version = newest;
    while (version != nullptr && version->seqno > limit) version = version->older;
    return version;
  }
};

// Fixed-size objects in large blocks, with a free list.
template <typename T>
class Pool {
 public:
  [[nodiscard]] T* take() {
    if (!free_.empty()) {
      T* object = free_.back();
      free_.pop_back();
      *object = T{};
      return object;
    }
    if (used_ == kBlock || blocks_.empty()) {
      blocks_.push_back(std::make_unique<T[]>(kBlock));
      used_ = 0;
    }
    return &blocks_.back()[used_++];
  }
  void give_back(T* object) { free_.push_back(object); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept {
    return blocks_.size() * kBlock * sizeof(T) + free_.capacity() * sizeof(T*);
  }
  void clear() noexcept {
    blocks_.clear();
    free_.clear();
    used_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = 1024;
  std::vector<std::unique_ptr<T[]>> blocks_;
  std::vector<T*> free_;
  std::size_t used_ = 0;
};

class Delta {
 public:
  Delta();

  // The node of this hash for which `is_same(node)` says yes, or null.
  template <typename Same>
  [[nodiscard]] KeyNode* find(std::uint64_t hash, Same&& is_same) const {
    for (KeyNode* node = buckets_[bucket_of(hash)]; node != nullptr; node = node->next) {
      if (node->hash == hash && is_same(*node)) return node;
    }
    return nullptr;
  }

  // Adds a version to a key, or a new key with its first version if `node` is null; gives the node. Versions older than
  // the newest one at or below `oldest_needed` are dropped.
  KeyNode* push(KeyNode* node, std::uint64_t hash, const Version& version, std::uint64_t oldest_needed);

  // Takes the newest version of a key back (its write failed); the node goes with its last version.
  void pop(KeyNode* node);

  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (KeyNode* node : buckets_) {
      for (; node != nullptr; node = node->next) visit(*node);
    }
  }

  [[nodiscard]] std::size_t nodes() const noexcept { return node_count_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept;
  void clear();

 private:
  [[nodiscard]] std::size_t bucket_of(std::uint64_t hash) const noexcept {
    // Multiply-shift: the high bits of the product depend on all bits of the hash.
    return static_cast<std::size_t>((hash * 0x9E37'79B9'7F4A'7C15ull) >> shift_);
  }
  void grow();

  std::vector<KeyNode*> buckets_;
  unsigned shift_;
  std::size_t node_count_ = 0;
  Pool<KeyNode> node_pool_;
  Pool<Version> version_pool_;
};

}  // namespace kvb::index
