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
  explicit PayloadReader(std::span<const std::byte> payload, std::size_t at = 0) : payload_(payload), at_(at) {}
  [[nodiscard]] std::size_t at() const noexcept { return at_; }

  [[nodiscard]] bool u16(std::uint16_t& value) noexcept { return number(value); }
  [[nodiscard]] bool u32(std::uint32_t& value) noexcept { return number(value); }
  // A view of the payload.
  [[nodiscard]] bool text(std::size_t length, std::string_view& out) noexcept {
    if (length > payload_.size() - at_) return false;
    out = {reinterpret_cast<const char*>(payload_.data()) + at_, length};
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
  std::size_t at_;
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

// A private copy: decoding takes a while, and the mapping must be read under the guard.
struct KeyTable::Page {
  std::uint64_t number = 0;
  format::PageType type = PageType::any;
  std::uint32_t count = 0;
  std::array<std::byte, format::kPageBytes> bytes;

  [[nodiscard]] PayloadReader payload(std::size_t at = 0) const noexcept {
    return PayloadReader(std::span<const std::byte>(bytes).subspan(kPageHeaderBytes), at);
  }
};

Result<void> KeyTable::read(std::uint64_t number, Page& page) const {
  auto bytes = run_->page(number, PageType::any);
  if (!bytes) return std::unexpected(bytes.error());
  auto read = os::guarded(run_->path(), 0, *bytes, page.bytes.size(),
                          [&] { std::memcpy(page.bytes.data(), *bytes, page.bytes.size()); });
  if (!read) return read;
  const auto header = format::decode_page_header(std::span(page.bytes).first<kPageHeaderBytes>());
  const bool expected = header && (header->type == PageType::key_leaf || header->type == PageType::key_branch);
  if (!expected || header->count == 0) return damaged(number);
  page.number = number;
  page.type = header->type;
  page.count = header->count;
  return {};
}

void KeyTable::Leaf::reserve(std::size_t keys) {
  ends_.reserve(keys);
  // About twice a page; most leaves take less, since keys are short where many fit.
  bytes_.reserve(2 * format::kPageBytes);
}

void KeyTable::Leaf::add(std::size_t shared, std::string_view rest) {
  const std::size_t begin = ends_.size() < 2 ? 0 : ends_[ends_.size() - 2];  // Of the last key.
  const std::size_t end = bytes_.size();
  bytes_.resize_and_overwrite(end + shared + rest.size(), [&](char* text, std::size_t) {
    std::memcpy(text + end, text + begin, shared);
    std::memcpy(text + end + shared, rest.data(), rest.size());
    return end + shared + rest.size();
  });
  ends_.push_back(static_cast<std::uint32_t>(bytes_.size()));
}

void KeyTable::Leaf::extend_last(std::string_view more) {
  bytes_ += more;
  ends_.back() = static_cast<std::uint32_t>(bytes_.size());
}

std::size_t KeyTable::Leaf::count_before(std::string_view key, bool including) const noexcept {
  std::size_t low = 0;
  std::size_t high = size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const int order = (*this)[middle].compare(key);
    if (order < 0 || (order == 0 && including)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Result<void> KeyTable::decode_leaf(const Page& page, Leaf& leaf) const {
  leaf.clear();
  leaf.reserve(page.count);
  std::size_t at = 0;
  std::uint32_t left = page.count;
  return decode_keys(page, at, left, page.count, leaf);
}

Result<void> KeyTable::decode_keys(const Page& page, std::size_t& at, std::uint32_t& left, std::uint32_t most,
                                   Leaf& leaf) const {
  PayloadReader in = page.payload(at);
  for (; left != 0 && most != 0; --left, --most) {
    std::uint16_t shared = 0;
    std::uint16_t rest = 0;
    std::string_view text;
    if (!in.u16(shared) || !in.u16(rest)) return damaged(page.number);
    const std::size_t before = leaf.size() == 0 ? 0 : leaf[leaf.size() - 1].size();
    if (shared > before || shared > kInlineKeyBytes || !in.text(rest & ~kCut, text)) return damaged(page.number);
    leaf.add(shared, text);
    if ((rest & kCut) == 0) continue;
    std::uint16_t total = 0;
    std::uint32_t overflow = 0;
    const std::size_t inlined = shared + text.size();
    if (!in.u16(total) || !in.u32(overflow) || total <= inlined) return damaged(page.number);
    auto more = read_overflow(overflow, total - inlined);
    if (!more) return std::unexpected(more.error());
    leaf.extend_last(*more);
  }
  at = in.at();
  return {};
}

Result<std::size_t> KeyTable::decode_branch(const Page& page, std::optional<std::string_view> key,
                                            std::vector<std::uint32_t>& children) const {
  children.clear();
  PayloadReader in = page.payload();
  // The last one whose separator is not behind the key. The first one's is empty.
  std::size_t chosen = 0;
  bool behind = !key;
  for (std::uint32_t i = 0; i < page.count; ++i) {
    std::uint32_t child = 0;
    std::uint16_t length = 0;
    std::string_view separator;
    if (!in.u32(child) || !in.u16(length) || !in.text(length & ~kCut, separator)) return damaged(page.number);
    // Children are written before their branch, so a path down always ends.
    if (child >= page.number) return damaged(page.number);
    children.push_back(child);
    if (i == 0 || behind) continue;
    behind = separator > *key;
    if ((length & kCut) != 0 && key->substr(0, separator.size()) == separator) {
      auto first = first_key(child);
      if (!first) return std::unexpected(first.error());
      behind = *first > *key;
    }
    if (!behind) chosen = i;
  }
  return chosen;
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
  Page page;
  std::vector<std::uint32_t> children;
  for (std::size_t level = 0; level < kMostLevels; ++level) {
    if (auto done = read(number, page); !done) return std::unexpected(done.error());
    if (page.type == PageType::key_leaf) {
      Leaf leaf;
      if (auto decoded = decode_leaf(page, leaf); !decoded) return std::unexpected(decoded.error());
      return std::string(leaf[0]);
    }
    if (auto decoded = decode_branch(page, {}, children); !decoded) return std::unexpected(decoded.error());
    number = children.front();
  }
  return damaged(number);
}

KeyTable::Cursor::Cursor(const KeyTable& table) : table_(&table), page_(std::make_unique<Page>()) {}
KeyTable::Cursor::Cursor(Cursor&&) noexcept = default;
KeyTable::Cursor& KeyTable::Cursor::operator=(Cursor&&) noexcept = default;
KeyTable::Cursor::~Cursor() = default;

Result<void> KeyTable::Cursor::descend(std::uint64_t number, bool first) {
  for (std::size_t level = 0; level < kMostLevels; ++level) {
    if (auto done = table_->read(number, *page_); !done) return done;
    if (page_->type == PageType::key_leaf) {
      set_end();
      if (first) {
        at_ = 0;
        left_ = page_->count;
        return decode_more();
      }
      if (auto decoded = table_->decode_leaf(*page_, leaf_); !decoded) return decoded;
      index_ = leaf_.size() - 1;
      return {};
    }
    Step step;
    if (auto decoded = table_->decode_branch(*page_, {}, step.children); !decoded) {
      return std::unexpected(decoded.error());
    }
    step.at = first ? 0 : step.children.size() - 1;
    number = step.children[step.at];
    path_.push_back(std::move(step));
  }
  return table_->damaged(number);
}

Result<bool> KeyTable::Cursor::descend_to(std::string_view key) {
  path_.clear();
  set_end();
  if (table_->run_->pages() == 0) return false;
  std::uint64_t number = table_->run_->pages() - 1;
  for (std::size_t level = 0; level < kMostLevels; ++level) {
    if (auto done = table_->read(number, *page_); !done) return std::unexpected(done.error());
    if (page_->type == PageType::key_leaf) return true;
    Step step;
    auto at = table_->decode_branch(*page_, key, step.children);
    if (!at) return std::unexpected(at.error());
    step.at = *at;
    number = step.children[step.at];
    path_.push_back(std::move(step));
  }
  return table_->damaged(number);
}

// How a key compares follows from how much it shares with the one before it. Of that one it is known that it is before
// the sought key, and that both share `same` bytes. A key that shares more with it differs from the sought key at the
// same place and in the same way. One that shares less differs from it earlier, and is behind both. So bytes are looked
// at only if it shares just as much.
Result<bool> KeyTable::Cursor::skip_to(std::string_view key, bool exclusive) {
  PayloadReader in = page_->payload();
  std::size_t same = 0;
  for (std::uint32_t i = 0; i < page_->count; ++i) {
    std::uint16_t shared = 0;
    std::uint16_t rest = 0;
    std::string_view text;
    if (!in.u16(shared) || !in.u16(rest)) return table_->damaged(page_->number);
    if ((rest & kCut) != 0) return false;  // The rest of the key is elsewhere.
    if (!in.text(rest, text)) return table_->damaged(page_->number);
    if (shared > same) continue;
    if (shared == same) {
      const std::string_view wanted = key.substr(same);
      const std::size_t more = shared_bytes(text, wanted);
      const bool equal = more == text.size() && more == wanted.size();
      const bool before = more == text.size() ? !equal : more < wanted.size() && text < wanted;
      if (before || (equal && exclusive)) {
        same += more;
        continue;
      }
    }
    leaf_.add(0, key.substr(0, shared));
    leaf_.extend_last(text);
    at_ = in.at();
    left_ = page_->count - i - 1;
    return true;
  }
  return true;
}

Result<void> KeyTable::Cursor::decode_more() {
  if (left_ == 0) return step_leaf(true);
  constexpr std::uint32_t kKeys = 32;
  return table_->decode_keys(*page_, at_, left_, kKeys, leaf_);
}

Result<void> KeyTable::Cursor::step_leaf(bool forward) {
  while (!path_.empty()) {
    Step& step = path_.back();
    if (forward ? step.at + 1 < step.children.size() : step.at > 0) {
      step.at = forward ? step.at + 1 : step.at - 1;
      return descend(step.children[step.at], forward);
    }
    path_.pop_back();
  }
  set_end();
  return {};
}

Result<void> KeyTable::Cursor::seek(std::string_view key, bool exclusive) {
  auto found = descend_to(key);
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  auto skipped = skip_to(key, exclusive);
  if (!skipped) return std::unexpected(skipped.error());
  if (!*skipped) {
    if (auto decoded = table_->decode_leaf(*page_, leaf_); !decoded) return decoded;
    index_ = leaf_.count_before(key, exclusive);
  }
  return index_ < leaf_.size() ? Result<void>{} : step_leaf(true);
}

Result<void> KeyTable::Cursor::seek_back(std::string_view key, bool exclusive) {
  auto found = descend_to(key);
  if (!found) return std::unexpected(found.error());
  if (!*found) return {};
  if (auto decoded = table_->decode_leaf(*page_, leaf_); !decoded) return decoded;
  const std::size_t before = leaf_.count_before(key, !exclusive);
  if (before == 0) return step_leaf(false);
  index_ = before - 1;
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

}  // namespace kvb::index
