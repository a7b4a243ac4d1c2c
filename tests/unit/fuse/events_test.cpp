// Reads that wait: of .ctl/events, by the kernel's FUSE.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <thread>

#include "mounted_fixture.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs::fuse {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr int kPatienceMs = 10'000;

class EventFiles : public Mounted {
 protected:
  void SetUp() override {
    Mounted::SetUp();
    if (IsSkipped()) return;
    backend.have_volume("a", "x");
    start();
  }
  Fd opened(const std::string& path = ".ctl/events", int flags = O_RDONLY) const {
    return open_file(directories->mount_point() + "/" + path, flags);
  }
  /// What one read gives: the bytes, "" at the end, or the errno in parentheses.
  static std::string read_of(const Fd& file, std::size_t size = 4096) {
    std::string text(size, '\0');
    const ssize_t length = ::read(file.number(), text.data(), text.size());
    if (length < 0) return "(" + errno_name(errno) + ")";
    text.resize(static_cast<std::size_t>(length));
    return text;
  }
  static std::future<std::string> reading(const Fd& file, std::size_t size = 4096) {
    return std::async(std::launch::async, [&file, size] { return read_of(file, size); });
  }
  static bool waits(const std::future<std::string>& read) {
    return read.wait_for(100ms) == std::future_status::timeout;
  }
  static std::string got(std::future<std::string>& read) {
    return read.wait_for(10s) == std::future_status::ready ? read.get() : "(nothing)";
  }
};

TEST_F(EventFiles, AReadGivesWhatIsKeptAndThenWaitsForTheNext) {
  backend.happened("-", "started");
  const Fd file = opened();
  EXPECT_EQ(read_of(file), "- started\n");
  auto next = reading(file);
  EXPECT_TRUE(waits(next));
  backend.happened("a", "ready");
  EXPECT_EQ(got(next), "a ready\n");
}

TEST_F(EventFiles, OfAVolumeAreItsOwn) {
  const Fd file = opened(".ctl/vol/a/events");
  auto next = reading(file);
  backend.happened("-", "started");
  EXPECT_TRUE(waits(next));
  backend.happened("a", "ready");
  EXPECT_EQ(got(next), "a ready\n");
}

TEST_F(EventFiles, ALineNeedNotFit) {
  const Fd file = opened();
  auto next = reading(file, 3);
  EXPECT_TRUE(waits(next));
  backend.happened("-", "started");
  EXPECT_EQ(got(next), "- s");
  EXPECT_EQ(read_of(file, 3), "tar");
  EXPECT_EQ(read_of(file), "ted\n");
}

TEST_F(EventFiles, OpenedNonblockingAreTriedAgain) {
  const Fd file = opened(".ctl/events", O_RDONLY | O_NONBLOCK);
  EXPECT_EQ(read_of(file), "(EAGAIN)");
  backend.happened("-", "started");
  EXPECT_EQ(read_of(file), "- started\n");
  EXPECT_EQ(read_of(file), "(EAGAIN)");
}

TEST_F(EventFiles, AreStreamsWithoutAPosition) {
  const Fd file = opened();
  EXPECT_EQ(lseek(file.number(), 0, SEEK_CUR), -1);
  EXPECT_EQ(errno, ESPIPE);
  // A second read of the same open file, which would wait for the lock of the position.
  auto first = reading(file);
  EXPECT_TRUE(waits(first));
  const int flags = fcntl(file.number(), F_GETFL);
  ASSERT_EQ(fcntl(file.number(), F_SETFL, flags | O_NONBLOCK), 0);
  auto second = reading(file);
  EXPECT_EQ(got(second), "(EAGAIN)");
  backend.happened("-", "started");
  EXPECT_EQ(got(first), "- started\n");
}

TEST_F(EventFiles, PollSaysWhenThereIsSomething) {
  const Fd file = opened();
  pollfd waited{file.number(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, 0), 0);
  auto polling = std::async(std::launch::async, [&] { return ::poll(&waited, 1, kPatienceMs); });
  EXPECT_EQ(polling.wait_for(100ms), std::future_status::timeout);
  backend.happened("-", "started");
  EXPECT_EQ(polling.wait_for(5s), std::future_status::ready);  // not only when its time is over
  EXPECT_EQ(polling.get(), 1);
  EXPECT_EQ(waited.revents, POLLIN);
  read_of(file);
  EXPECT_EQ(::poll(&waited, 1, 0), 0);
}

