#include "volume/features.h"

#include <gmock/gmock.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <stdexcept>
#include <thread>

#include "support/temporary_directory.h"
#include "sys/fd.h"

namespace tcmufs::volume {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

/// What is found by a thread for which the system calls in `refused` fail with EPERM.
std::vector<Feature> found(
    const std::vector<unsigned>& refused, const std::function<void()>& before = [] {}) {
  const test::TemporaryDirectory store;
  const Fd directory = open_file(store.path(), O_RDONLY | O_DIRECTORY);
  std::vector<Feature> result;
  std::thread([&] {
    before();
    std::vector<sock_filter> filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    for (const unsigned number : refused) {
      filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
      filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    }
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      ADD_FAILURE() << "no system call can be forbidden here";
    }
    result = find_features(directory.number());
  }).join();
  EXPECT_TRUE(boost::filesystem::is_empty(store.path()));
  return result;
}

Feature named(const std::vector<Feature>& features, const std::string& name) {
  for (const Feature& feature : features) {
    if (feature.name == name) return feature;
  }
  ADD_FAILURE() << "no feature " << name;
  return {};
}

TEST(Features, NameTheKernelThatRuns) {
  utsname name{};
  ASSERT_EQ(::uname(&name), 0);
  const Feature kernel = named(found({}), "kernel");
  EXPECT_EQ(kernel.value, name.release);
  EXPECT_EQ(kernel.why, name.version);
  EXPECT_EQ(named(found({__NR_uname}), "kernel").value, "unknown");
}

TEST(Features, TheEngineIsThreadsWhereIoUringIsRefusedAndSaysWhy) {
  const Feature engine = named(found({__NR_io_uring_setup}), "engine");
  EXPECT_EQ(engine.value, "threads");
  EXPECT_EQ(engine.why, "cannot use io_uring: Operation not permitted (EPERM)");
  const long ring = ::syscall(__NR_io_uring_setup, 0, nullptr);
  const bool there = ring >= 0 || (errno != ENOSYS && errno != EPERM);
  EXPECT_EQ(named(found({}), "engine").value, there ? "io_uring" : "threads");
}

TEST(Features, PollingWantsASecondProcessor) {
  cpu_set_t all;
  ASSERT_EQ(::sched_getaffinity(0, sizeof all, &all), 0);
  const Feature here = named(found({}), "polling");
  const int processors = CPU_COUNT(&all);
  EXPECT_EQ(here.value, processors > 1 ? "yes" : "no");
  EXPECT_THAT(here.why, HasSubstr(processors > 1 ? std::to_string(processors) + " processors" : "one"));
  const Feature bound = named(found({},
                                    [&] {
                                      cpu_set_t one;
                                      CPU_ZERO(&one);
                                      for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
                                        if (!CPU_ISSET(i, &all)) continue;
                                        CPU_SET(i, &one);
                                        break;
                                      }
                                      EXPECT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
                                    }),
                              "polling");
  EXPECT_EQ(bound.value, "no");
  EXPECT_THAT(named(found({__NR_sched_getaffinity}), "polling").why, HasSubstr("EPERM"));
}

TEST(Features, SayWhetherTheStoreMakesHoles) {
  const Feature refused = named(found({__NR_fallocate}), "punch_hole");
  EXPECT_EQ(refused.value, "no");
  EXPECT_THAT(refused.why, HasSubstr("EPERM"));
  EXPECT_EQ(named(found({}), "punch_hole").value, "yes");
}

TEST(Features, SayWhetherCachedReadsNeedNotWait) {
  const Feature refused = named(found({__NR_preadv2, __NR_fstatfs}), "cached_reads");
  EXPECT_EQ(refused.value, "no");
  EXPECT_THAT(refused.why, HasSubstr("EPERM"));
  EXPECT_THAT(named(found({}), "cached_reads").value, AnyOf("yes", "always", "no"));
}

TEST(Features, WhatCannotBeTriedIsUnknown) {
  const auto features = found({__NR_pwrite64});
  for (const char* name : {"punch_hole", "cached_reads"}) {
    EXPECT_EQ(named(features, name).value, "unknown");
    EXPECT_THAT(named(features, name).why, HasSubstr("EPERM"));
  }
}

TEST(Features, AreALineEach) {
  EXPECT_EQ(features_text({{"engine", "threads", "it is so"}, {"x", "y", "z"}}),
            "NAME    VALUE    WHY\n"
            "engine  threads  it is so\n"
            "x       y        z\n");
}

}  // namespace
}  // namespace tcmufs::volume
