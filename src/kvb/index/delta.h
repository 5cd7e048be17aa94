#pragma once
// The delta: what the log says since a checkpoint, in memory. A hash table from key to the versions of that key, newest
// first. Deletes are versions too.
//
// Keys are not stored: a version names its record, and the record has the key. Whoever looks a key up compares it with
// the records of equal hash; different keys with equal hashes therefore work.
//
// One thread changes it at a time (the owner's lock); any number read meanwhile, without a lock. That is right because
// nothing that a reader can reach ever changes or goes away, but three kinds of words, each one atomic: a slot of the
// table (empty → node, once), a node's newest version (its older versions stay behind it), and the table itself (a
// larger one takes its place; the old one stays). New things are complete before the word that leads to them is stored
// (release), and readers load that word with acquire. All memory is given back at once, with the delta. Old versions
// are what snapshots read (R8, R28): a reader passes over versions with a seqno above its own.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "kvb/os/large_memory.h"

namespace kvb::index {

struct Version {
  static constexpr std::uint32_t kDelete = 1;   // The key was removed.
  static constexpr std::uint32_t kExpires = 2;  // The record has a time to live.
  static constexpr std::uint32_t kDamaged = 4;  // The record's key or value failed its checksum when it was replayed.

  std::uint64_t paddr = 0;
  std::uint64_t seqno = 0;
  std::uint64_t record_bytes : 40 = 0;
  std::uint64_t flags : 24 = 0;
  const Version* older = nullptr;

  [[nodiscard]] bool is_delete() const noexcept { return (flags & kDelete) != 0; }
  [[nodiscard]] bool expires() const noexcept { return (flags & kExpires) != 0; }
  [[nodiscard]] bool is_damaged() const noexcept { return (flags & kDamaged) != 0; }
};

struct KeyNode {
  // What is known of the key below this delta (in the frozen delta and the base, which do not change any more).
  static constexpr std::uint64_t kBelowUnknown = UINT64_MAX;

  std::uint64_t hash = 0;
  std::atomic<const Version*> newest{nullptr};  // Null only after its only version was taken back.
  // Bytes of the record that the newest version replaces below, 0 if there is none; or kBelowUnknown.
  mutable std::atomic<std::uint64_t> below{kBelowUnknown};
  bool ordered = false;  // The ordered view knows the key. For whoever changes the delta.

  // The newest version with a seqno up to `limit`, or null.
  [[nodiscard]] const Version* visible(std::uint64_t limit) const noexcept {
    const Version* version = newest.load(std::memory_order_acquire);
    while (version != nullptr && version->seqno > limit) version = version->older;
    return version;
  }
};

class Delta {
 public:
  // `expected_nodes`: about how many keys it will get, to begin with a table of that size.
  explicit Delta(std::size_t expected_nodes = 0);
  Delta(const Delta&) = delete;
  Delta& operator=(const Delta&) = delete;

  // The node of this hash for which `is_same(node)` says yes, or null. Any thread.
  template <typename Same>
  [[nodiscard]] KeyNode* find(std::uint64_t hash, Same&& is_same) const {
    const Table* table = table_.load(std::memory_order_acquire);
    const std::uint64_t tag = tag_of(hash);
    for (std::size_t at = table->home(hash);; at = (at + 1) & table->mask) {
      const std::uint64_t slot = table->slots[at].load(std::memory_order_acquire);
      if (slot == 0) return nullptr;
      if ((slot & kTagMask) != tag) continue;
      auto* const node = reinterpret_cast<KeyNode*>(slot & ~kTagMask);
      if (node->hash != hash || node->newest.load(std::memory_order_acquire) == nullptr) continue;
      if (is_same(*node)) return node;
    }
  }

  // The node that `find` would look at first, most likely; null if there seems to be none. Any thread.
  [[nodiscard]] const KeyNode* first_of(std::uint64_t hash) const noexcept {
    const Table* table = table_.load(std::memory_order_acquire);
    const std::uint64_t slot = table->slots[table->home(hash)].load(std::memory_order_acquire);
    return slot != 0 && (slot & kTagMask) == tag_of(hash) ? reinterpret_cast<const KeyNode*>(slot & ~kTagMask)
                                                          : nullptr;
  }

