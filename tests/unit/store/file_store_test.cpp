#include "store/file_store.h"

#include <gmock/gmock.h>
#include <limits.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "store/transfer.h"
#include "support/temporary_directory.h"
#include "sys/error.h"
#include "unit/store/buffers.h"

namespace tcmufs::test {
namespace {

using std::chrono::milliseconds;
using store::FileCalls;
using store::FileStore;
using testing::HasSubstr;

// What the system calls put in place of the real ones do, and how often they were called.
struct Faults {
  std::size_t most_bytes = 0;  // of one transfer; 0: as many as asked for
  std::size_t most_buffers = 0;
  int interrupts = 0;  // calls in a row that fail with EINTR
  int error = 0;       // of the calls after `good_calls`
  int good_calls = INT_MAX;
  int calls = 0;
};
Faults faults;

bool fails() {
  ++faults.calls;
  if (faults.interrupts > 0) {
    --faults.interrupts;
    errno = EINTR;
    return true;
  }
  if (faults.good_calls-- > 0) return false;
  errno = faults.error;
  return true;
}

ssize_t short_transfer(store::VectorCall call, int fd, const iovec* buffers, int count, off_t offset) {
  if (fails()) return errno == 0 ? 0 : -1;  // with no error: nothing transferred
  faults.most_buffers = std::max(faults.most_buffers, static_cast<std::size_t>(count));
  if (faults.most_bytes == 0) return call(fd, buffers, count, offset);
  std::vector<iovec> cut;
  std::size_t left = faults.most_bytes;
  for (int i = 0; i < count && left > 0; ++i) {
    cut.push_back({buffers[i].iov_base, std::min(left, buffers[i].iov_len)});
    left -= cut.back().iov_len;
  }
  return call(fd, cut.data(), static_cast<int>(cut.size()), offset);
}

FileCalls faulty_calls() {
  FileCalls calls;
  calls.preadv = [](int fd, const iovec* b, int n, off_t o) { return short_transfer(::preadv, fd, b, n, o); };
  calls.pwritev = [](int fd, const iovec* b, int n, off_t o) {
    return short_transfer(::pwritev, fd, b, n, o);
  };
  calls.fdatasync = [](int fd) { return fails() ? -1 : ::fdatasync(fd); };
  calls.fallocate = [](int fd, int m, off_t o, off_t l) { return fails() ? -1 : ::fallocate(fd, m, o, l); };
  calls.ftruncate = [](int fd, off_t l) { return fails() ? -1 : ::ftruncate(fd, l); };
  return calls;
}

class FileStoreTest : public testing::Test {
 protected:
  FileStoreTest() { faults = {}; }

  Fd open_image(off_t size = 65536) {
    Fd file = open_file(path(), O_RDWR | O_CREAT, 0600);
    EXPECT_EQ(::ftruncate(file.number(), size), 0);
    return file;
  }
  std::string path() const { return directory_ / "image"; }
  FileStore make(const FileCalls& calls = faulty_calls(), milliseconds wait = milliseconds(0)) {
    return FileStore(open_image(), path(), Deadline::after(wait), calls);
  }

