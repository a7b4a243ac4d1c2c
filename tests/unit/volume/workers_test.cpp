#include "volume/workers.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>

#include "sys/error.h"

namespace tcmufs::volume {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

TEST(Workers, RunWaitsForTheWork) {
  Workers workers;
  bool done = false;
  workers.run("working", 60s, [&] { done = true; });
  EXPECT_TRUE(done);
}

TEST(Workers, RunThrowsWhatTheWorkThrows) {
  Workers workers;
  EXPECT_THROW(workers.run("working", 60s, [] { throw std::runtime_error("no"); }), std::runtime_error);
}

TEST(Workers, RunStopsWaitingAtTheLimitAndTheWorkGoesOn) {
  Workers workers;
  std::promise<void> go_on;
  auto gate = go_on.get_future().share();
  auto done = std::make_shared<std::atomic<bool>>(false);
  try {
    workers.run("attaching 'db0'", 10ms, [gate, done] {
      gate.wait();
      *done = true;
    });
    FAIL() << "did not give up";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error(), ETIMEDOUT);
    EXPECT_NE(std::string(failure.what()).find("attaching 'db0'"), std::string::npos);
  }
  EXPECT_FALSE(workers.wait_idle(Deadline::after(10ms)));
  go_on.set_value();
  EXPECT_TRUE(workers.wait_idle(Deadline::after(60s)));
  EXPECT_TRUE(*done);
}

}  // namespace
}  // namespace tcmufs::volume
