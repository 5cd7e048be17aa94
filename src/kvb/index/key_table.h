#pragma once
// The base's ordered key table on disk: all keys of one checkpoint in byte order, without their values or places
// (overwriting a key does not change it). Immutable; a checkpoint writes a new one by merging, if keys came or went.
//
// A B+tree in a page run: the leaves first, in order, then each level of branches above them, the topmost page last.
//
//   leaf front-coded keys: {shared u16, rest u16, bytes}. `shared` bytes are those of the key before; a page's
//           first key shares none.
//   branch {child u32, length u16, bytes}: the first bytes that tell the child's first key from the key before it
//           (a shortened separator). The first entry's is empty. The header's link is the level, 1 above the
//           leaves. A separator that would be longer than 1000 bytes is cut there, with the top bit of `length`
//           set; where that decides, the child's first key is read.
//
// A key longer than 1000 bytes is cut: its entry has its first 1000 bytes, with the top bit of `rest` set, then {total
// length u16, page u32}: the rest lies in overflow pages of the run, each linked to the next, written before the leaf.

#include <kvb/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kvb/space/page_run.h"

namespace kvb::index {

inline constexpr std::size_t kInlineKeyBytes = 1000;

class KeyTableWriter {
 public:
  explicit KeyTableWriter(space::PageRunWriter& run) : run_(&run) {}

  // Keys must come in order, each once.
  [[nodiscard]] Result<void> add(std::string_view key);
  // Writes the last leaf and the branches.
  [[nodiscard]] Result<void> finish();
  [[nodiscard]] std::uint64_t keys() const noexcept { return keys_; }

 private:
  struct Child {
    std::string separator;
    std::uint64_t page;
  };
  [[nodiscard]] Result<void> write_leaf();
  [[nodiscard]] Result<std::uint32_t> write_overflow(std::string_view rest);

  space::PageRunWriter* run_;
  std::vector<std::byte> leaf_;
  std::uint32_t leaf_keys_ = 0;
  std::string previous_;         // The key before.
  std::string leaf_separator_;   // Of the leaf in the making.
  std::vector<Child> children_;  // Of the level in the making.
  std::uint64_t keys_ = 0;
};

class KeyTable {
 public:
  explicit KeyTable(std::unique_ptr<space::PageRun> run) : run_(std::move(run)) {}

  [[nodiscard]] const space::PageRun& run() const noexcept { return *run_; }

  struct Page;  // A copy of one.

  // The keys of a leaf, one behind the other.
  class Leaf {
   public:
    void clear() noexcept {
      bytes_.clear();
      ends_.clear();
    }
    [[nodiscard]] std::size_t size() const noexcept { return ends_.size(); }
    [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept {
      const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
      return std::string_view(bytes_).substr(begin, ends_[i] - begin);
    }
    // The number of keys before `key`, or up to and including it.
    [[nodiscard]] std::size_t count_before(std::string_view key, bool including) const noexcept;
    void reserve(std::size_t keys);
    // Adds a key that begins with the first `shared` bytes of the last one and goes on with `rest`.
    void add(std::size_t shared, std::string_view rest);
    void extend_last(std::string_view more);

   private:
    std::string bytes_;
    std::vector<std::uint32_t> ends_;
  };

  // Walks the keys, in the direction of the seek that began it: next() behind seek() and seek_first(), previous()
  // behind seek_back() and seek_last(). The table must outlive it. Not thread-safe itself, but any number may walk at
  // once. Forward, a leaf's keys are decoded as they are reached, and those before the sought one not at all.
  class Cursor {
   public:
    explicit Cursor(const KeyTable& table);
    Cursor(Cursor&&) noexcept;
    Cursor& operator=(Cursor&&) noexcept;
    ~Cursor();

    // To the first key ≥ `key` (> if `exclusive`), or at the end.
    [[nodiscard]] Result<void> seek(std::string_view key, bool exclusive);
    // To the last key ≤ `key` (< if `exclusive`), or at the end.
    [[nodiscard]] Result<void> seek_back(std::string_view key, bool exclusive);
    [[nodiscard]] Result<void> seek_first();
    [[nodiscard]] Result<void> seek_last();
    [[nodiscard]] bool at_end() const noexcept { return index_ >= leaf_.size(); }
    // Valid until the cursor moves.
    [[nodiscard]] std::string_view key() const noexcept { return leaf_[index_]; }
    [[nodiscard]] Result<void> next() {
      if (++index_ < leaf_.size()) return {};
      return decode_more();
    }
    [[nodiscard]] Result<void> previous() {
      if (index_ > 0) {
        --index_;
        return {};
      }
      return step_leaf(false);
    }

   private:
    // A branch on the way from the root to the leaf.
    struct Step {
      std::vector<std::uint32_t> children;
      std::size_t at = 0;
    };
    [[nodiscard]] Result<void> descend(std::uint64_t page, bool first);  // To the first or the last leaf below.
    // To the leaf in which the key is or would be: reads its page. False if there is none.
    [[nodiscard]] Result<bool> descend_to(std::string_view key);
    // Decodes the leaf from the first key on that is not before `key` (or not up to it). False if it cannot be told
    // without decoding all of it.
    [[nodiscard]] Result<bool> skip_to(std::string_view key, bool exclusive);
    // Some more keys of the leaf, or the next leaf.
    [[nodiscard]] Result<void> decode_more();
    [[nodiscard]] Result<void> step_leaf(bool forward);
    void set_end() noexcept {
      leaf_.clear();
      index_ = 0;
      left_ = 0;
    }

    const KeyTable* table_;
    std::vector<Step> path_;
    std::unique_ptr<Page> page_;  // The one that was read last; the leaf's, once there.
    Leaf leaf_;                   // What has been decoded of it.
    std::size_t at_ = 0;          // Where in its payload the next key begins,
    std::uint32_t left_ = 0;      // and how many there are.
    std::size_t index_ = 0;
  };

 private:
  friend class Cursor;
  [[nodiscard]] Result<void> read(std::uint64_t number, Page& page) const;
  [[nodiscard]] Result<void> decode_leaf(const Page& page, Leaf& leaf) const;
  // At most so many keys more, of `left` that begin at `at`.
  [[nodiscard]] Result<void> decode_keys(const Page& page, std::size_t& at, std::uint32_t& left, std::uint32_t most,
                                         Leaf& leaf) const;
  // The children of a branch, and which of them leads to the key.
  [[nodiscard]] Result<std::size_t> decode_branch(const Page& page, std::optional<std::string_view> key,
                                                  std::vector<std::uint32_t>& children) const;
  [[nodiscard]] Result<std::string> read_overflow(std::uint32_t page, std::size_t bytes) const;
  [[nodiscard]] Result<std::string> first_key(std::uint64_t page) const;
  [[nodiscard]] std::unexpected<Error> damaged(std::uint64_t page) const;

  std::unique_ptr<space::PageRun> run_;
};

}  // namespace kvb::index
