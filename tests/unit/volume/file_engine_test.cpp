#include "volume/file_engine.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/align/aligned_allocator.hpp>
#include <deque>
#include <random>

#include "store/file_store.h"
#include "support/temporary_directory.h"
#include "sys/error.h"

namespace tcmufs::volume {
namespace {

constexpr u64 size_bytes = 8 << 20;
constexpr u32 block = 512;

// As the ring's data area is, for direct I/O.
using Bytes = std::vector<u8, boost::alignment::aligned_allocator<u8, 4096>>;

/// Asynchronous I/O whose results the test says.
class ScriptedIo final : public AsyncIo {
 public:
  explicit ScriptedIo(int file) : file_(file), event_(make_event()) {}

  void start(AsyncOperation& operation) noexcept override { started.push_back(&operation); }
  void flush() noexcept override { ++flushes; }
  AsyncOperation* finished() noexcept override {
    if (done.empty()) return nullptr;
    AsyncOperation* operation = done.front();
    done.pop_front();
    return operation;
  }
  void wait() noexcept override {
    if (done.empty()) finish_all();
  }
  int fd() const noexcept override { return event_.number(); }
  std::string name() const override { return "scripted"; }

  /// Carries out the oldest one, but moves `limit` bytes of its first piece at most, if there is a limit.
  void finish_one(std::size_t limit = 0) {
    AsyncOperation* operation = started.front();
    started.pop_front();
    operation->result = 0;
    if (operation->kind != AsyncOperation::Kind::sync) {
      iovec first = operation->buffer.front();
      first.iov_len = std::min(first.iov_len, limit);
      const auto pieces = limit > 0 ? std::span<const iovec>(&first, 1) : operation->buffer;
      const auto call = operation->kind == AsyncOperation::Kind::read ? ::preadv : ::pwritev;
      operation->result = call(file_, pieces.data(), static_cast<int>(pieces.size()),
                               static_cast<off_t>(operation->offset_bytes));
    }
    done.push_back(operation);
  }
  void fail_one(int error) {
    started.front()->result = -error;
    done.push_back(started.front());
    started.pop_front();
  }
  void finish_all() {
    while (!started.empty()) finish_one();
  }

  std::deque<AsyncOperation*> started;
  std::deque<AsyncOperation*> done;
  int flushes = 0;

 private:
  const int file_;
  Fd event_;
};

/// A command with its memory, from the CDB to the answer.
struct Exchange {
  Exchange(std::initializer_list<u8> cdb, std::size_t bytes, u8 filling = 0) : data(bytes, filling) {
    command.cdb_length = static_cast<u16>(cdb.size());
    std::copy(cdb.begin(), cdb.end(), command.cdb.begin());
    command.buffer = {{data.data(), data.size() / 2},
                      {data.data() + data.size() / 2, data.size() - data.size() / 2}};
    job.command = &command;
  }

