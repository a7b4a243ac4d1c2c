#include "device/threaded_engine.h"

#include <gmock/gmock.h>
#include <poll.h>

#include <array>
#include <condition_variable>
#include <set>

namespace tcmufs::device {
namespace {

using volume::Job;

bool readable(int fd) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, 0) == 1;
}

// Each waits until all are there: with fewer threads none would end.
TEST(ThreadedEngineTest, AsManyJobsRunAtOnceAsThereAreThreads) {
  constexpr std::size_t count = 4;
  std::mutex mutex;
  std::condition_variable all_there;
  std::size_t inside = 0;
  ThreadedEngine engine(count, false, [&](Job&) {
    std::unique_lock held(mutex);
    ++inside;
    all_there.notify_all();
    all_there.wait(held, [&] { return inside == count; });
  });
  std::array<Job, count> jobs;
  std::array<Job*, count> submitted{};
  for (std::size_t i = 0; i < count; ++i) submitted[i] = &jobs[i];
  engine.submit(submitted);
  std::set<Job*> finished;
  while (!engine.idle()) {
    engine.wait();
    for (Job* job : engine.reap()) finished.insert(job);
  }
  EXPECT_EQ(finished.size(), count);
}

TEST(ThreadedEngineTest, ItsDescriptorIsReadableWhileThereIsSomethingToReap) {
  ThreadedEngine engine(1, false, [](Job& job) { job.response.status = scsi::Status::busy; });
  EXPECT_TRUE(engine.idle());
  EXPECT_FALSE(readable(engine.fd()));
  Job job;
  Job* const submitted = &job;
  engine.submit({&submitted, 1});
  EXPECT_FALSE(engine.idle());
  engine.wait();
  EXPECT_TRUE(readable(engine.fd()));
  ASSERT_EQ(engine.reap().size(), 1u);
  EXPECT_EQ(job.response.status, scsi::Status::busy);
  EXPECT_TRUE(engine.idle());
  EXPECT_FALSE(readable(engine.fd()));
}

}  // namespace
}  // namespace tcmufs::device
