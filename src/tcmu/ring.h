#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sys/integers.h"
#include "tcmu/abi.h"
#include "tcmu/ring_memory.h"

namespace tcmufs::tcmu {

/// One SCSI command taken from the ring: a private, checked copy. `buffer` points into the data area and is
/// valid until the command has been finished; its sum is the initiator's buffer length, not the CDB's
/// transfer length. The direction is what the CDB says.
struct RingCommand {
  u16 id = 0;
  u16 cdb_length = 0;
  bool begun = false;  // a predecessor had called Ring::mark_begun() for it
  std::array<u8, 260> cdb{};
  std::vector<iovec> buffer;

  std::span<const u8> cdb_bytes() const { return {cdb.data(), cdb_length}; }
};

/// The answer to a command.
struct RingResponse {
  u8 status = 0;                             // SAM-5 status code
  std::span<const u8> sense;                 // at most 96 bytes; goes with CHECK CONDITION
  std::optional<std::size_t> data_in_bytes;  // valid bytes of data-in; nothing: the buffer was data-out
};

/// The command ring of one TCMU device, over any memory of that layout (tests own it as well as the kernel
/// does). Used by one thread at a time.
///
/// Commands may be finished in any order; they are given back to the kernel strictly in ring order, with
/// marks in the entry's header around the response, so that another process can take the ring over after
/// this one died at any instant. Nothing that lies in shared memory is trusted: it is copied once, then
/// checked. A ring that breaks a rule is `broken()`: nothing is taken from it, stored in it or given back any
/// more.
///
/// The marks are bits of uflags the kernel does not look at. An entry without any is a whole request: it is
/// taken, and executed (again). "good" or "sense" alone says that it has been executed, and that its response
/// may be torn. With "complete" the response is whole. A torn response is written anew: GOOD where that is
/// all it said; otherwise (sense, or GOOD with a length of data-in, which is lost: the rest of the buffer
/// holds other commands' bytes) ABORTED COMMAND without additional sense, which the initiator retries.
class Ring {
 public:
  /// Looks at the mailbox; throws Failure (EPROTO) that says which field is wrong. Then settles what a dead
  /// predecessor had executed and not given back yet; commit() gives it back.
  explicit Ring(std::span<std::byte> mapping, StoreObserver* observer = nullptr);
  ~Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  /// The next command, which belongs to the caller until finish(); nullptr if there is none now, or if the
  /// ring is broken.
  RingCommand* take();

  /// Whether there is something that take() has not looked at: cheap, for those who poll.
  bool waiting() const noexcept { return !broken() && memory_.head() != next_; }

  /// Remembers for a successor that `command` has begun what cannot be begun twice (COMPARE AND WRITE, once
  /// its compare has matched). May be called by the thread that executes the command.
  void mark_begun(RingCommand& command) noexcept;

  /// Stores the answer of a command that take() gave. What the initiator would otherwise get of data-in
  /// beyond data_in_bytes is zeroed; so is the whole buffer with a status other than GOOD and CHECK
  /// CONDITION.
  void finish(RingCommand& command, const RingResponse& response);

  /// Gives every finished command at the front back to the kernel. True if the kernel must be told (uio
  /// write): once for a batch. The first call is always true: a predecessor may have died before it told.
  bool commit();

  bool broken() const noexcept { return !fault_.empty(); }
  /// Which rule was broken, where: a sentence.
  const std::string& fault() const noexcept { return fault_; }
  /// Commands taken and not finished.
  std::size_t in_flight() const noexcept { return in_flight_; }

 private:
  struct Slot : RingCommand {
    u32 position = 0;
    u32 end = 0;  // where the tail may go once this is finished
    bool finished = false;
    std::vector<iovec> bidi_in;
    Slot* next = nullptr;  // towards the head; in the free list: any other
  };

  bool find_command(abi::EntryHeader& header);
  bool more();
  bool length_valid(const abi::EntryHeader& header);
  void settle(const abi::EntryHeader& header);
  void pass(u32 length);
  u32 fill(const Slot& slot, const RingResponse& response) const;
  Slot& new_slot();
  void break_at(u32 position, const std::string& rule);
  u32 distance(u32 from, u32 to) const noexcept;

  RingMemory memory_;
  u32 settled_;  // where commit() may move the tail
  u32 next_;     // the first entry that has not been looked at
  u32 head_;     // as it was last seen
  bool told_ = false;

  std::deque<Slot> pool_;  // never shrinks: a Slot keeps its address and its vectors
  Slot* free_ = nullptr;
  Slot* front_ = nullptr;  // taken and not given back, in ring order
  Slot* back_ = nullptr;
  std::size_t in_flight_ = 0;
  std::vector<std::byte> entry_;  // the copy that is being read
  std::string fault_;
};

}  // namespace tcmufs::tcmu
