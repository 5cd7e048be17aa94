#include "kvb/index/delta.h"

namespace kvb::index {
namespace {

constexpr unsigned kInitialBits = 6;

}  // namespace

Delta::Delta() : buckets_(std::size_t{1} << kInitialBits), shift_(64 - kInitialBits) {}

void Delta::grow() {
  std::vector<KeyNode*> old(buckets_.size() * 2);
  old.swap(buckets_);
  --shift_;
  for (KeyNode* node : old) {
    while (node != nullptr) {
      KeyNode* next = node->next;
      KeyNode*& head = buckets_[bucket_of(node->hash)];
      node->next = head;
      head = node;
      node = next;
    }
  }
}

KeyNode* Delta::push(KeyNode* node, std::uint64_t hash, const Version& version, std::uint64_t oldest_needed) {
  Version* added = version_pool_.take();
  *added = version;
  if (node == nullptr) {
    if (node_count_ >= buckets_.size()) grow();
    node = node_pool_.take();
    node->hash = hash;
    KeyNode*& head = buckets_[bucket_of(hash)];
    node->next = head;
    head = node;
    ++node_count_;
    added->older = nullptr;
    node->newest = added;
    return node;
  }
  added->older = node->newest;
  node->newest = added;
  // Everything behind the first version that the oldest reader sees is out of reach.
  Version* last_needed = added;
  while (last_needed != nullptr && last_needed->seqno > oldest_needed) last_needed = last_needed->older;
  if (last_needed != nullptr) {
    Version* dropped = last_needed->older;
    last_needed->older = nullptr;
    while (dropped != nullptr) {
      Version* older = dropped->older;
      version_pool_.give_back(dropped);
      dropped = older;
    }
  }
  return node;
}

void Delta::pop(KeyNode* node) {
  Version* taken = node->newest;
  node->newest = taken->older;
  version_pool_.give_back(taken);
  if (node->newest != nullptr) return;
  KeyNode** link = &buckets_[bucket_of(node->hash)];
  while (*link != node) link = &(*link)->next;
  *link = node->next;
  --node_count_;
  node_pool_.give_back(node);
}

std::size_t Delta::memory_bytes() const noexcept {
  return buckets_.capacity() * sizeof(KeyNode*) + node_pool_.memory_bytes() + version_pool_.memory_bytes();
}

void Delta::clear() {
  buckets_.assign(std::size_t{1} << kInitialBits, nullptr);
  shift_ = 64 - kInitialBits;
  node_count_ = 0;
  node_pool_.clear();
  version_pool_.clear();
}

}  // namespace kvb::index