  TemporaryDirectory directory_;
};

TEST_F(FileStoreTest, ShortTransfersAreContinued) {
  FileStore file = make();
  std::string text(1000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  for (const std::size_t most : {1U, 2U, 3U, 7U, 64U}) {
    faults.most_bytes = most;
    ASSERT_FALSE(write_text_at(file, most, text, 5));
    EXPECT_EQ(text_at(file, most, text.size(), 3), text);
  }
  EXPECT_GT(faults.calls, 2000);
}

TEST_F(FileStoreTest, NoCallGetsMoreBuffersThanTheSystemTakes) {
  FileStore file = make();
  ASSERT_FALSE(write_text_at(file, 0, std::string(5000, 'x'), 1));
  EXPECT_EQ(faults.most_buffers, std::size_t{IOV_MAX});
}

TEST_F(FileStoreTest, InterruptedCallsAreRepeated) {
  FileStore file = make();
  faults.interrupts = 3;
  EXPECT_FALSE(write_text_at(file, 0, "abc"));
  faults.interrupts = 3;
  EXPECT_EQ(text_at(file, 0, 3), "abc");
  faults.interrupts = 3;
  EXPECT_FALSE(file.flush());
  faults.interrupts = 3;
  EXPECT_FALSE(file.discard(0, 3));
  faults.interrupts = 3;
  EXPECT_FALSE(file.resize(1000));
  EXPECT_EQ(faults.interrupts, 0);
}

TEST_F(FileStoreTest, AnErrorInTheMiddleOfATransferIsItsResult) {
  for (const int error : {ENOSPC, EDQUOT, EIO}) {
    FileStore file = make();
    faults = {.most_bytes = 10, .error = error, .good_calls = 3};
    EXPECT_EQ(write_text_at(file, 0, std::string(100, 'x')).value(), error);
    faults = {.most_bytes = 10, .error = error, .good_calls = 3};
    EXPECT_EQ(text_at(file, 0, 100), "error " + std::to_string(error));
    faults = {};
    EXPECT_FALSE(write_text_at(file, 0, std::string(100, 'x'))) << "the store stays usable";
  }
}

TEST_F(FileStoreTest, ATransferOfNothingIsAnErrorAndNoEndlessLoop) {
  FileStore file = make();
  faults.good_calls = 0;
  EXPECT_EQ(write_text_at(file, 0, "abc").value(), EIO);
}

TEST_F(FileStoreTest, AFileTruncatedBehindOurBackGivesEioNotZeros) {
  FileStore file = make();
  ASSERT_EQ(::truncate(path().c_str(), 1000), 0);
  EXPECT_EQ(text_at(file, 0, 1000), zero_bytes(1000));
  EXPECT_EQ(text_at(file, 0, 1001), "error " + std::to_string(EIO));
  EXPECT_EQ(text_at(file, 5000, 10), "error " + std::to_string(EIO));
  store::BlockStore::Extent extent{};
  EXPECT_EQ(file.extent(5000, extent).value(), EIO);
}

TEST_F(FileStoreTest, AFlushThatFailedIsNotForgottenByTheNextOne) {
  FileStore file = make();
  faults = {.error = EIO, .good_calls = 0};
  EXPECT_EQ(file.flush().value(), EIO);
  faults = {};
  EXPECT_EQ(file.flush().value(), EIO);
}

TEST_F(FileStoreTest, DiscardGivesSpaceBack) {
  FileStore file = make();
  if (::fallocate(file.fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) != 0) GTEST_SKIP();
  ASSERT_FALSE(write_text_at(file, 0, std::string(65536, 'x')));
  ASSERT_FALSE(file.flush());
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(::fstat(file.fd(), &before), 0);
  ASSERT_FALSE(file.discard(0, 65536));
  ASSERT_EQ(::fstat(file.fd(), &after), 0);
  EXPECT_LT(after.st_blocks, before.st_blocks);
  EXPECT_EQ(after.st_size, 65536);
}

TEST_F(FileStoreTest, ADiscardThatFailsForAnotherReasonWritesNothing) {
  FileStore file = make();
  ASSERT_FALSE(write_text_at(file, 0, "abc"));
  faults = {.error = EPERM, .good_calls = 0};
  EXPECT_EQ(file.discard(0, 3).value(), EPERM);
  EXPECT_EQ(file.zero(0, 3).value(), EPERM);
  EXPECT_EQ(faults.calls, 2);
  faults = {};
  EXPECT_EQ(text_at(file, 0, 3), "abc");
}

TEST_F(FileStoreTest, WhereZerosMustBeWrittenTheyAreInRangesLargerThanOneCall) {
  FileCalls calls;
  calls.fallocate = [](int, int, off_t, off_t) {
    errno = EOPNOTSUPP;
    return -1;
  };
  const u64 size = 3 * 1024 * 1024 + 5;
  FileStore file(open_image(size), path(), Deadline::after(milliseconds(0)), calls);
  ASSERT_FALSE(write_text_at(file, 0, std::string(size, 'x')));
  ASSERT_FALSE(file.zero(1, size - 2));
  EXPECT_TRUE(text_at(file, 0, size) == "x" + zero_bytes(size - 2) + "x");
}

TEST_F(FileStoreTest, AResizeThatFailsLeavesTheSize) {
  FileStore file = make();
  faults = {.error = EFBIG, .good_calls = 0};
  EXPECT_EQ(file.resize(1000).value(), EFBIG);
  EXPECT_EQ(file.size_bytes(), 65536U);
  faults = {};
  EXPECT_EQ(file.resize(~u64{0}).value(), EFBIG);
  EXPECT_EQ(file.size_bytes(), 65536U);
}

TEST_F(FileStoreTest, WithoutSeekDataEverythingIsMapped) {
  FileCalls calls;
  calls.lseek = [](int fd, off_t offset, int whence) -> off_t {
    if (whence != SEEK_DATA && whence != SEEK_HOLE) return ::lseek(fd, offset, whence);
    errno = EINVAL;
    return -1;
  };
  FileStore file = make(calls);
  store::BlockStore::Extent extent{};
  ASSERT_FALSE(file.extent(100, extent));
  EXPECT_TRUE(extent.mapped);
  EXPECT_EQ(extent.length_bytes, 65436U);
}

FileCalls calls_with_block_size(unsigned long size) {
  static unsigned long block_size;
  block_size = size;
  FileCalls calls;
  calls.fstatvfs = [](int fd, struct statvfs* system) {
    if (block_size == 0) errno = ENOSYS;
    if (block_size == 0 || ::fstatvfs(fd, system) != 0) return -1;
    system->f_bsize = block_size;
    system->f_frsize = 512;
    system->f_bavail = 7;
    return 0;
  };
  return calls;
}

TEST_F(FileStoreTest, SpaceIsGivenBackInBlocksOfTheFileSystem) {
  struct statvfs system {};
  const FileStore file = make();
  ASSERT_EQ(::fstatvfs(file.fd(), &system), 0);
  EXPECT_EQ(file.allocation_unit_bytes(), system.f_bsize);
}

TEST_F(FileStoreTest, OfAFileSystemWithOddBlocksTheUnitIsNotKnown) {
  for (const auto& [size, unit] : {std::pair(1024UL, 1024U),
                                   {65536UL, 65536U},
                                   {1UL << 20, 1U << 20},
                                   {3000UL, 1U},
                                   {2UL << 20, 1U},
                                   {1UL << 32, 1U},
                                   {0UL, 1U}}) {
    EXPECT_EQ(make(calls_with_block_size(size)).allocation_unit_bytes(), unit) << size;
  }
}

TEST_F(FileStoreTest, KnowsWhatItTakesUpAndWhatIsLeft) {
  FileStore file = make(calls_with_block_size(4096));
  store::BlockStore::Space before{};
  ASSERT_FALSE(file.space(before));
  EXPECT_EQ(before.available_bytes, 7 * 512U);
  ASSERT_FALSE(write_text_at(file, 0, std::string(32768, 'x')));
  ASSERT_FALSE(file.flush());
  store::BlockStore::Space after{};
  ASSERT_FALSE(file.space(after));
  EXPECT_GE(after.used_bytes, before.used_bytes + 32768);
  struct stat status {};
  ASSERT_EQ(::fstat(file.fd(), &status), 0);
  EXPECT_EQ(after.used_bytes, static_cast<u64>(status.st_blocks) * 512);
  FileStore blind(open_image(), path() + "2", Deadline::after(milliseconds(0)), [] {
    FileCalls calls = calls_with_block_size(0);
    calls.flock = [](int, int) { return 0; };
    return calls;
  }());
  EXPECT_EQ(blind.space(after).value(), ENOSYS);
}

TEST_F(FileStoreTest, AnImageInUseIsRefusedWithItsName) {
  FileStore first = make();
  try {
    make(FileCalls(), milliseconds(5));
    FAIL() << "locked twice";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), EBUSY);
    EXPECT_THAT(failure.what(), HasSubstr("the image '" + path() + "' is in use by another process"));
  }
}

TEST_F(FileStoreTest, TheLockIsWaitedFor) {
  std::optional<FileStore> first;
  first.emplace(open_image(), path(), Deadline::after(milliseconds(0)));
  std::thread predecessor([&] {
    std::this_thread::sleep_for(milliseconds(30));
    first.reset();
  });
  EXPECT_NO_THROW(make(FileCalls(), milliseconds(60000)));
  predecessor.join();
}

TEST_F(FileStoreTest, AnythingButAFileOrABlockDeviceIsRefused) {
  for (const std::string& odd : {directory_.path(), std::string("/dev/null")}) {
    try {
      const FileStore file(open_file(odd, O_RDONLY), odd, Deadline::after(milliseconds(0)));
      FAIL() << odd;
    } catch (const Failure& failure) {
      EXPECT_EQ(failure.error(), EINVAL);
      EXPECT_THAT(failure.what(), HasSubstr(quoted(odd)));
    }
  }
}

TEST_F(FileStoreTest, AFailureToLockNamesTheImage) {
  FileCalls calls;
  calls.flock = [](int, int) {
    errno = ENOLCK;
    return -1;
  };
  EXPECT_THROW(make(calls), Failure);
}

}  // namespace
}  // namespace tcmufs::test