  Bytes data;
  Bytes unaligned;  // what takes its place, if anything does
  tcmu::RingCommand command;
  Job job;
};

Exchange read_command(u8 lba, u8 blocks) {
  return {{0x28, 0, 0, 0, 0, lba, 0, 0, blocks, 0}, std::size_t{blocks} * block};
}
Exchange write_command(u8 lba, u8 blocks, u8 filling, bool force_unit_access = false) {
  const u8 flags = force_unit_access ? 0x08 : 0;
  return {{0x2a, flags, 0, 0, 0, lba, 0, 0, blocks, 0}, std::size_t{blocks} * block, filling};
}
Exchange flush_command() {
  return {{0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0};
}

class FileEngineTest : public testing::Test {
 protected:
  // Not on tmpfs, whose reads never wait: on what /var/tmp is on.
  FileEngineTest() : directory_("/var/tmp"), path_(directory_.path() + "/image") {
    Fd file = open_file(path_, O_RDWR | O_CREAT, 0600);
    std::vector<u8> bytes(size_bytes);
    std::mt19937 random(1);
    std::generate(bytes.begin(), bytes.end(), [&random] { return static_cast<u8>(random()); });
    EXPECT_EQ(::pwrite(file.number(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(size_bytes));
    contents_ = bytes;
    store_.emplace(std::move(file), path_, Deadline::after(std::chrono::seconds(5)));
  }

  /// Makes every read wait for the medium, where the file system lets us.
  void forget_cache() {
    ASSERT_EQ(::fdatasync(store_->descriptor()), 0);
    ASSERT_EQ(::posix_fadvise(store_->descriptor(), 0, 0, POSIX_FADV_DONTNEED), 0);
  }
  void use(std::unique_ptr<AsyncIo> io) {
    engine_ = std::make_unique<FileEngine>(unit_, *store_, store_->descriptor(), std::move(io));
  }
  ScriptedIo& use_scripted() {
    auto io = std::make_unique<ScriptedIo>(store_->descriptor());
    ScriptedIo& result = *io;
    use(std::move(io));
    return result;
  }
  void submit(std::initializer_list<Exchange*> exchanges) {
    std::vector<Job*> jobs;
    for (Exchange* exchange : exchanges) {
      auto outcome = unit_.start(exchange->job.scsi_command());
      ASSERT_TRUE(std::holds_alternative<scsi::Plan>(outcome));
      exchange->job.plan = std::move(std::get<scsi::Plan>(outcome));
      jobs.push_back(&exchange->job);
    }
    engine_->submit(jobs);
  }
  std::vector<Job*> reap() {
    const auto jobs = engine_->reap();
    return {jobs.begin(), jobs.end()};
  }
  std::vector<Job*> reap_all() {
    std::vector<Job*> all;
    while (!engine_->idle()) {
      engine_->wait();
      for (Job* job : reap()) all.push_back(job);
    }
    return all;
  }
  Bytes stored(u8 lba, u8 blocks) const {
    return {contents_.begin() + lba * block, contents_.begin() + (lba + blocks) * block};
  }

  test::TemporaryDirectory directory_;
  const std::string path_;
  std::vector<u8> contents_;
  std::optional<store::FileStore> store_;
  scsi::LogicalUnit unit_{scsi::Identity{.uuid = Uuid::random()}, scsi::Format{block, 4096, size_bytes}};
  std::unique_ptr<Engine> engine_;
};

TEST_F(FileEngineTest, ReadsWhatIsCachedAtOnce) {
  ScriptedIo& io = use_scripted();
  Exchange read = read_command(8, 8);
  submit({&read});
  if (!io.started.empty()) GTEST_SKIP() << "this file system cannot tell what is cached";
  EXPECT_EQ(reap(), std::vector<Job*>{&read.job});
  EXPECT_EQ(read.data, stored(8, 8));
  EXPECT_TRUE(engine_->idle());
}

TEST_F(FileEngineTest, ReadsOfTheMediumOvertakeEachOther) {
  forget_cache();
  ScriptedIo& io = use_scripted();
  Exchange first = read_command(8, 8);
  Exchange second = read_command(64, 8);
  submit({&first, &second});
  if (io.started.size() != 2) GTEST_SKIP() << "the page cache of this file system cannot be emptied";
  EXPECT_GE(io.flushes, 1);
  EXPECT_TRUE(reap().empty());
  std::swap(io.started.front(), io.started.back());
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&second.job});
  EXPECT_EQ(second.data, stored(64, 8));
  EXPECT_FALSE(engine_->idle());
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&first.job});
  EXPECT_EQ(first.data, stored(8, 8));
}

TEST_F(FileEngineTest, AShortReadIsGoneOnWith) {
  forget_cache();
  ScriptedIo& io = use_scripted();
  Exchange read = read_command(0, 16);
  submit({&read});
  if (io.started.empty()) GTEST_SKIP() << "the page cache of this file system cannot be emptied";
  for (int part = 0; part < 10 && !io.started.empty(); ++part) {
    EXPECT_TRUE(reap().empty());
    io.finish_one(1000);
    if (engine_->reap().size() == 1) break;
  }
  EXPECT_TRUE(engine_->idle());
  EXPECT_EQ(read.job.response.status, scsi::Status::good);
  EXPECT_EQ(read.data, stored(0, 16));
}

TEST_F(FileEngineTest, AReadThatFailsIsTriedOnceMoreBeforeTheInitiatorIsTold) {
  forget_cache();
  ScriptedIo& io = use_scripted();
  Exchange read = read_command(0, 16);
  submit({&read});
  if (io.started.empty()) GTEST_SKIP() << "the page cache of this file system cannot be emptied";
  io.fail_one(EIO);
  EXPECT_EQ(reap().size(), 1U);
  EXPECT_EQ(read.job.response.status, scsi::Status::good);
  EXPECT_EQ(read.data, stored(0, 16));
}

TEST_F(FileEngineTest, OneFlushAtATimeAndOneForAllThatWaited) {
  ScriptedIo& io = use_scripted();
  Exchange first = flush_command();
  Exchange write = write_command(0, 8, 7, true);
  Exchange second = flush_command();
  submit({&first});
  submit({&write, &second});
  EXPECT_EQ(io.started.size(), 1U);
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&first.job});
  EXPECT_EQ(io.started.size(), 1U);
  io.finish_one();
  EXPECT_EQ(reap(), (std::vector<Job*>{&write.job, &second.job}));
  EXPECT_TRUE(io.started.empty());
  EXPECT_TRUE(engine_->idle());
}

