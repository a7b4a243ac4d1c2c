#include <fcntl.h>

#include <atomic>
#include <thread>

#include "store/file_store.h"
#include "support/temporary_directory.h"
#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

Bytes caw(u64 lba, u8 count, u8 flags = 0) {
  return join({{0x89, flags}, big_endian(lba, 8), {0, 0, 0, count, 0, 0}});
}

TEST(CompareAndWrite, WritesTheSecondHalfIfTheFirstIsThere) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(caw(3, 2), join({blocks_of(0, 2), blocks_of(5, 2)})).good());
  EXPECT_EQ(slice(disk.store.bytes(), 3 * 512, 1024), blocks_of(5, 2));
  EXPECT_EQ(disk.store.bytes()[5 * 512], 0);
}

TEST(CompareAndWrite, AMiscompareWritesNothingAndSaysWhere) {
  TestDisk disk;
  Bytes expected = blocks_of(0, 2);
  expected[700] = 1;
  expected[800] = 1;
  const Reply reply = disk.send(caw(3, 2), join({expected, blocks_of(5, 2)}));
  EXPECT_EQ(reply.sense, miscompare);
  EXPECT_EQ(reply.information(), 700u);
  EXPECT_EQ(disk.store.changes(), 0u);
}

TEST(CompareAndWrite, ChecksItsBlocksItsRangeAndItsBuffer) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(caw(default_blocks, 0)).good());
  EXPECT_EQ(disk.send(caw(default_blocks, 1), blocks_of(0, 2)).sense, out_of_range);
  EXPECT_EQ(disk.send(caw(0, 1), blocks_of(0, 1)).sense, invalid_field);
  EXPECT_EQ(disk.send(caw(0, 1), blocks_of(0, 3)).sense, invalid_field);
  EXPECT_EQ(disk.send(caw(0, 1, 0x20), blocks_of(0, 2)).sense, invalid_field);
  EXPECT_EQ(disk.store.changes(), 0u);
}

TEST(CompareAndWrite, ForcedUnitAccessIsStable) {
  TestDisk disk;
  EXPECT_TRUE(disk.send(caw(0, 1, 0x08), join({blocks_of(0, 1), blocks_of(5, 1)})).good());
  EXPECT_EQ(disk.store.stable_bytes()[0], 5);
}

struct Noted final : PointOfNoReturn {
  explicit Noted(const MemoryStore& watched) : store(watched) {}
  void passed() noexcept override { changes_before = store.changes(); }
  const MemoryStore& store;
  std::optional<unsigned> changes_before;
};

TEST(CompareAndWrite, TellsOfThePointOfNoReturnAfterTheCompareAndBeforeTheWrite) {
  TestDisk disk;
  Noted noted(disk.store);
  const PiecedBuffer buffer(join({blocks_of(0, 1), blocks_of(5, 1)}));
  const Bytes cdb = caw(0, 1);
  Command command{cdb, buffer.pieces()};
  command.point_of_no_return = &noted;
  EXPECT_TRUE(disk.run(command).good());
  EXPECT_EQ(noted.changes_before, 0u);

  noted.changes_before.reset();
  EXPECT_EQ(disk.run(command).sense, miscompare);
  EXPECT_EQ(noted.changes_before, std::nullopt);
}

TEST(CompareAndWrite, ThatHadBegunIsFinishedWithoutComparingAgain) {
  TestDisk disk;
  disk.store.fill(9);
  const PiecedBuffer buffer(join({blocks_of(0, 1), blocks_of(5, 1)}));
  const Bytes cdb = caw(0, 1);
  Command command{cdb, buffer.pieces()};
  command.begun = true;
  EXPECT_TRUE(disk.run(command).good());
  EXPECT_EQ(slice(disk.store.bytes(), 0, 512), blocks_of(5, 1));
}

TEST(OrWrite, OrsWhatIsThere) {
  TestDisk disk;
  disk.store.fill(0x0f);
  EXPECT_TRUE(disk.send(cdb_16(0x8b, 0x08, 2, 1000), blocks_of(0x31, 1000)).good());
  EXPECT_EQ(slice(disk.store.stable_bytes(), 2 * 512, 1000 * 512), blocks_of(0x3f, 1000));
  EXPECT_EQ(disk.store.bytes()[1002 * 512], 0x0f);
  EXPECT_EQ(disk.send(cdb_16(0x8b, 0, 0, 2), blocks_of(1, 1)).sense, invalid_field);
  EXPECT_EQ(disk.send(cdb_16(0x8b, 0, default_blocks, 1), blocks_of(1, 1)).sense, out_of_range);
}

/// Counts up in block 0 with COMPARE AND WRITE until it has done so `times` times.
void count_up(TestDisk& disk, unsigned times) {
  for (unsigned done = 0; done < times;) {
    const Bytes before = disk.ask(cdb_10(0x28, 0, 0, 1)).data;
    const u64 value = number(before, 0, 8);
    const Bytes after = join({big_endian(value + 1, 8), Bytes(504)});
    if (disk.send(caw(0, 1), join({before, after})).good()) ++done;
  }
}

