#include "kvb/index/delta.h"

#include <algorithm>

namespace kvb::index {
namespace {

constexpr unsigned kInitialBits = 4;
constexpr std::size_t kFirstBlockBytes = 2 * 1024;
constexpr std::size_t kLargestBlockBytes = 512 * 1024;

bool is_too_full(std::size_t nodes, unsigned bits) noexcept {
  return nodes * 4 > (std::size_t{1} << bits) * 3;
}

}  // namespace

Delta::Delta(std::size_t expected_nodes) : bits_(kInitialBits) {
  while (is_too_full(expected_nodes, bits_)) ++bits_;
  add_table(bits_);
}

void Delta::add_table(unsigned bits) {
  auto table = std::make_unique<Table>(bits);
  if (const Table* former = table_.load(std::memory_order_relaxed)) {
    for (std::size_t at = 0; at <= former->mask; ++at) {
      const std::uint64_t slot = former->slots[at].load(std::memory_order_relaxed);
      former->prefetch_nodes(at);
      if (slot != 0) insert(*table, reinterpret_cast<KeyNode*>(slot & ~kTagMask));
    }
  }
  memory_bytes_.fetch_add((table->mask + 1) * sizeof(std::uint64_t), std::memory_order_relaxed);
  bits_ = bits;
  table_.store(table.get(), std::memory_order_release);
  tables_.push_back(std::move(table));
}

void Delta::insert(Table& table, KeyNode* node) noexcept {
  std::size_t at = table.home(node->hash);
  while (table.slots[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & table.mask;
  table.slots[at].store(tag_of(node->hash) | reinterpret_cast<std::uint64_t>(node), std::memory_order_release);
}

std::byte* Delta::take(std::size_t bytes) {
  if (block_bytes_ - block_used_ < bytes) {
    block_bytes_ = blocks_.empty() ? kFirstBlockBytes : std::min(block_bytes_ * 2, kLargestBlockBytes);
    blocks_.emplace_back(block_bytes_);
    memory_bytes_.fetch_add(block_bytes_, std::memory_order_relaxed);
    block_used_ = 0;
  }
  std::byte* const taken = blocks_.back().data() + block_used_;
  block_used_ += bytes;
  return taken;
}

KeyNode* Delta::push(KeyNode* node, std::uint64_t hash, const Version& version) {
  static_assert(sizeof(KeyNode) % alignof(Version) == 0 && sizeof(Version) % alignof(KeyNode) == 0);
  const bool is_new = node == nullptr;
  if (is_new) {
    // The node and its first version lie side by side: they are read together.
    node = new (take(sizeof(KeyNode) + sizeof(Version))) KeyNode;
    node->hash = hash;
  }
  auto* const added =
      new (is_new ? reinterpret_cast<std::byte*>(node) + sizeof(KeyNode) : take(sizeof(Version))) Version(version);
  added->older = node->newest.load(std::memory_order_relaxed);
  node->newest.store(added, std::memory_order_release);
  if (is_new) {
    if (is_too_full(used_slots_ + 1, bits_)) add_table(bits_ + 1);
    insert(*table_.load(std::memory_order_relaxed), node);
    ++used_slots_;
    node_count_.fetch_add(1, std::memory_order_relaxed);
  }
  return node;
}

void Delta::pop(KeyNode* node) {
  const Version* older = node->newest.load(std::memory_order_relaxed)->older;
  node->newest.store(older, std::memory_order_release);
  if (older == nullptr) node_count_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace kvb::index