TEST_F(FileEngineTest, AFlushThatFailsFailsForAllThatWaitAndForEver) {
  ScriptedIo& io = use_scripted();
  Exchange first = flush_command();
  Exchange write = write_command(0, 8, 7, true);
  submit({&first});
  submit({&write});
  io.fail_one(EIO);
  EXPECT_EQ(reap().size(), 2U);
  EXPECT_EQ(first.job.response.status, scsi::Status::check_condition);
  EXPECT_EQ(write.job.response.status, scsi::Status::check_condition);
  EXPECT_TRUE(io.started.empty()) << "a second flush would succeed";
  Exchange later = flush_command();
  EXPECT_TRUE(std::holds_alternative<scsi::Response>(unit_.start(later.job.scsi_command())));
}

TEST_F(FileEngineTest, AFlushThatIsInterruptedIsDoneAgain) {
  ScriptedIo& io = use_scripted();
  Exchange flush = flush_command();
  submit({&flush});
  io.fail_one(EINTR);
  EXPECT_TRUE(reap().empty());
  ASSERT_EQ(io.started.size(), 1U);
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&flush.job});
  EXPECT_EQ(flush.job.response.status, scsi::Status::good);
}

// A read with FUA flushes before it reads, in the calling thread, which must not flush beside a flush.
TEST_F(FileEngineTest, ACommandThatFlushesByItselfWaitsForTheFlushThatIsUnderWay) {
  ScriptedIo& io = use_scripted();
  Exchange flush = flush_command();
  Exchange read({0x28, 0x08, 0, 0, 0, 4, 0, 0, 1, 0}, block);
  submit({&flush});
  submit({&read});
  EXPECT_TRUE(io.started.empty()) << "the flush that was begun first has not been waited for";
  EXPECT_EQ(reap(), (std::vector<Job*>{&flush.job, &read.job}));
  EXPECT_EQ(read.data, stored(4, 1));
}

// The kernel tells only one flush of an error: the one that comes after it succeeds, and must not count.
TEST_F(FileEngineTest, AFlushThatSucceedsAfterAnotherHasFailedIsNoSuccess) {
  ScriptedIo& io = use_scripted();
  Exchange write = write_command(0, 8, 7, true);
  Exchange other = flush_command();
  submit({&write});
  auto outcome = unit_.start(other.job.scsi_command());
  const auto failed = unit_.complete(std::get<scsi::Plan>(outcome), scsi::LogicalUnit::Step::flush,
                                     {EIO, std::generic_category()});
  EXPECT_EQ(failed.status, scsi::Status::check_condition);
  io.finish_one();
  EXPECT_EQ(reap().size(), 1U);
  EXPECT_EQ(write.job.response.status, scsi::Status::check_condition);
}