TEST_F(EventFiles, EdgeTriggeredEpollIsToldOfEachEventAlsoOfOneUnread) {
  const Fd file = opened();
  const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{};
  wanted.events = EPOLLIN | EPOLLET;
  ASSERT_EQ(epoll_ctl(epoll.number(), EPOLL_CTL_ADD, file.number(), &wanted), 0);
  epoll_event got{};
  EXPECT_EQ(epoll_wait(epoll.number(), &got, 1, 0), 0);
  for (const char* word : {"first", "second"}) {
    backend.happened("-", word);
    EXPECT_EQ(epoll_wait(epoll.number(), &got, 1, kPatienceMs), 1) << word;
    EXPECT_EQ(epoll_wait(epoll.number(), &got, 1, 0), 0) << word;
  }
}

TEST_F(EventFiles, AllOtherFilesAreAlwaysReady) {
  for (const char* path : {"status", "a", ".ctl/last_error"}) {
    const Fd file = opened(path);
    pollfd waited{file.number(), POLLIN | POLLOUT, 0};
    EXPECT_EQ(::poll(&waited, 1, kPatienceMs), 1) << path;
    EXPECT_EQ(waited.revents, POLLIN | POLLOUT) << path;
  }
}

TEST_F(EventFiles, ASignalInterrupts) {
  struct sigaction quiet {};
  quiet.sa_handler = [](int) {};
  struct sigaction before {};
  sigaction(SIGUSR2, &quiet, &before);
  const Fd file = opened();
  std::atomic<bool> over = false;
  std::string text;
  std::thread reader([&] {
    text = read_of(file);
    over = true;
  });
  for (int i = 0; i < 1000 && !over; ++i) {  // the first may come before the read
    std::this_thread::sleep_for(10ms);
    pthread_kill(reader.native_handle(), SIGUSR2);
  }
  if (!over) backend.happened("-", "given up");
  reader.join();
  EXPECT_EQ(text, "(EINTR)");
  sigaction(SIGUSR2, &before, nullptr);
  backend.happened("a", "ready");
  EXPECT_EQ(read_of(file), "a ready\n");
}

TEST_F(EventFiles, AReaderThatWaitsCanBeKilled) {
  const Result result = run_outside("cat $M/.ctl/events & sleep 0.3; kill -9 $!; wait $!");
  EXPECT_EQ(result.status, 137) << result.output;
}

TEST_F(EventFiles, ManyWhoWaitHoldUpNobody) {
  std::vector<Fd> files;
  std::vector<std::thread> readers;
  std::atomic<int> served = 0;
  for (int i = 0; i < 300; ++i) files.push_back(opened());  // more than there are threads for requests
  readers.reserve(files.size());
  for (const Fd& file : files) {
    readers.emplace_back([&] {
      if (read_of(file) == "a ready\n") ++served;
    });
  }
  std::this_thread::sleep_for(300ms);
  expect(0, "truncate -s 4096 b && cat status && rm b");
  EXPECT_EQ(served, 0);
  backend.happened("a", "ready");
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(served, 300);
}

TEST_F(EventFiles, RemovalOfTheVolumeEndsThem) {
  const Fd file = opened(".ctl/vol/a/events");
  auto next = reading(file);
  EXPECT_TRUE(waits(next));
  expect(0, "rm a");
  EXPECT_EQ(got(next), "");
  pollfd waited{file.number(), POLLIN, 0};
  EXPECT_EQ(::poll(&waited, 1, kPatienceMs), 1);
  EXPECT_EQ(waited.revents, POLLIN | POLLHUP);
}

TEST_F(EventFiles, LazyUnmountingEndsThemAfterTheLastLine) {
  auto cat = std::async(std::launch::async, [this] { return run_outside("cat $M/.ctl/events; echo $?"); });
  std::this_thread::sleep_for(300ms);
  backend.happened("-", "stopping");
  EXPECT_EQ(run_outside("umount -l $M").status, 0);
  EXPECT_EQ(cat.get().output, "- stopping\n0\n");
  EXPECT_TRUE(served());
}

TEST_F(EventFiles, StopEndsThemAndWaitsForNobodyLong) {
  const Fd never_read = opened();
  const Fd file = opened();
  auto next = reading(file);
  EXPECT_TRUE(waits(next));
  session->stop();
  EXPECT_EQ(got(next), "");
  EXPECT_TRUE(served());
}

TEST_F(EventFiles, AreReadByOrdinaryPrograms) {
  for (const char* word : {"one", "two", "three"}) backend.happened("-", word);
  expect(0, "head -n 2 .ctl/events", "- one\n- two\n");
  expect(0, "{ read -r a; read -r b; echo \"$b/$a\"; } < .ctl/events", "- two/- one");
  expect(0, "timeout 1 cat .ctl/events; [ $? = 124 ]", "- three\n");
  expect(0, "timeout 5 python3 -c \"print(open('.ctl/events').readline())\" || ! command -v python3");
}

}  // namespace tcmufs::fuse
