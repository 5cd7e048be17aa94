#include "kvb/space/reserve.h"

#include <algorithm>

#include "kvb/os/system_error.h"

namespace kvb::space {
namespace {

// Other programs write too: with less than this beside what the bucket needs, the disk counts as nearly full.
constexpr std::uint64_t kSlackBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kLeastPieceBytes = 16 * 1024;

}  // namespace

bool Reserve::keep(const Need& need, std::uint64_t growth) {
  const auto available = file_->available_bytes();
  const std::scoped_lock lock(mutex_);
  need_ = need;
  // Who cannot say how much room there is does not keep anybody from trying.
  if (!available) return true;
  const std::uint64_t enough = 2 * need.total() + growth + kSlackBytes;
  if (refused_) {
    // What is told may be wrong, but if it has become much more, room was made.
    const bool more = *available > refused_at_ && *available - refused_at_ >= enough;
    if (!more || !has_room_again(enough)) return fill();
  }
  const std::uint64_t room = *available > UINT64_MAX - held_ ? UINT64_MAX : *available + held_;
  if (room >= enough) {
    // Not at the first byte above the bound, else it would be taken and let go in turns.
    if (tight_ && room >= enough + enough / 2) let_go_holding();
    return true;
  }
  tight_ = true;
  return fill();
}

bool Reserve::keep_after_refusal(const Need& need) {
  const std::scoped_lock lock(mutex_);
  need_ = need;
  // Perhaps by a quota that cannot be asked for: from now on nothing is believed but what has been allocated.
  refused_ = true;
  refused_at_ = file_->available_bytes().value_or(UINT64_MAX);
  tight_ = true;
  return fill();
}

void Reserve::look_again(const Need& need) {
  const std::scoped_lock lock(mutex_);
  if (!refused_) return;
  need_ = need;
  if (has_room_again(2 * need.total() + kSlackBytes)) let_go_holding();
}

// With half of it more, so that it is not taken and let go in turns. The file's length stays as it becomes: somebody
// may be writing behind the range meanwhile, and what has no blocks costs nothing until the end is cut the next time.
bool Reserve::has_room_again(std::uint64_t enough) {
  const PageRange range = free_space_->take(enough + enough / 2);
  const bool there = file_->allocate(range.paddr, range.bytes()).has_value();
  // Where holes were filled, too: they are free, and had better have no blocks.
  (void)file_->punch(range.paddr, range.bytes());
  free_space_->give_back(range);
  refused_at_ = file_->available_bytes().value_or(UINT64_MAX);
  if (there) refused_ = false;
  return there;
}

bool Reserve::hold(PageRange range) {
  if (!file_->allocate(range.paddr, range.bytes())) {
    free_space_->give_back(range);
    return false;
  }
  pieces_.push_back(range);
  held_ += range.bytes();
  return true;
}

void Reserve::shrink() {
  const std::uint64_t total = need_.total();
  while (!pieces_.empty() && held_ - pieces_.back().bytes() >= total) {
    held_ -= pieces_.back().bytes();
    free_space_->give_back(pieces_.back());
    pieces_.pop_back();
  }
}

bool Reserve::fill() {
  const bool whole = fill_up();
  // Enough for a checkpoint that can move something.
  useful_ = useful_ || held_ >= need_.image + need_.moving / 4;
  return whole;
}

bool Reserve::fill_up() {
  if (held_ >= need_.total()) {
    shrink();
    refusal_.reset();
    return true;
  }
  const auto situation = [this] {
    const auto available = file_->available_bytes();
    return Refusal{.missing = need_.total() - held_,
                   .available = available ? *available : 0,
                   .free_in_file = free_space_->free_bytes()};
  };
  // As it was refused before: only one look whether a quota was raised meanwhile.
  const bool again = refusal_ && *refusal_ == situation();
  if (again ? take_missing() : try_to_fill()) {
    refusal_.reset();
    return true;
  }
  refusal_ = situation();
  return false;
}

bool Reserve::try_to_fill() {
  const std::uint64_t total = need_.total();
  // First what the file has already, the longest stretches first: no other program can take that.
  std::vector<PageRange> holes = free_space_->free_ranges();
  std::ranges::sort(holes, std::ranges::greater{}, &PageRange::pages);
  for (const PageRange& hole : holes) {
    if (held_ >= total || hole.bytes() < kLeastPieceBytes) break;
    const auto taken = free_space_->take_at(hole.paddr, std::min(hole.bytes(), total - held_));
    // A hole without blocks, and the disk has none for it: the next one may have them.
    if (taken) (void)hold(*taken);
  }
  if (take_missing()) return true;
  // Blocks in holes that are too small are worth more elsewhere.
  punch_what_is_free();
  return take_missing();
}

// As much of it as there is: part of the reserve may be enough for what will be asked of it.
bool Reserve::take_missing() {
  const std::uint64_t total = need_.total();
  for (std::uint64_t part = total - std::min(held_, total); held_ < total;) {
    if (hold(free_space_->take(std::min(part, total - held_)))) continue;
    if (part <= kLeastPieceBytes) break;
    part /= 2;
  }
  return held_ >= total;
}

void Reserve::punch_what_is_free() {
  std::vector<PageRange> ranges = free_space_->free_ranges();
  const std::uint64_t end = free_space_->end_of_used();
  if (auto bytes = file_->size(); bytes && *bytes > end) ranges.push_back(range_of(end, *bytes - end));
  for (const PageRange& range : ranges) {
    // Taken while it is punched: somebody might use it otherwise.
    if (!free_space_->reserve(range)) continue;
    (void)file_->punch(range.paddr, range.bytes());
    free_space_->give_back(range);
  }
}

std::uint64_t Reserve::floor_for(Use use) const noexcept {
  // What cannot carry a checkpoint serves whoever comes first.
  if (!useful_) return 0;
  if (use == Use::removing) return need_.image + need_.moving / 2;
  return use == Use::moving ? need_.image : 0;
}

// The smallest piece that is long enough; the rest of it stays.
PageRange Reserve::take_piece(std::uint64_t bytes, std::uint64_t floor) {
  const PageRange wanted = range_of(0, bytes);
  if (held_ < wanted.bytes() || held_ - wanted.bytes() < floor) return {};
  auto best = pieces_.end();
  for (auto it = pieces_.begin(); it != pieces_.end(); ++it) {
    if (it->pages >= wanted.pages && (best == pieces_.end() || it->pages < best->pages)) best = it;
  }
  if (best == pieces_.end()) return {};
  const PageRange taken{best->paddr, wanted.pages};
  best->paddr = taken.end();
  best->pages -= taken.pages;
  if (best->pages == 0) pieces_.erase(best);
  held_ -= taken.bytes();
  return taken;
}

Result<PageRange> Reserve::take(std::uint64_t bytes, Use use) {
  const std::scoped_lock lock(mutex_);
  PageRange range = free_space_->take(bytes);
  if (!tight_) return range;
  auto allocated = file_->allocate(range.paddr, range.bytes());
  if (allocated) return range;
  free_space_->give_back(range);
  if (allocated.error().code != ErrorCode::full) return std::unexpected(allocated.error());
  if (const PageRange piece = take_piece(bytes, floor_for(use)); piece.pages != 0) return piece;
  // Enough, perhaps, but not side by side: blocks go back to the file system, and are asked for in one piece.
  for (const bool with_pieces : {false, true}) {
    if (with_pieces) {
      if (use == Use::removing) break;
      while (!pieces_.empty() && held_ - pieces_.back().bytes() >= floor_for(use)) {
        held_ -= pieces_.back().bytes();
        free_space_->give_back(pieces_.back());
        pieces_.pop_back();
      }
    }
    punch_what_is_free();
    range = free_space_->take(bytes);
    allocated = file_->allocate(range.paddr, range.bytes());
    if (allocated) return range;
    free_space_->give_back(range);
  }
  return std::unexpected(allocated.error());
}

PageRange Reserve::take_for_removing(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  return take_piece(bytes, floor_for(Use::removing));
}

bool Reserve::free_blocks_for_removing(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  const PageRange piece = take_piece(bytes, floor_for(Use::removing));
  if (piece.pages == 0) return false;
  const bool punched = file_->punch(piece.paddr, piece.bytes()).has_value();
  free_space_->give_back(piece);
  return punched;
}

void Reserve::let_go() {
  const std::scoped_lock lock(mutex_);
  for (const PageRange& piece : pieces_) free_space_->give_back(piece);
  pieces_.clear();
  held_ = 0;
}

void Reserve::let_go_holding() {
  for (const PageRange& piece : pieces_) free_space_->give_back(piece);
  pieces_.clear();
  held_ = 0;
  tight_ = false;
  useful_ = false;
}

bool Reserve::is_tight() const {
  const std::scoped_lock lock(mutex_);
  return tight_;
}

std::vector<PageRange> Reserve::pieces() const {
  const std::scoped_lock lock(mutex_);
  return pieces_;
}

std::uint64_t Reserve::held_bytes() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}

bool Reserve::can_remove() const {
  const std::scoped_lock lock(mutex_);
  return held_ >= floor_for(Use::removing) + format::kMinSegmentBytes;
}

std::uint64_t Reserve::moving_bytes() const {
  const std::scoped_lock lock(mutex_);
  return std::min(need_.moving, held_ - std::min(held_, need_.image));
}

}  // namespace kvb::space