TEST_F(FileEngineTest, WhatLiesBeyondTheImageIsAnErrorNotMoreImage) {
  use_scripted();
  ASSERT_FALSE(store_->resize(size_bytes / 2));
  Exchange write({0x2a, 0, 0, 0, 0x3f, 0xf8, 0, 0, 8, 0}, std::size_t{8} * block, 7);
  Exchange read({0x28, 0, 0, 0, 0x3f, 0xf8, 0, 0, 8, 0}, std::size_t{8} * block);
  submit({&write, &read});
  EXPECT_EQ(reap().size(), 2U);
  EXPECT_EQ(write.job.response.status, scsi::Status::check_condition);
  EXPECT_EQ(read.job.response.status, scsi::Status::check_condition);
  EXPECT_EQ(::lseek(store_->descriptor(), 0, SEEK_END), static_cast<off_t>(size_bytes / 2));
}

TEST_F(FileEngineTest, WritesAreDoneAtOnceAndSeenByReads) {
  ScriptedIo& io = use_scripted();
  Exchange write = write_command(16, 8, 0x5a);
  submit({&write});
  EXPECT_TRUE(io.started.empty());
  EXPECT_EQ(reap(), std::vector<Job*>{&write.job});
  Exchange read = read_command(16, 8);
  submit({&read});
  while (!engine_->idle()) {
    engine_->wait();
    reap();
  }
  EXPECT_EQ(read.data, write.data);
}

/// An image that was opened with O_DIRECT.
class DirectEngineTest : public FileEngineTest {
 protected:
  DirectEngineTest() {
    const int number = ::open(path_.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
    if (number < 0) return;
    store_.reset();
    store_.emplace(Fd(number), path_, Deadline::after(std::chrono::seconds(5)));
  }
  void SetUp() override {
    if ((::fcntl(store_->descriptor(), F_GETFL) & O_DIRECT) == 0) GTEST_SKIP() << "no direct I/O on /var/tmp";
  }
  /// The same command with its memory where direct I/O cannot use it.
  static void misalign(Exchange& exchange) {
    exchange.unaligned.assign(exchange.data.size() + 8,
                              exchange.data.empty() ? u8{0} : exchange.data.front());
    exchange.command.buffer = {{exchange.unaligned.data() + 8, exchange.data.size()}};
  }
};

TEST_F(DirectEngineTest, ReadsAndWritesGoOnBesideEachOther) {
  ScriptedIo& io = use_scripted();
  Exchange read = read_command(16, 16);
  Exchange write = write_command(64, 16, 0x5a);
  submit({&read, &write});
  ASSERT_EQ(io.started.size(), 2U);
  EXPECT_TRUE(reap().empty());
  std::swap(io.started.front(), io.started.back());
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&write.job});
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&read.job});
  EXPECT_EQ(read.data, stored(16, 16));
  EXPECT_TRUE(engine_->idle());
}

TEST_F(DirectEngineTest, WhatIsNotAlignedWaitsForWhatIsUnderWayAndSeesIt) {
  ScriptedIo& io = use_scripted();
  Exchange write = write_command(16, 16, 0x5a);
  Exchange read = read_command(16, 16);
  misalign(read);
  submit({&write, &read});
  EXPECT_TRUE(io.started.empty());
  EXPECT_EQ(reap(), (std::vector<Job*>{&write.job, &read.job}));
  EXPECT_TRUE(std::equal(write.data.begin(), write.data.end(), read.unaligned.begin() + 8));
  EXPECT_NE(::fcntl(store_->descriptor(), F_GETFL) & O_DIRECT, 0) << "direct no more";
}

TEST_F(DirectEngineTest, WhatIsNotAlignedIsSeenByDirectReads) {
  ScriptedIo& io = use_scripted();
  Exchange write = write_command(16, 16, 0x5a);
  misalign(write);
  submit({&write});
  EXPECT_EQ(reap(), std::vector<Job*>{&write.job});
  Exchange read = read_command(16, 16);
  submit({&read});
  ASSERT_EQ(io.started.size(), 1U);
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&read.job});
  EXPECT_EQ(read.data, write.data);
}

