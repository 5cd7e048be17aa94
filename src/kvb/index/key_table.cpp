#include "kvb/index/key_table.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "kvb/format/endian.h"
#include "kvb/os/mapped_read.h"
#include "kvb/os/system_error.h"

namespace kvb::index {
namespace {

using format::kPageHeaderBytes;
using format::kPagePayloadBytes;
using format::PageType;

constexpr std::uint16_t kCut = 0x8000;
constexpr std::size_t kMostLevels = 16;  // Of 2 to 680 children each.

std::size_t shared_bytes(std::string_view a, std::string_view b) noexcept {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

void append_u16(std::vector<std::byte>& out, std::size_t value) {
  out.resize(out.size() + 2);
  format::store_le(out.data() + out.size() - 2, static_cast<std::uint16_t>(value));
}
void append_u32(std::vector<std::byte>& out, std::uint64_t value) {
  out.resize(out.size() + 4);
  format::store_le(out.data() + out.size() - 4, static_cast<std::uint32_t>(value));
}
void append_text(std::vector<std::byte>& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

// Reads entries from a page's payload without ever leaving it.
class PayloadReader {
 public:
  explicit PayloadReader(std::span<const std::byte> payload) : payload_(payload) {}

  [[nodiscard]] bool u16(std::uint16_t& value) noexcept { return number(value); }
  [[nodiscard]] bool u32(std::uint32_t& value) noexcept { return number(value); }
  [[nodiscard]] bool text(std::size_t length, std::string& out) {
    if (length > payload_.size() - at_) return false;
    out.append(reinterpret_cast<const char*>(payload_.data()) + at_, length);
    at_ += length;
    return true;
  }

 private:
  template <typename T>
  [[nodiscard]] bool number(T& value) noexcept {
    if (sizeof(T) > payload_.size() - at_) return false;
    value = format::load_le<T>(payload_.data() + at_);
    at_ += sizeof(T);
    return true;
  }

  std::span<const std::byte> payload_;
  std::size_t at_ = 0;
};

}  // namespace

Result<void> KeyTableWriter::add(std::string_view key) {
  assert(keys_ == 0 || previous_ < key);
  const bool cut = key.size() > kInlineKeyBytes;
  const std::string_view inlined = key.substr(0, kInlineKeyBytes);
  const std::string_view previous_inlined = std::string_view(previous_).substr(0, kInlineKeyBytes);
  std::size_t shared = leaf_keys_ == 0 ? 0 : shared_bytes(previous_inlined, inlined);
  const std::size_t tail = cut ? 6 : 0;
  if (leaf_keys_ != 0 && leaf_.size() + 4 + (inlined.size() - shared) + tail > kPagePayloadBytes) {
    if (auto written = write_leaf(); !written) return written;
    leaf_separator_ = key.substr(0, shared_bytes(previous_, key) + 1);
    shared = 0;
  }
  std::uint32_t overflow = 0;
  if (cut) {
    auto page = write_overflow(key.substr(kInlineKeyBytes));
    if (!page) return std::unexpected(page.error());
    overflow = *page;
  }
  append_u16(leaf_, shared);
  append_u16(leaf_, (inlined.size() - shared) | (cut ? kCut : 0u));
  append_text(leaf_, inlined.substr(shared));
  if (cut) {
    append_u16(leaf_, key.size());
    append_u32(leaf_, overflow);
  }
  ++leaf_keys_;
  ++keys_;
  previous_ = key;
  return {};
}

// The pages are written from the last to the first, so that each can name the one behind it.
Result<std::uint32_t> KeyTableWriter::write_overflow(std::string_view rest) {
  std::uint32_t next = 0;
  std::size_t at = (rest.size() - 1) / kPagePayloadBytes * kPagePayloadBytes;
  for (;;) {
    const std::string_view part = rest.substr(at, kPagePayloadBytes);
    auto page = run_->add(PageType::key_overflow, static_cast<std::uint32_t>(part.size()), next,
                          std::as_bytes(std::span(part)));
    if (!page) return std::unexpected(page.error());
    // Numbers are one higher in links, so that 0 can mean none.
    next = static_cast<std::uint32_t>(*page + 1);
    if (at == 0) return next;
    at -= kPagePayloadBytes;
  }
}

Result<void> KeyTableWriter::write_leaf() {
  auto page = run_->add(PageType::key_leaf, leaf_keys_, 0, leaf_);
  if (!page) return std::unexpected(page.error());
  children_.push_back({std::move(leaf_separator_), *page});
  leaf_separator_.clear();
  leaf_.clear();
  leaf_keys_ = 0;
  return {};
}

Result<void> KeyTableWriter::finish() {
  if (leaf_keys_ != 0) {
    if (auto written = write_leaf(); !written) return written;
  }
  for (std::uint32_t level = 1; children_.size() > 1; ++level) {
    std::vector<Child> above;
    std::vector<std::byte> branch;
    std::uint32_t count = 0;
    std::string first_separator;
    const auto write_branch = [&]() -> Result<void> {
      auto page = run_->add(PageType::key_branch, count, level, branch);
      if (!page) return std::unexpected(page.error());
      above.push_back({std::move(first_separator), *page});
      first_separator.clear();
      branch.clear();
      count = 0;
      return {};
    };
    for (Child& child : children_) {
      const std::size_t length = std::min(child.separator.size(), kInlineKeyBytes);
      if (count != 0 && branch.size() + 6 + length > kPagePayloadBytes) {
        if (auto written = write_branch(); !written) return written;
      }
      append_u32(branch, child.page);
      if (count == 0) {
        append_u16(branch, 0);
        first_separator = std::move(child.separator);
      } else {
        append_u16(branch, length | (child.separator.size() > length ? kCut : 0u));
        append_text(branch, std::string_view(child.separator).substr(0, length));
      }
      ++count;
    }
    if (auto written = write_branch(); !written) return written;
    children_ = std::move(above);
  }
  return {};
}

std::unexpected<Error> KeyTable::damaged(std::uint64_t page) const {
  return os::failure(ErrorCode::damaged,
                     "Page " + std::to_string(page) +
                         " of the key table is damaged. The records themselves are not concerned: `kvb repair` builds "
                         "the bucket anew from them.",
                     run_->path());
}

Result<KeyTable::Page> KeyTable::read(std::uint64_t number) const {
  auto bytes = run_->page(number, PageType::any);
  if (!bytes) return std::unexpected(bytes.error());
  // A private copy: decoding takes a while, and the mapping must be read under the guard.
  std::array<std::byte, format::kPageBytes> copy;
  auto read = os::guarded(run_->path(), 0, *bytes, copy.size(), [&] { std::memcpy(copy.data(), *bytes, copy.size()); });
  if (!read) return std::unexpected(read.error());
  const auto header = format::decode_page_header(std::span(copy).first<kPageHeaderBytes>());
  if (!header) return damaged(number);
  Page page{.type = header->type, .keys = {}, .branches = {}};
  PayloadReader in{std::span<const std::byte>(copy).subspan(kPageHeaderBytes)};
  if (header->type == PageType::key_leaf) {
    for (std::uint32_t i = 0; i < header->count; ++i) {
      std::uint16_t shared = 0;
      std::uint16_t rest = 0;
      if (!in.u16(shared) || !in.u16(rest)) return damaged(number);
      const std::size_t length = rest & ~kCut;
      const std::string_view before = page.keys.empty() ? std::string_view{} : std::string_view(page.keys.back());
      if (shared > before.size() || shared > kInlineKeyBytes) return damaged(number);
      std::string key(before.substr(0, shared));
      if (!in.text(length, key)) return damaged(number);
      if ((rest & kCut) != 0) {
        std::uint16_t total = 0;
        std::uint32_t overflow = 0;
        if (!in.u16(total) || !in.u32(overflow) || total <= key.size()) return damaged(number);
        auto more = read_overflow(overflow, total - key.size());
        if (!more) return std::unexpected(more.error());
        key += *more;
      }
      page.keys.push_back(std::move(key));
    }
    if (page.keys.empty()) return damaged(number);
    return page;
  }
  if (header->type != PageType::key_branch || header->count == 0) return damaged(number);
  for (std::uint32_t i = 0; i < header->count; ++i) {
    Branch branch{.child = 0, .separator = {}, .cut = false};
    std::uint16_t length = 0;
    if (!in.u32(branch.child) || !in.u16(length) || !in.text(length & ~kCut, branch.separator)) return damaged(number);
    // Children are written before their branch, so a path down always ends.
    if (branch.child >= number) return damaged(number);
    branch.cut = (length & kCut) != 0;
    page.branches.push_back(std::move(branch));
  }
  return page;
}

Result<std::string> KeyTable::read_overflow(std::uint32_t link, std::size_t bytes) const {
  std::string text;
  while (text.size() < bytes) {
    if (link == 0) return damaged(0);
    auto page = run_->page(link - 1, PageType::key_overflow);
    if (!page) return std::unexpected(page.error());
    const std::size_t part = std::min(bytes - text.size(), kPagePayloadBytes);
    const std::size_t before = text.size();
    std::uint32_t next = 0;
    auto read = os::guarded(run_->path(), 0, *page, format::kPageBytes, [&] {
      text.resize(before);
      text.append(reinterpret_cast<const char*>(*page) + kPageHeaderBytes, part);
      next = format::load_le<std::uint32_t>(*page + 52);
    });
    if (!read) return std::unexpected(read.error());
    link = next;
  }
  return text;
}

Result<std::string> KeyTable::first_key(std::uint64_t number) const {
  for (std::size_t level = 0; level < kMostLevels; ++level) {
    auto page = read(number);
    if (!page) return std::unexpected(page.error());
    if (page->type == PageType::key_leaf) return std::move(page->keys.front());
    number = page->branches.front().child;
  }
  return damaged(number);
}

Result<std::size_t> KeyTable::choose(const std::vector<Branch>& branches, std::string_view key) const {
  // The last branch whose separator is not behind the key. The first one's is empty.
  std::size_t low = 0;
  std::size_t high = branches.size();
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    const Branch& branch = branches[middle];
    bool behind = branch.separator > key;
    if (branch.cut && key.substr(0, branch.separator.size()) == branch.separator) {
      auto first = first_key(branch.child);
      if (!first) return std::unexpected(first.error());
      behind = *first > key;
    }
    (behind ? high : low) = middle;
  }
  return low;
}

Result<void> KeyTable::Cursor::descend(std::uint64_t number, bool first) {
  for (std::size_t level = 0; level < kMostLevels; ++level) {
    auto page = table_->read(number);
    if (!page) return std::unexpected(page.error());
    if (page->type == PageType::key_leaf) {
      keys_ = std::move(page->keys);
      index_ = first ? 0 : keys_.size() - 1;
      return {};
    }
    const std::size_t at = first ? 0 : page->branches.size() - 1;
    number = page->branches[at].child;
    path_.push_back({std::move(page->branches), at});
  }
  return table_->damaged(number);
}

Result<void> KeyTable::Cursor::descend_to(std::string_view key) {
  path_.clear();
  set_end();
  if (table_->run_->pages() == 0) return {};
  std::uint64_t number = table_->run_->pages() - 1;
  for (std::size_t level = 0; level < kMostLevels; ++level) {
    auto page = table_->read(number);
    if (!page) return std::unexpected(page.error());
    if (page->type == PageType::key_leaf) {
      keys_ = std::move(page->keys);
      return {};
    }
    auto at = table_->choose(page->branches, key);
    if (!at) return std::unexpected(at.error());
    number = page->branches[*at].child;
    path_.push_back({std::move(page->branches), *at});
  }
  return table_->damaged(number);
}

Result<void> KeyTable::Cursor::step_leaf(bool forward) {
  while (!path_.empty()) {
    Step& step = path_.back();
    if (forward ? step.at + 1 < step.branches.size() : step.at > 0) {
      step.at = forward ? step.at + 1 : step.at - 1;
      return descend(step.branches[step.at].child, forward);
    }
    path_.pop_back();
  }
  set_end();
  return {};
}

Result<void> KeyTable::Cursor::seek(std::string_view key, bool exclusive) {
  if (auto found = descend_to(key); !found) return found;
  const auto place = exclusive ? std::ranges::upper_bound(keys_, key) : std::ranges::lower_bound(keys_, key);
  index_ = static_cast<std::size_t>(place - keys_.begin());
  if (index_ == keys_.size() && !keys_.empty()) return step_leaf(true);
  return {};
}

Result<void> KeyTable::Cursor::seek_back(std::string_view key, bool exclusive) {
  if (auto found = descend_to(key); !found) return found;
  if (keys_.empty()) return {};
  const auto place = exclusive ? std::ranges::lower_bound(keys_, key) : std::ranges::upper_bound(keys_, key);
  if (place == keys_.begin()) return step_leaf(false);
  index_ = static_cast<std::size_t>(place - keys_.begin()) - 1;
  return {};
}

Result<void> KeyTable::Cursor::seek_first() {
  path_.clear();
  set_end();
  if (table_->run_->pages() == 0) return {};
  return descend(table_->run_->pages() - 1, true);
}

Result<void> KeyTable::Cursor::seek_last() {
  path_.clear();
  set_end();
  if (table_->run_->pages() == 0) return {};
  return descend(table_->run_->pages() - 1, false);
}

Result<void> KeyTable::Cursor::next() {
  if (++index_ < keys_.size()) return {};
  return step_leaf(true);
}

Result<void> KeyTable::Cursor::previous() {
  if (index_ > 0) {
    --index_;
    return {};
  }
  return step_leaf(false);
}

}  // namespace kvb::index
