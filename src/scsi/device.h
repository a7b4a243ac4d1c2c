#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>

#include "scsi/geometry.h"
#include "scsi/identity.h"
#include "scsi/limits.h"
#include "scsi/range_lock.h"
#include "scsi/sense.h"
#include "store/block_store.h"

namespace tcmufs::scsi {

/// What the mode pages can change (SBC-3 and SPC-4, mode parameters).
struct Modes {
  bool write_cache = true;
  bool descriptor_sense = false;
  bool software_write_protect = false;

  bool operator==(const Modes&) const = default;
};

/// What a command sees of the unit, as of its start.
struct UnitState {
  Geometry geometry;
  Modes modes;
  bool read_only = false;
  bool stopped = false;

  bool write_protected() const { return read_only || modes.software_write_protect; }
};

/// The logical unit's data, shared by all commands. All members may be called from any thread.
class Device {
 public:
  /// Throws Failure (EINVAL) for a format that no disk has.
  Device(Identity identity, const Format& format);

  Identity identity() const;
  const Limits& limits() const noexcept { return limits_; }
  u32 block_size_bytes() const noexcept { return block_size_bytes_; }
  /// Has logical block provisioning management.
  bool thin() const noexcept { return thin_; }
  RangeLock& ranges() noexcept { return ranges_; }

  /// One lock, one copy.
  UnitState state() const noexcept;
  const Modes& default_modes() const noexcept { return default_modes_; }
  SenseFormat sense_format() const noexcept;

  void set_modes(const Modes& modes) noexcept;
  void set_stopped(bool stopped) noexcept;
  /// These raise a unit attention if they change something, unless nobody has asked for anything that could
  /// have changed.
  void set_identity(Identity identity);  // all but uuid, serial number and designator
  void resize(u64 size_bytes) noexcept;
  void set_read_only(bool read_only) noexcept;
  void set_write_cache(bool write_cache) noexcept;

  /// From now on somebody knows what the unit was like.
  void note_visitor() noexcept { visited_.store(true, std::memory_order_relaxed); }
  /// Or what INQUIRY said of it.
  void note_inquiry() noexcept { inquired_.store(true, std::memory_order_relaxed); }
  /// The first pending unit attention, which is pending no longer: of several, first what the unit is, then
  /// its size, then its modes.
  std::optional<Sense> take_unit_attention() noexcept;

  /// Flushes the store. Once that has failed it fails for ever: the kernel below forgets what it could not
  /// write, and would say next time that all is well.
  std::error_code flush(store::BlockStore& store) noexcept;
  /// Somebody else's flush has failed.
  void note_failed_flush() noexcept { flush_failed_.store(true); }
  bool flush_failed() const noexcept { return flush_failed_.load(); }

 private:
  enum Attention : u8 { inquiry_changed = 1, capacity_changed = 2, modes_changed = 4 };
  void raise(Attention attention) noexcept;

  const Limits limits_;
  const u32 block_size_bytes_;
  const bool thin_;
  const Modes default_modes_;
  RangeLock ranges_;
  mutable std::mutex mutex_;
  Identity identity_;  // guarded by mutex_
  UnitState state_;    // guarded by mutex_
  std::atomic<u8> attentions_ = 0;
  std::atomic<bool> visited_ = false;
  std::atomic<bool> inquired_ = false;
  std::atomic<bool> flush_failed_ = false;
};

}  // namespace tcmufs::scsi
