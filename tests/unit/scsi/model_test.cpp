#include <cstdlib>
#include <iostream>
#include <random>
#include <set>

#include "medium_model.h"

namespace tcmufs::scsi::test {

namespace {

/// TCMUFS_SEED=n repeats a run.
u64 chosen_seed() {
  const char* given = std::getenv("TCMUFS_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 0) : std::random_device()();
}

constexpr unsigned commands_per_format = 7000;

const std::vector<u8> known_opcodes = {0x00, 0x03, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1e, 0x25,
                                       0x28, 0x2a, 0x2e, 0x2f, 0x34, 0x35, 0x37, 0x41, 0x42, 0x4d,
                                       0x55, 0x5a, 0x88, 0x89, 0x8a, 0x8b, 0x8e, 0x8f, 0x90, 0x91,
                                       0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa, 0xae, 0xaf, 0xb7};
const std::set<u8> with_data_out = {0x0a, 0x15, 0x2a, 0x2e, 0x2f, 0x41, 0x42, 0x55, 0x89,
                                    0x8a, 0x8b, 0x8e, 0x8f, 0x93, 0xaa, 0xae, 0xaf};

struct RandomCommand {
  Bytes cdb;
  Bytes buffer;
};

class Source {
 public:
  Source(u64 seed, u32 block_size) : random_(seed), block_size_(block_size) {}

  u64 below(u64 limit) { return random_() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }

  RandomCommand next(const Bytes& medium) {
    blocks_ = medium.size() / block_size_;
    const u8 opcode = one_in(12) ? byte() : known_opcodes[below(known_opcodes.size())];
    RandomCommand command{cdb(opcode), {}};
    if (one_in(10)) flip_bit(command.cdb);
    if (one_in(40)) command.cdb.resize(below(command.cdb.size()) + 1);
    command.buffer = buffer(opcode, medium);
    return command;
  }

 private:
  u8 byte() { return static_cast<u8>(random_()); }
  u64 lba() {
    switch (below(8)) {
      case 0:
        return blocks_ - below(3);
      case 1:
        return ~u64{0} - below(3);
      case 2:
        return u64{1} << below(64);
      default:
        return below(blocks_ + 1);
    }
  }
  u64 count() {
    switch (below(8)) {
      case 0:
        return 0;
      case 1:
        return random_();
      case 2:
        return below(blocks_ + 2);
      default:
        return 1 + below(8);
    }
  }
  void flip_bit(Bytes& bytes) {
    const std::size_t at = below(bytes.size());
    bytes[at] = static_cast<u8>(bytes[at] ^ 1 << below(8));
  }

  Bytes cdb(u8 opcode) {
    lba_ = lba();
    count_ = count();
    const u8 flags = one_in(3) ? static_cast<u8>(1 << below(8)) : u8{0};
    switch (opcode) {
      case 0x12:
        return {opcode, static_cast<u8>(below(2)), page(), 0, byte(), 0};
      case 0x15:
        return {opcode, 0x10, 0, 0, static_cast<u8>(one_in(2) ? 16 : below(40)), 0};
      case 0x1a:
        return {opcode, static_cast<u8>(below(2) * 8), page(), 0, byte(), 0};
      case 0x1b:
        return {opcode, 0, 0, 0, static_cast<u8>(one_in(3) ? 0 : 1), 0};
      case 0x42:
        return cdb_10(opcode, 0, 0, static_cast<u16>(one_in(4) ? below(80) : 8 + 16 * below(4)));
      case 0x4d:
        return {opcode, 0, page(), 0, 0, 0, 0, 0, byte(), 0};
      case 0x5a:
        return {opcode, 0, page(), 0, 0, 0, 0, 0, byte(), 0};
      case 0x89:
        return join({{opcode, 0}, big_endian(lba_, 8), {0, 0, 0, static_cast<u8>(count_), 0, 0}});
      case 0x9e:
        return cdb_16(opcode, one_in(2) ? 0x10 : 0x12, one_in(2) ? 0 : lba_, static_cast<u32>(below(300)));
      case 0xa3:
        return join({{opcode, static_cast<u8>(12 + below(2)), static_cast<u8>(below(4)), known(), 0, 0},
                     big_endian(below(300), 4),
                     {0, 0}});
      default:
        break;
    }
    if (opcode < 0x20) return cdb_6(opcode, static_cast<u32>(lba_ & 0x1fffff), static_cast<u8>(count_));
    if (opcode < 0x60) return cdb_10(opcode, flags, static_cast<u32>(lba_), static_cast<u16>(count_));
    if (opcode < 0xa0) return cdb_16(opcode, flags, lba_, static_cast<u32>(count_));
    return cdb_12(opcode, flags, static_cast<u32>(lba_), static_cast<u32>(count_));
  }
  u8 known() { return known_opcodes[below(known_opcodes.size())]; }
  u8 page() {
    constexpr std::array<u8, 16> pages = {0x00, 0x01, 0x08, 0x0a, 0x0d, 0x1c, 0x2f, 0x3f,
                                          0x80, 0x83, 0x86, 0xb0, 0xb1, 0xb2, 0x48, 0x8a};
    return one_in(5) ? byte() : pages[below(pages.size())];
  }

  Bytes buffer(u8 opcode, const Bytes& medium) {
    const std::size_t room = std::min<u64>(count_, blocks_ + 9) * block_size_;
    if (opcode == 0x15 || opcode == 0x55) return mode_list(opcode);
    if (opcode == 0x42) return unmap_list();
    if (opcode == 0x41 || opcode == 0x93) return data(one_in(6) ? below(2 * block_size_) : block_size_);
    const bool there = opcode == 0x89 || opcode == 0x2f || opcode == 0x8f || opcode == 0xaf;
    if (there && !one_in(3) && lba_ <= blocks_ && count_ <= blocks_ - lba_) {
      const Bytes half = slice(medium, lba_ * block_size_, room);
      return opcode == 0x89 ? join({half, data(room)}) : half;
    }
    if (!with_data_out.contains(opcode)) return Bytes(one_in(2) ? room : below(301));
    return data(one_in(8) ? below(room + 1) : one_in(8) ? room + below(1000) : room);
  }
  Bytes data(std::size_t length) {
    Bytes bytes(length, one_in(3) ? u8{0} : byte());
    if (length > 0 && one_in(2)) bytes[below(length)] = byte();
    return bytes;
  }
  Bytes mode_list(u8 opcode) {
    const auto header = Bytes(opcode == 0x15 ? 4 : 8);
    const auto sense = static_cast<u8>(0x02 | (one_in(2) ? 0x04 : 0));
    const u8 protect = one_in(4) ? 0x08 : 0;
    Bytes list = join({header, {0x0a, 10, sense, 0x10, protect, 0x40, 0, 0, 0xff, 0xff, 0, 0}});
    if (one_in(4)) flip_bit(list);
    return list;
  }
  Bytes unmap_list() {
    const std::size_t count = below(5);
    Bytes list = join({big_endian(6 + 16 * count, 2), big_endian(16 * count + below(3), 2), Bytes(4)});
    for (std::size_t i = 0; i < count; ++i) {
      const u64 at = one_in(20) ? lba() : below(blocks_);
      const u64 length =
          one_in(20) ? this->count() : std::min<u64>(below(20), blocks_ - std::min(at, blocks_));
      list = join({list, big_endian(at, 8), big_endian(length, 4), Bytes(4)});
    }
    return list;
  }

  std::mt19937_64 random_;
  const u32 block_size_;
  u64 blocks_ = 0;
  u64 lba_ = 0;
  u64 count_ = 0;
};

/// Two disks that get the same commands, with other bytes in the buffers for data-in, and a model of their
/// medium.
struct Twins {
  explicit Twins(Format format)
      : one(format), two(format), model{format.block_size_bytes, Bytes(format.size_bytes)} {}

  TestDisk one;
  TestDisk two;
  MediumModel model;

  Reply ask(TestDisk& disk, const RandomCommand& command, u8 canary) {
    const bool out = with_data_out.contains(command.cdb[0]);
    const PiecedBuffer buffer(out ? command.buffer : Bytes(command.buffer.size(), canary));
    Reply reply = disk.run({command.cdb, buffer.pieces()});
    const std::size_t valid = reply.data_in_bytes.value_or(0);
    EXPECT_LE(valid, buffer.bytes().size());
    reply.data = slice(buffer.bytes(), 0, valid);
    const Bytes rest = slice(buffer.bytes(), valid, buffer.bytes().size() - valid);
    if (out) {
      EXPECT_EQ(buffer.bytes(), command.buffer) << "data-out was changed";
    } else {
      EXPECT_EQ(rest, Bytes(rest.size(), canary)) << "bytes behind the valid ones were changed";
    }
    return reply;
  }

  void run(const RandomCommand& command) {
    const unsigned changes = one.store.changes();
    const Reply reply = ask(one, command, 0xa5);
    const Reply other = ask(two, command, 0x5a);
    EXPECT_EQ(reply.status, other.status);
    EXPECT_EQ(reply.sense_bytes, other.sense_bytes);
    EXPECT_EQ(reply.data_in_bytes, other.data_in_bytes);
    EXPECT_EQ(reply.data, other.data) << "data-in has bytes that nobody wrote";
    if (!reply.good()) {
      EXPECT_EQ(reply.status, Status::check_condition);
      EXPECT_EQ(one.store.changes(), changes) << "a refused command changed the medium";
      EXPECT_EQ(reply.data_in_bytes, 0u);
    }
    const auto expected = model.predict(command.cdb, command.buffer);
    if (expected) {
      EXPECT_EQ(reply.sense, expected->sense);
      if (expected->data) {
        EXPECT_EQ(reply.data, *expected->data);
      }
    } else if (reply.good()) {
      follow(command.cdb);
    }
  }

  /// Takes over what a command of another kind has changed.
  void follow(const Bytes& cdb) {
    if (cdb[0] == 0x1b && cdb[4] >> 4 == 0) model.stopped = (cdb[4] & 1) == 0;
    if (cdb[0] == 0x15 || cdb[0] == 0x55) {
      model.write_protected = (one.ask(mode_sense_6(0x0a)).data[2] & 0x80) != 0;
    }
  }

  void resize(u64 blocks) {
    const u64 size = blocks * model.block_size;
    if (size == model.medium.size()) return;
    model.medium.resize(size);
    for (TestDisk* disk : {&one, &two}) {
      EXPECT_FALSE(disk->store.resize(size));
      disk->unit.resize(size);
      EXPECT_EQ(disk->ask(test_unit_ready()).sense, (SenseCode{0x6, 0x2a, 0x09}));
    }
  }
};

std::string shown(const RandomCommand& command) {
  std::string text;
  for (const u8 byte : command.cdb) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
    text += ' ';
  }
  return text + "with " + std::to_string(command.buffer.size()) + " bytes";
}

void run_model(Format format) {
  const u64 seed = chosen_seed();
  std::cout << "TCMUFS_SEED=" << seed << " repeats this run\n";
  Source source(seed, format.block_size_bytes);
  Twins twins(format);
  const u64 blocks = format.size_bytes / format.block_size_bytes;
  ASSERT_TRUE(twins.one.ask(test_unit_ready()).good() && twins.two.ask(test_unit_ready()).good());
  for (unsigned i = 0; i < commands_per_format && !testing::Test::HasFailure(); ++i) {
    if (source.one_in(400)) twins.resize(blocks / 2 + source.below(blocks));
    const RandomCommand command = source.next(twins.model.medium);
    SCOPED_TRACE("TCMUFS_SEED=" + std::to_string(seed) + ", command " + std::to_string(i) + ": " +
                 shown(command));
    twins.run(command);
    if (i % 64 == 0) {
      EXPECT_TRUE(twins.one.store.bytes() == twins.model.medium);
    }
  }
  EXPECT_TRUE(twins.one.store.bytes() == twins.model.medium);
  EXPECT_TRUE(twins.two.store.bytes() == twins.model.medium);
}

TEST(Model, RandomCommandsOnBlocksOf512BytesDoWhatAVectorOfBytesDoes) {
  run_model({.block_size_bytes = 512, .physical_block_size_bytes = 512, .size_bytes = 512 * 512});
}

TEST(Model, RandomCommandsOnEmulatedBlocksDoWhatAVectorOfBytesDoes) {
  run_model({.block_size_bytes = 512, .physical_block_size_bytes = 4096, .size_bytes = 512 * 512});
}

TEST(Model, RandomCommandsOnBlocksOf4096BytesDoWhatAVectorOfBytesDoes) {
  run_model({.block_size_bytes = 4096, .physical_block_size_bytes = 4096, .size_bytes = 64 * 4096});
}

}  // namespace

}  // namespace tcmufs::scsi::test