TEST_F(DirectEngineTest, OtherCommandsWaitForWritesThatAreUnderWay) {
  use_scripted();
  Exchange write = write_command(8, 8, 0x5a);
  Exchange verify({0x2f, 0x02, 0, 0, 0, 8, 0, 0, 8, 0}, std::size_t{8} * block, 0x5a);
  submit({&write, &verify});
  EXPECT_EQ(reap(), (std::vector<Job*>{&write.job, &verify.job}));
  EXPECT_EQ(verify.job.response.status, scsi::Status::good)
      << "compared with what was there before the write";
}

TEST_F(DirectEngineTest, AFuaWriteIsFlushedWhenItIsThere) {
  ScriptedIo& io = use_scripted();
  Exchange write = write_command(16, 16, 0x5a, true);
  submit({&write});
  ASSERT_EQ(io.started.size(), 1U);
  EXPECT_EQ(io.started.front()->kind, AsyncOperation::Kind::write);
  io.finish_one();
  EXPECT_TRUE(reap().empty());
  ASSERT_EQ(io.started.size(), 1U);
  EXPECT_EQ(io.started.front()->kind, AsyncOperation::Kind::sync);
  io.finish_one();
  EXPECT_EQ(reap(), std::vector<Job*>{&write.job});
}

TEST_F(DirectEngineTest, AShortTransferIsGoneOnWithOrDoneAnew) {
  for (const std::size_t part : {std::size_t{4096}, std::size_t{100}}) {
    ScriptedIo& io = use_scripted();
    Exchange read = read_command(16, 16);
    submit({&read});
    if (part == 100) {
      io.started.front()->result = 100;
      io.done.push_back(io.started.front());
      io.started.pop_front();
    } else {
      io.finish_one(part);
      EXPECT_TRUE(reap().empty());
      io.finish_one();
    }
    EXPECT_EQ(reap(), std::vector<Job*>{&read.job});
    EXPECT_EQ(read.data, stored(16, 16)) << part;
  }
}

TEST_F(DirectEngineTest, WhatTheFileSystemDoesNotTakeDirectlyGoesThroughThePageCache) {
  ScriptedIo& io = use_scripted();
  Exchange write = write_command(16, 16, 0x5a);
  submit({&write});
  io.fail_one(EINVAL);
  EXPECT_EQ(reap(), std::vector<Job*>{&write.job});
  EXPECT_EQ(write.job.response.status, scsi::Status::good);
  Exchange read = read_command(16, 16);
  submit({&read});
  io.fail_one(EINVAL);
  EXPECT_EQ(reap(), std::vector<Job*>{&read.job});
  EXPECT_EQ(read.data, write.data);
}

TEST_F(DirectEngineTest, AWriteThatFailsIsNotLeftToThePageCache) {
  ScriptedIo& io = use_scripted();
  Exchange write = write_command(16, 16, 0x5a);
  submit({&write});
  io.fail_one(ENOSPC);
  EXPECT_EQ(reap(), std::vector<Job*>{&write.job});
  EXPECT_EQ(write.job.response.status, scsi::Status::check_condition);
}

/// Both kinds of asynchronous I/O keep the same contract.
class AsyncIoTest : public FileEngineTest, public testing::WithParamInterface<bool> {
 protected:
  std::unique_ptr<AsyncIo> make() {
    if (!GetParam()) return make_thread_io(store_->descriptor());
    try {
      return make_uring_io(store_->descriptor());
    } catch (const Failure& failure) {
      why_not_ = failure.what();
      return nullptr;
    }
  }
  std::string why_not_;
};
INSTANTIATE_TEST_SUITE_P(, AsyncIoTest, testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "IoUring" : "Threads"; });

