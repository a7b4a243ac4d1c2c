#pragma once

#include <tcmufs/export.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

TCMUFS_BEGIN

/// Sense key, additional sense code and its qualifier (SPC-4, sense data).
struct Sense {
  std::uint8_t key = 0;
  std::uint8_t code = 0;
  std::uint8_t qualifier = 0;

  bool operator==(const Sense&) const = default;
};

namespace sense {
inline constexpr Sense medium_error{0x3, 0x11, 0x00};
inline constexpr Sense target_failure{0x4, 0x44, 0x00};
inline constexpr Sense invalid_operation_code{0x5, 0x20, 0x00};
inline constexpr Sense invalid_field_in_cdb{0x5, 0x24, 0x00};
}  // namespace sense

/// How a command ends.
class TCMUFS_API [[nodiscard]] Outcome {
 public:
  /// GOOD; what Command::put() has been given goes back.
  static Outcome good();
  /// CHECK CONDITION, with sense data in the format that the initiator has chosen.
  static Outcome check_condition(const Sense& sense);
  /// The same with sense data as it is to travel, up to 96 bytes.
  static Outcome check_condition(std::span<const std::byte> sense_data);
  /// BUSY: the initiator tries again.
  static Outcome busy();
  /// Any other status of SAM-5.
  static Outcome status(std::uint8_t status);
  /// No such command: 05/20/00.
  static Outcome not_handled();

  bool is_good() const noexcept { return status_ == 0; }
  bool is_handled() const noexcept { return handled_; }

 private:
  friend struct OutcomeParts;

  std::uint8_t status_ = 0;
  bool handled_ = true;
  bool final_ = false;  // nothing is to be added
  std::optional<std::size_t> data_in_bytes_;
  std::optional<Sense> sense_;
  std::vector<std::byte> sense_data_;
};

/// What a command is for.
struct DeviceInfo {
  std::string name{};
  std::uint64_t size = 0;  // now
  std::uint32_t block_size = 0;
};

/// A command on its way, for the thread that handles it.
class TCMUFS_API Command {
 public:
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  std::uint8_t opcode() const noexcept;
  std::span<const std::byte> cdb() const noexcept;
  /// The LOGICAL BLOCK ADDRESS and the TRANSFER LENGTH of a CDB of 6, 10, 12 or 16 bytes, in blocks; READ(6)
  /// and WRITE(6) of 0 are of 256. 0 for other CDBs; without meaning for commands that have no such fields.
  std::uint64_t lba() const noexcept;
  std::uint64_t transfer_length() const noexcept;

  /// Bytes of the initiator's buffer.
  std::size_t buffer_length() const noexcept;
  /// Appends to data-in; returns how many bytes there was room for.
  std::size_t put(std::span<const std::byte> data) noexcept;
  /// Takes the next bytes of data-out; returns how many there were.
  std::size_t take(std::span<std::byte> data) noexcept;

  DeviceInfo device() const;

  /// Does what the device would do without a handler, whatever the command is.
  Outcome emulate();

 private:
  friend struct CommandParts;
  struct Context;
  explicit Command(Context& context) : context_(context) {}

  Context& context_;
};

/// Answers the commands of a device. With DeviceOptions::threads of 1 one at a time.
class TCMUFS_API CommandHandler {
 public:
  CommandHandler() = default;
  CommandHandler(const CommandHandler&) = delete;
  CommandHandler& operator=(const CommandHandler&) = delete;
  virtual ~CommandHandler();

  /// What it throws becomes sense, as what a BlockStore throws. The default lets the device do all of it.
  virtual Outcome handle(Command& command);
};

/// The built-in commands one by one. Each answers not_handled() to a command that is not of its kind.
TCMUFS_API Outcome emulate_inquiry(Command& command);
TCMUFS_API Outcome emulate_test_unit_ready(Command& command);
TCMUFS_API Outcome emulate_read_capacity(Command& command);      // 10 and 16
TCMUFS_API Outcome emulate_service_action_in(Command& command);  // READ CAPACITY(16), GET LBA STATUS
TCMUFS_API Outcome emulate_mode_sense(Command& command);
TCMUFS_API Outcome emulate_mode_select(Command& command);
TCMUFS_API Outcome emulate_read(Command& command);
TCMUFS_API Outcome emulate_write(Command& command);
TCMUFS_API Outcome emulate_synchronize_cache(Command& command);
TCMUFS_API Outcome emulate_unmap(Command& command);
TCMUFS_API Outcome emulate_write_same(Command& command);

TCMUFS_END
