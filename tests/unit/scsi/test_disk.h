#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "scsi/logical_unit.h"
#include "support/memory_store.h"

namespace tcmufs::scsi::test {

using tcmufs::test::MemoryStore;
using tcmufs::test::Operation;
using Bytes = std::vector<u8>;

/// Key, code and qualifier of sense data in either format.
struct SenseCode {
  unsigned key = 0;
  unsigned code = 0;
  unsigned qualifier = 0;
  bool operator==(const SenseCode&) const = default;
};
std::ostream& operator<<(std::ostream& out, const SenseCode& sense);
SenseCode sense_code(std::span<const u8> sense);

/// What came back from one command.
struct Reply {
  Status status = Status::good;
  SenseCode sense;
  Bytes sense_bytes;
  std::optional<std::size_t> data_in_bytes;
  Bytes data;  // the valid bytes of data-in

  bool good() const { return status == Status::good; }
  /// Byte and bit of the field pointer; {-1, -1} if there is none; bit -1 if it points to a byte.
  std::pair<int, int> field() const;
  std::optional<u64> information() const;
};

inline constexpr SenseCode invalid_opcode{0x5, 0x20, 0x00};
inline constexpr SenseCode out_of_range{0x5, 0x21, 0x00};
inline constexpr SenseCode invalid_field{0x5, 0x24, 0x00};
inline constexpr SenseCode invalid_parameter{0x5, 0x26, 0x00};
inline constexpr SenseCode list_length_error{0x5, 0x1a, 0x00};
inline constexpr SenseCode write_error{0x3, 0x0c, 0x00};
inline constexpr SenseCode read_error{0x3, 0x11, 0x00};
inline constexpr SenseCode miscompare{0xe, 0x1d, 0x00};

/// Memory cut into pieces of odd sizes, as a data area may be.
class PiecedBuffer {
 public:
  explicit PiecedBuffer(Bytes bytes);
  std::span<const iovec> pieces() const { return pieces_; }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::vector<iovec> pieces_;
};

inline constexpr u64 default_size = 4 << 20;
inline constexpr u64 default_blocks = default_size / 512;

/// A logical unit over a store in memory.
struct TestDisk {
  explicit TestDisk(Format format = {.block_size_bytes = 512,
                                     .physical_block_size_bytes = 4096,
                                     .size_bytes = default_size})
      : store(format.size_bytes), unit({}, format) {}

  MemoryStore store;
  LogicalUnit unit;

  /// A command with data-out.
  Reply send(Bytes cdb, Bytes data_out = {});
  /// A command with room for `room` bytes of data-in, full of `canary` before.
  Reply ask(Bytes cdb, std::size_t room = 512, u8 canary = 0xee);
  Reply run(const Command& command);
};

/// `value` in `width` big-endian bytes.
Bytes big_endian(u64 value, unsigned width);
u64 number(std::span<const u8> bytes, std::size_t offset, unsigned width);
/// One after the other.
Bytes join(std::initializer_list<Bytes> parts);
Bytes blocks_of(u8 byte, std::size_t blocks, std::size_t block_size = 512);
std::vector<u8> slice(const Bytes& bytes, std::size_t offset, std::size_t length);

// CDBs.
Bytes cdb_6(u8 opcode, u32 lba, u8 blocks);
Bytes cdb_10(u8 opcode, u8 flags, u32 lba, u16 blocks);
Bytes cdb_12(u8 opcode, u8 flags, u32 lba, u32 blocks);
Bytes cdb_16(u8 opcode, u8 flags, u64 lba, u32 blocks);
Bytes inquiry(u16 allocation_length);
Bytes inquiry_page(u8 page, u16 allocation_length = 255);
Bytes test_unit_ready();
Bytes synchronize_cache();
Bytes mode_sense_6(u8 page, u8 allocation_length = 255, u8 flags = 0);
Bytes mode_select_6(u8 length, u8 flags = 0x10);
Bytes read_capacity_16(u32 allocation_length = 32);

}  // namespace tcmufs::scsi::test