TEST_P(AsyncIoTest, ReadsAndFlushesMoreThanItsQueueHolds) {
  auto io = make();
  if (io == nullptr) GTEST_SKIP() << why_not_;
  constexpr std::size_t count = 200;
  std::vector<std::vector<u8>> data(count, std::vector<u8>(4096));
  std::vector<iovec> pieces(count);
  std::vector<AsyncOperation> operations(count);
  for (std::size_t i = 0; i < count; ++i) {
    pieces[i] = {data[i].data(), data[i].size()};
    operations[i].offset_bytes = i * 8192;
    operations[i].buffer = {&pieces[i], 1};
    if (i % 50 == 49) operations[i].kind = AsyncOperation::Kind::sync;
    io->start(operations[i]);
  }
  io->flush();
  for (std::size_t finished = 0; finished < count;) {
    pollfd ready{io->fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 60'000), 1) << "after " << finished;
    while (io->finished() != nullptr) ++finished;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (operations[i].kind == AsyncOperation::Kind::sync) {
      EXPECT_EQ(operations[i].result, 0);
      continue;
    }
    ASSERT_EQ(operations[i].result, 4096) << i;
    EXPECT_TRUE(std::equal(data[i].begin(), data[i].end(),
                           contents_.begin() + static_cast<std::ptrdiff_t>(i) * 8192));
  }
}

TEST_P(AsyncIoTest, SaysWhatTheErrorWas) {
  auto io = make();
  if (io == nullptr) GTEST_SKIP() << why_not_;
  iovec nowhere{reinterpret_cast<void*>(8), 4096};
  AsyncOperation operation;
  operation.buffer = {&nowhere, 1};
  io->start(operation);
  io->flush();
  io->wait();
  ASSERT_EQ(io->finished(), &operation);
  EXPECT_EQ(operation.result, -EFAULT);
}

TEST_P(AsyncIoTest, AnEngineReadsRightWhateverIsCached) {
  auto io = make();
  if (io == nullptr) GTEST_SKIP() << why_not_;
  use(std::move(io));
  forget_cache();
  std::deque<Exchange> reads;
  for (u8 i = 0; i < 30; ++i) {
    reads.emplace_back(std::initializer_list<u8>{0x28, 0, 0, 0, 0, static_cast<u8>(i * 8), 0, 0, 8, 0},
                       8 * block);
    submit({&reads.back()});
    if (i == 10) reap();
  }
  reap_all();
  for (u8 i = 0; i < 30; ++i) {
    EXPECT_EQ(reads[i].job.response.status, scsi::Status::good);
    EXPECT_EQ(reads[i].data, stored(static_cast<u8>(i * 8), 8)) << int{i};
  }
}

// With random commands, aligned and not, of which no two under way touch the same blocks.
TEST_P(AsyncIoTest, ADirectEngineKeepsWhatItIsGiven) {
  const int number = ::open(path_.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  if (number < 0) GTEST_SKIP() << "no direct I/O on /var/tmp";
  store_.reset();
  store_.emplace(Fd(number), path_, Deadline::after(std::chrono::seconds(5)));
  auto io = make();
  if (io == nullptr) GTEST_SKIP() << why_not_;
  use(std::move(io));
  std::mt19937 random(7);
  constexpr u32 regions = 8;
  constexpr u32 region_blocks = 32;
  for (int round = 0; round < 100; ++round) {
    std::deque<Exchange> exchanges;
    for (u32 region = 0; region < regions; ++region) {
      const bool aligned = random() % 3 != 0;
      const auto lba = static_cast<u8>(region * region_blocks + (aligned ? random() % 2 * 8 : random() % 15));
      const auto blocks = static_cast<u8>(aligned ? 16 : 1 + random() % 16);
      const bool write = random() % 2 == 0;
      const u8 flags = random() % 4 == 0 ? 0x08 : 0;  // FUA
      exchanges.emplace_back(std::initializer_list<u8>{static_cast<u8>(write ? 0x2a : 0x28), flags, 0, 0, 0,
                                                       lba, 0, 0, blocks, 0},
                             std::size_t{blocks} * block, static_cast<u8>(random()));
      const Bytes& data = exchanges.back().data;
      if (write) std::copy(data.begin(), data.end(), contents_.begin() + std::ptrdiff_t{lba} * block);
      submit({&exchanges.back()});
    }
    reap_all();
    for (Exchange& exchange : exchanges) {
      ASSERT_EQ(exchange.job.response.status, scsi::Status::good);
      const auto* cdb = exchange.command.cdb.data();
      ASSERT_EQ(exchange.data, stored(cdb[5], cdb[8])) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace tcmufs::volume