TEST(CompareAndWrite, IsAtomicAgainstItself) {
  TestDisk disk;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back([&disk] { count_up(disk, 50); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(number(disk.store.bytes(), 0, 8), 200u);
}

/// A store that lets a competitor in between the read and the write of a compound command, if anything does.
class Intruding final : public store::BlockStore {
 public:
  explicit Intruding(MemoryStore& below) : below_(below) {}
  std::atomic<bool> read_seen = false;

  u64 size_bytes() const noexcept override { return below_.size_bytes(); }
  std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept override {
    const auto error = below_.read(offset, buffers);
    read_seen = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return error;
  }
  std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept override {
    return below_.write(offset, buffers);
  }
  std::error_code flush() noexcept override { return below_.flush(); }
  std::error_code discard(u64 offset, u64 length) noexcept override { return below_.discard(offset, length); }
  std::error_code zero(u64 offset, u64 length) noexcept override { return below_.zero(offset, length); }
  std::error_code resize(u64 size) noexcept override { return below_.resize(size); }
  std::error_code extent(u64 offset, Extent& result) noexcept override {
    return below_.extent(offset, result);
  }

 private:
  MemoryStore& below_;
};

/// Runs `cdb` and, once it has read, `other`: the medium must be as after the one and then the other.
Bytes block_0_after(TestDisk& disk, const Bytes& cdb, const Bytes& data, const Bytes& other,
                    const Bytes& other_data) {
  Intruding store(disk.store);
  const auto run = [&](const Bytes& of, const Bytes& with) {
    const PiecedBuffer buffer(with);
    const Command command{of, buffer.pieces()};
    const auto plan = std::get<Plan>(disk.unit.start(command));
    EXPECT_EQ(disk.unit.execute(plan, command, store).status, Status::good);
  };
  std::thread compound([&] { run(cdb, data); });
  while (!store.read_seen) std::this_thread::yield();
  run(other, other_data);
  compound.join();
  return slice(disk.store.bytes(), 0, 512);
}

TEST(CompareAndWrite, NoOtherWriteComesBetween) {
  const Bytes data = join({blocks_of(0, 1), blocks_of(1, 1)});
  const Bytes unmap_list = join({{0, 22, 0, 16, 0, 0, 0, 0}, big_endian(0, 8), big_endian(1, 4), Bytes(4)});
  const std::vector<std::tuple<Bytes, Bytes, u8>> others = {
      {cdb_10(0x2a, 0, 0, 1), blocks_of(2, 1), 2}, {cdb_10(0x41, 0, 0, 1), blocks_of(3, 1), 3},
      {cdb_10(0x41, 0, 0, 1), blocks_of(0, 1), 0}, {{0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, unmap_list, 0},
      {cdb_10(0x2e, 0, 0, 1), blocks_of(4, 1), 4},
  };
  for (const auto& [cdb, other_data, byte] : others) {
    TestDisk disk;
    EXPECT_EQ(block_0_after(disk, caw(0, 1), data, cdb, other_data), blocks_of(byte, 1)) << +cdb[0];
  }
}

TEST(OrWrite, NoOtherWriteComesBetween) {
  TestDisk disk;
  const Bytes after =
      block_0_after(disk, cdb_16(0x8b, 0, 0, 1), blocks_of(1, 1), cdb_10(0x2a, 0, 0, 1), blocks_of(2, 1));
  EXPECT_EQ(after, blocks_of(2, 1));
}

/// Eight threads that count up in block 1, each time holding block 0 as a lock.
class Counters {
 public:
  explicit Counters(store::BlockStore& store)
      : store_(store), unit_({}, {.block_size_bytes = 512, .size_bytes = store.size_bytes()}) {}

  u64 count(unsigned times) {
    std::atomic<int> left = static_cast<int>(times);
    std::vector<std::thread> threads;
    for (u8 name = 1; name <= 8; ++name) {
      threads.emplace_back([this, name, &left] {
        while (left-- > 0) count_once(name);
      });
    }
    for (std::thread& thread : threads) thread.join();
    Bytes counter(512);
    EXPECT_TRUE(good(cdb_10(0x28, 0, 1, 1), counter));
    return number(counter, 0, 8);
  }

 private:
  bool good(const Bytes& cdb, Bytes& buffer) {
    const iovec piece{buffer.data(), buffer.size()};
    const Command command{cdb, {&piece, 1}};
    auto outcome = unit_.start(command);
    auto* plan = std::get_if<Plan>(&outcome);
    return plan != nullptr && unit_.execute(*plan, command, store_).status == Status::good;
  }
  bool lock(u8 from, u8 to) {
    Bytes both = join({blocks_of(from, 1), blocks_of(to, 1)});
    return good(caw(0, 1), both);
  }
  void count_once(u8 name) {
    while (!lock(0, name)) std::this_thread::yield();
    Bytes counter(512);
    EXPECT_TRUE(good(cdb_10(0x28, 0, 1, 1), counter));
    counter = join({big_endian(number(counter, 0, 8) + 1, 8), Bytes(504)});
    EXPECT_TRUE(good(cdb_10(0x2a, 0, 1, 1), counter));
    EXPECT_TRUE(lock(name, 0)) << "somebody else has taken the lock";
  }

  store::BlockStore& store_;
  LogicalUnit unit_;
};

#ifdef __SANITIZE_THREAD__  // slow, and sees a race without its effect
constexpr unsigned many_times = 10000;
#else
constexpr unsigned many_times = 100000;
#endif

TEST(CompareAndWrite, IsALockThatCountsExactlyInMemory) {
  MemoryStore store(4096);
  EXPECT_EQ(Counters(store).count(many_times), many_times);
}

TEST(CompareAndWrite, IsALockThatCountsExactlyInAFile) {
  const tcmufs::test::TemporaryDirectory directory;
  const std::string path = directory / "image";
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  store::FileStore store(std::move(file), path, Deadline::after(std::chrono::seconds(10)));
  ASSERT_FALSE(store.resize(4096));
  EXPECT_EQ(Counters(store).count(many_times), many_times);
}

}  // namespace

}  // namespace tcmufs::scsi::test
