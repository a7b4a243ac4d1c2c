#pragma once

#include <atomic>
#include <system_error>
#include <variant>

#include "scsi/command.h"
#include "scsi/device.h"
#include "scsi/identity.h"
#include "scsi/outcome.h"
#include "scsi/plan.h"
#include "scsi/sense.h"
#include "store/block_store.h"
#include "sys/integers.h"

namespace tcmufs::scsi {

/// A direct-access block device (SPC-4, SBC-3) without a store, thread or ring: commands in, answers or plans
/// out. All members may be called from any thread.
class LogicalUnit {
 public:
  /// Throws Failure (EINVAL) for a format that no disk has.
  LogicalUnit(Identity identity, Format format);
  ~LogicalUnit() = default;
  LogicalUnit(const LogicalUnit&) = delete;
  LogicalUnit& operator=(const LogicalUnit&) = delete;

  /// Checks the command, and answers it, or says what I/O it takes.
  std::variant<Response, Plan> start(const Command& command);

  /// Carries a plan out against the store, in the calling thread, and answers. Writes to a range wait for a
  /// COMPARE AND WRITE or an ORWRITE of that range which is being executed, and the other way round.
  Response execute(const Plan& plan, const Command& command, store::BlockStore& store);

  enum class Step : u8 { transfer, flush };
  /// The answer to a plan (not a compound) that somebody else has carried out: with no error, or with `error`
  /// in `step`. After a failed flush every plan that flushes fails.
  Response complete(const Plan& plan, Step step, std::error_code error);
  /// The same, and finds out which block could not be read or written: with I/O in the calling thread, and
  /// only after a medium error. What the plan locks must still be locked.
  Response complete(const Plan& plan, Step step, std::error_code error, const Command& command,
                    store::BlockStore& store);

  /// CHECK CONDITION with this sense, in the format that the control mode page asks for.
  Response refuse(const Sense& sense) const noexcept;

  /// The capacity has changed: READ CAPACITY says so from now on, and the next command gets 06/2A/09.
  void resize(u64 size_bytes);

  /// Vendor, product and revision are these from now on, and the next command gets 06/3F/03. Uuid, serial
  /// number and designator stay: a disk with others is another disk.
  void set_identity(Identity identity);

  /// Refuses writes with 07/27/00 (the device-specific parameter says WP).
  void set_read_only(bool read_only);

  /// WCE is this from now on, as if MODE SELECT had said so, and the next command gets 06/2A/01.
  void set_write_cache(bool write_cache);

  /// Commands that changed the medium (or tried to) since construction.
  u64 medium_changes() const noexcept { return medium_changes_.load(); }

 private:
  Response refuse_transfer(const Plan& plan, const Sense& sense) const noexcept;

  Device device_;
  std::atomic<u64> medium_changes_ = 0;
};

}  // namespace tcmufs::scsi
