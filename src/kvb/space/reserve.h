#pragma once
// The reserve (R11): space that is allocated in the file and used for nothing, so that a full disk can be emptied
// again.
//
// On a full disk a removal needs room for its record, and what was removed comes back only when records have moved and
// a new image has been written: a checkpoint needs the next image's pages while the last image still counts, and
// compaction needs a segment to copy to before it may give one up. So when the disk is nearly full, three parts are
// kept in the file, and puts get `full` rather than eat into them:
//
//   image     the pages of the next image, at the size that it can have at most
//   growth    what that one takes more than the one that it frees, so that there is room for another one after it
//   moving    one output of compaction: as much as the largest segment holds
//   removing  segments of the log for removals, until a checkpoint comes
//
// Removals take from their own part only; then a checkpoint is made that moves records (store/full_disk.cpp), from the
// other two. It frees the old image, and of the segments that were emptied at least what the removals cost, since a
// removal's record is never longer than the record that it kills; with that the reserve is made whole again. So keys
// can be removed until none is left, and one step needs no more than the reserve, whatever the bucket's size. (Slices,
// a checkpoint hash range by hash range, would need less, but at the price of images that do not describe one cut, and
// of replay over them; the space of one image is what a checkpoint needs in any case while the disk is not full.)
//
// While there is room enough the reserve is not held: nothing is kept from anybody. If other programs fill the disk
// before it was taken, or faster than it could be made whole, what is left serves removals as far as it goes.
//
// In place: what it gives out is allocated already, so another program that is filling the disk cannot come in between.
// Only if what is held lies in pieces that are too small, blocks go back to the file system and are asked for anew.
//
// Nothing of it is in the format: for everybody else these are ranges that are free.

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "kvb/os/file.h"
#include "kvb/space/free_space.h"

namespace kvb::space {

// Thread-safe.
class Reserve {
 public:
  struct Need {
    std::uint64_t image = 0;
    std::uint64_t growth = 0;
    std::uint64_t moving = 0;
    std::uint64_t removing = 0;

    [[nodiscard]] std::uint64_t total() const noexcept { return image + growth + moving + removing; }
  };
  enum class Use : std::uint8_t { removing, moving, image };

  // Both must outlive it.
  Reserve(os::File& file, FreeSpace& free_space) noexcept : file_(&file), free_space_(&free_space) {}

  // To be asked before `growth` bytes are taken for anything else. Takes the reserve if the disk is nearly full, and
  // lets it go if there is room again. False: what the disk has left is needed for the reserve.
  [[nodiscard]] bool keep(const Need& need, std::uint64_t growth);

  // The same, though nothing says that the disk is nearly full: it has just refused something (a quota, say).
  [[nodiscard]] bool keep_after_refusal(const Need& need);

  // After such a refusal: is there room again, though nothing can be believed? Asks the device for all that would be
  // enough, and gives it back. If so, the disk does not count as nearly full any more. Not often: it is a large
  // request.
  void look_again(const Need& need);

  // So many bytes side by side, allocated: from what is free, or from the reserve as far as this use may. While the
  // reserve is not held, it is just the lowest place with so much room, and whoever writes finds out. `full` if there
  // is none.
  [[nodiscard]] Result<PageRange> take(std::uint64_t bytes, Use use);

  // A part of the reserve for removing, without a look at what else is free; no pages if it has none left.
  [[nodiscard]] PageRange take_for_removing(std::uint64_t bytes);

  // Gives blocks of that part back to the file system, for an allocation at a place that is fixed already. False if
  // there are none left.
  [[nodiscard]] bool free_blocks_for_removing(std::uint64_t bytes);

  // Everything held becomes free space.
  void let_go();

  // Is the disk so nearly full that the reserve is held, or was to be?
  [[nodiscard]] bool is_tight() const;
  [[nodiscard]] std::uint64_t held_bytes() const;
  // What is held.
  [[nodiscard]] std::vector<PageRange> pieces() const;
  // Has it anything left for removals?
  [[nodiscard]] bool can_remove() const;
  // How much compaction may copy at a time.
  [[nodiscard]] std::uint64_t moving_bytes() const;

 private:
  [[nodiscard]] bool fill();
  [[nodiscard]] bool fill_up();
  [[nodiscard]] bool has_room_again(std::uint64_t enough);
  [[nodiscard]] bool hold(PageRange range);
  [[nodiscard]] PageRange take_piece(std::uint64_t bytes, std::uint64_t floor);
  void shrink();
  [[nodiscard]] std::uint64_t floor_for(Use use) const noexcept;
  // Gives the blocks of all free ranges in the file back to the file system.
  void punch_what_is_free();
  void let_go_holding();
  [[nodiscard]] bool try_to_fill();
  [[nodiscard]] bool take_missing();

  os::File* file_;
  FreeSpace* free_space_;
  mutable std::mutex mutex_;
  Need need_;
  std::vector<PageRange> pieces_;  // Allocated, and taken out of the free space.
  std::uint64_t held_ = 0;         // Bytes of them.
  bool tight_ = false;
  bool refused_ = false;          // There was less room than was told.
  std::uint64_t refused_at_ = 0;  // What had been told then, or when it was looked at again.
  bool useful_ = false;           // It has been large enough for a checkpoint: what is left of it belongs to its uses.
  // How things stood when it could not be filled: as long as they do, not much is tried again.
  struct Refusal {
    std::uint64_t missing = 0;
    std::uint64_t available = 0;
    std::uint64_t free_in_file = 0;
    friend bool operator==(const Refusal&, const Refusal&) = default;
  };
  std::optional<Refusal> refusal_;
};

}  // namespace kvb::space
