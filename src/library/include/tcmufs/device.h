#pragma once

#include <tcmufs/async_block_store.h>
#include <tcmufs/block_store.h>
#include <tcmufs/command.h>
#include <tcmufs/error.h>
#include <tcmufs/export.h>
#include <tcmufs/wwn.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

TCMUFS_BEGIN

/// What a device is to be. Only the name, and the size of a store that has none of its own, must be given.
struct DeviceOptions {
  std::string name{};              // of the device in its directory
  std::uint64_t size = 0;          // in bytes, a multiple of block_size; 0: that of the store
  std::uint32_t block_size = 512;  // 512, 1024, 2048 or 4096
  std::uint32_t physical_block_size =
      4096;  // what the store writes best: block_size or more, a power of two, up to 1 MiB

  /// The number of the HBA in the kernel, which several devices may share, also those of several processes;
  /// none: one of its own.
  std::optional<std::uint32_t> hba{};
  /// The name of the SCSI target, of NAA 5, which several devices of one process may share; none: one of its
  /// own.
  std::optional<Wwn> target{};
  /// 0 to 16383, free at that target; none: the lowest that is.
  std::optional<std::uint32_t> lun{};

  /// What the device is known by; none: NAA 6, from this machine's id, the directory and the name.
  std::optional<Wwn> wwn{};
  std::string serial{};                  // up to 32 printable characters; empty: as the name of none
  std::string vendor = "TCMUFS";         // of INQUIRY, up to 8 characters
  std::string product = "Virtual Disk";  // up to 16
  std::string revision = "0001";         // up to 4

  /// How many commands are carried out at once, each in a thread of its own: 1 to 64. Their answers go back in
  /// the order in which they came: one that takes long delays those after it, and one that is never answered
  /// all of them.
  unsigned threads = 1;
  /// False for a store that has a write cache: it is flushed after every write. None: as the store has one or
  /// not.
  std::optional<bool> write_cache{};
  bool read_only = false;

  std::chrono::milliseconds ready_timeout{30'000};  // for open(): until the block device answers
  std::chrono::milliseconds resize_timeout{30'000};
  /// After that the kernel fails a command that has not been answered, and goes on; 0: never.
  std::chrono::seconds command_timeout{0};

  /// Told in a sentence when the device can be served no longer, or what could not be taken down; from some
  /// thread of the library, which must not be kept. It must not close the device.
  std::function<void(const std::string& sentence)> on_failure{};
};

/// A block device of this machine, from open() to the end of the object's life. Its functions may be used by
/// one thread at a time; they wait for the kernel, so no store or handler may call them.
///
/// It needs root, and a kernel with target_core_user and tcm_loop, which are loaded as needed.
class TCMUFS_API Device {
 public:
  /// Makes the device and the symbolic link DIRECTORY/NAME to its node; returns when it answers. The
  /// directory is made if need be, and removed when it has become empty. Throws Error, and then nothing is
  /// left: EBUSY if DIRECTORY/NAME is open already, in this process or another, or if the LUN is taken;
  /// EEXIST if something else has that name; EINVAL for options that no device can have; ETIMEDOUT; EPERM;
  /// ENODEV if the kernel has no TCMU.
  ///
  /// A device that a process left behind which died is taken over as it is, under those who use it, and their
  /// I/O goes on. It must be opened with the same block size, target and LUN, and not be smaller
  /// (EBUSY otherwise: see remove_leftover()).
  static Device open(const std::string& directory, const DeviceOptions& options,
                     std::shared_ptr<BlockStore> store);
  /// The same with a store whose operations end later. DeviceOptions::threads has no meaning then.
  static Device open(const std::string& directory, const DeviceOptions& options,
                     std::shared_ptr<AsyncBlockStore> store);
  /// The same with commands that are answered by `handler`; the built-in ones need a store if they need a
  /// medium.
  static Device open(const std::string& directory, const DeviceOptions& options,
                     std::shared_ptr<CommandHandler> handler, std::shared_ptr<BlockStore> store = nullptr);

  /// Removes what a process that died left of DIRECTORY/NAME; what waits for it there gets errors. False if
  /// there is nothing. Throws Error: EBUSY if a process serves it.
  static bool remove_leftover(const std::string& directory, const std::string& name);

  Device(Device&& other) noexcept;
  Device& operator=(Device&& other) noexcept;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  /// Takes all of it down, also while it is used: what can be written is written out first, I/O that comes
  /// later fails. Returns when nothing is left, which takes as long as the store takes for what it has been
  /// given.
  ~Device();

  /// The same, but only if nobody uses the device. Throws Error (EBUSY), which says who does, and the device
  /// stays.
  void close();
  /// Changes the size while it is used: calls BlockStore::resize(). Shrinking is the caller's risk. Throws
  /// Error; the size is then what it was.
  void resize(std::uint64_t size);

  const std::string& path() const;  // "DIRECTORY/NAME"
  std::string node() const;         // "/dev/sda"
  std::string sg() const;           // "/dev/sg0"; empty where the kernel has no sg
  std::string address() const;      // of SCSI: "H:C:T:L"
  std::uint64_t size() const;
  std::uint32_t block_size() const;
  std::uint32_t lun() const;
  const Wwn& wwn() const;

 private:
  struct Brought;
  struct State;
  explicit Device(std::unique_ptr<State> state);
  static Device open(const std::string& directory, const DeviceOptions& options, Brought brought);

  std::unique_ptr<State> state_;
};

TCMUFS_END