  // Asks the processor for the place where `find` begins. Any thread.
  void prefetch(std::uint64_t hash) const noexcept {
    const Table* table = table_.load(std::memory_order_acquire);
    __builtin_prefetch(&table->slots[table->home(hash)]);
  }

  // The same for the node that `find` would look at first; to be called some time after prefetch().
  void prefetch_node(std::uint64_t hash) const noexcept {
    const Table* table = table_.load(std::memory_order_acquire);
    const std::uint64_t slot = table->slots[table->home(hash)].load(std::memory_order_acquire);
    if ((slot & kTagMask) == tag_of(hash)) __builtin_prefetch(reinterpret_cast<const void*>(slot & ~kTagMask));
  }

  // Adds a version to a key, or a new key with its first version if `node` is null; gives the node.
  KeyNode* push(KeyNode* node, std::uint64_t hash, const Version& version);

  // Takes the newest version of a key back (its write failed; no reader's limit reaches it). A node that has none left
  // stays as a dead one, which readers pass over.
  void pop(KeyNode* node);

  // Every node that has a version, nearly in the order of the hashes: a node may lie a few places behind its own, and
  // those that found no room at the end of the table come first. Any thread; those that come meanwhile may be missed.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    const Table* table = table_.load(std::memory_order_acquire);
    for (std::size_t at = 0; at <= table->mask; ++at) {
      const std::uint64_t slot = table->slots[at].load(std::memory_order_acquire);
      // Nodes lie anywhere in memory: ask for them some time before they are looked at.
      table->prefetch_nodes(at);
      if (slot == 0) continue;
      auto* const node = reinterpret_cast<KeyNode*>(slot & ~kTagMask);
      if (node->newest.load(std::memory_order_acquire) != nullptr) visit(*node);
    }
  }

  [[nodiscard]] std::size_t nodes() const noexcept { return node_count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_.load(std::memory_order_relaxed); }

 private:
  // Addresses of user space have 47 bits; the others of a slot hold bits of the hash, so that most probes of other keys
  // end at the slot.
  static constexpr std::uint64_t kTagMask = std::uint64_t{0xFFFF} << 48;
  [[nodiscard]] static std::uint64_t tag_of(std::uint64_t hash) noexcept { return hash << 48; }

  struct Table {
    explicit Table(unsigned bits)
        : shift(64 - bits),
          mask((std::size_t{1} << bits) - 1),
          memory((mask + 1) * sizeof(std::uint64_t), os::Pages::when_used),
          slots(reinterpret_cast<std::atomic<std::uint64_t>*>(memory.data())) {
      // What is large is zero as it comes, and takes up memory only where it is used.
      if (memory.size() < os::kLargeBytes) std::memset(memory.data(), 0, memory.size());
    }
    // The hash is seeded and good in all its bits; its highest ones keep the table in the order of the hashes, which is
    // that of the base, so that the two can be merged without sorting much.
    [[nodiscard]] std::size_t home(std::uint64_t hash) const noexcept {
      return static_cast<std::size_t>(hash >> shift);
    }
    // Asks for the node that a walk over the table will come to in a while.
    void prefetch_nodes(std::size_t at) const noexcept {
      constexpr std::size_t kAhead = 24;
      const std::uint64_t slot = slots[(at + kAhead) & mask].load(std::memory_order_relaxed);
      // Of an empty slot nothing is asked for that could matter.
      __builtin_prefetch(reinterpret_cast<const void*>(slot & ~kTagMask));
      __builtin_prefetch(reinterpret_cast<const void*>((slot & ~kTagMask) + 64));
    }
    unsigned shift;
    std::size_t mask;
    os::LargeBlock memory;
    std::atomic<std::uint64_t>* slots;
  };

  [[nodiscard]] std::byte* take(std::size_t bytes);
  static void insert(Table& table, KeyNode* node) noexcept;
  void add_table(unsigned bits);

  std::atomic<Table*> table_{nullptr};
  std::vector<std::unique_ptr<Table>> tables_;  // The former ones too: readers may still be in them.
  unsigned bits_;
  std::size_t used_slots_ = 0;
  std::atomic<std::size_t> node_count_{0};
  std::atomic<std::size_t> memory_bytes_{0};

  std::vector<os::LargeBlock> blocks_;
  std::size_t block_bytes_ = 0;
  std::size_t block_used_ = 0;
};

}  // namespace kvb::index
