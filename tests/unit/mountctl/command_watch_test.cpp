#include "mountctl/command_watch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <sstream>
#include <thread>

#include "fake_mount.h"
#include "refused.h"
#include "sys/deadline.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {
namespace {

using testing::HasSubstr;

constexpr const char* ready_line = "2026-11-29T07:07:27.123Z db0 ready /dev/sda\n";

TEST(Event, HasTimeVolumeWordAndDetail) {
  const auto event = parse_event("T two\\040words failed no room (ENOSPC)");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->time, "T");
  EXPECT_EQ(event->volume, "two words");
  EXPECT_EQ(event->word, "failed");
  EXPECT_EQ(event->detail, "no room (ENOSPC)");
}

TEST(Event, OfTheMountHasNoVolumeAndDetailMayBeMissing) {
  const auto event = parse_event("T - stopping");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->volume, "");
  EXPECT_EQ(event->detail, "");
  EXPECT_FALSE(parse_event("T -"));
  EXPECT_FALSE(parse_event(""));
  EXPECT_EQ(parse_event("T a\\04 ready")->volume, "a\\04");
}

/// What is written to it can be waited for.
class Output : public std::stringbuf {
 public:
  bool has(const std::string& text) {
    const std::lock_guard lock(mutex_);
    return flushed_.find(text) != std::string::npos;
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return flushed_;
  }

 protected:
  int sync() override {
    const std::lock_guard lock(mutex_);
    flushed_ = str();
    return 0;
  }

 private:
  std::mutex mutex_;
  std::string flushed_;
};

/// A pipe as the events file: it has what is kept, waits, and ends, as the real one does.
class Watch : public testing::Test {
 protected:
  void SetUp() override {
    mount_.write("db0", "");
    for (const char* file : {".ctl/events", ".ctl/vol/db0/events"}) {
      mount_.make_directory(boost::filesystem::path(file).parent_path().string());
      ASSERT_EQ(::mkfifo((mount_ / file).c_str(), 0600), 0);
    }
  }
  void TearDown() override {
    writer_.reset();
    if (watcher_.joinable()) watcher_.join();
  }

  void keep(const std::string& file) { writer_ = Fd(::open((mount_ / file).c_str(), O_RDWR | O_CLOEXEC)); }
  void happens(const std::string& text) const {
    ASSERT_EQ(::write(writer_.number(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void watch(const std::string& name, const WatchOptions& options) {
    watcher_ = std::thread([this, name, options] {
      std::ostream out(&output_);
      started_ = true;
      watch_events(mount_.path(), name, options, out);
      out << "END" << std::flush;
    });
  }
  bool comes(const std::string& text) {
    return poll_until(Deadline::after(std::chrono::seconds(20)), [&] { return output_.has(text); });
  }

  FakeMount mount_;
  Fd writer_;
  Output output_;
  std::atomic<bool> started_ = false;
  std::thread watcher_;
};

TEST_F(Watch, AllPrintsWhatIsKeptThenWhatComesAndEndsWithTheMount) {
  keep(".ctl/events");
  happens(ready_line);
  watch("", {.all = true});
  EXPECT_TRUE(comes(ready_line));
  happens("T - sto");
  happens("pping\n");
  EXPECT_TRUE(comes("T - stopping\n"));
  writer_.reset();
  EXPECT_TRUE(comes("END"));
}

TEST_F(Watch, OnlyNewOnesUnlessAll) {
  keep(".ctl/vol/db0/events");
  happens(ready_line);
  watch("db0", {});
  // The new one again and again: what is there before the watcher has begun is not new.
  EXPECT_TRUE(poll_until(Deadline::after(std::chrono::seconds(20)), [&] {
    happens("T db0 detaching\n");
    return output_.has("T db0 detaching\n");
  }));
  EXPECT_FALSE(output_.has("ready"));
}

TEST_F(Watch, JsonIsAnObjectALine) {
  keep(".ctl/events");
  happens("T a\\040b ready /dev/sda\nT - sto");
  watch("", {.json = true, .all = true});
  EXPECT_TRUE(comes("/dev/sda"));
  happens("pping\n");
  EXPECT_TRUE(
      comes("{\"time\":\"T\",\"volume\":\"a b\",\"event\":\"ready\",\"detail\":\"/dev/sda\"}\n"
            "{\"time\":\"T\",\"volume\":null,\"event\":\"stopping\",\"detail\":\"\"}\n"));
}

TEST_F(Watch, ColourIsTheWords) {
  keep(".ctl/events");
  happens("T db0 failed why not\n");
  watch("", {.all = true, .colour = true});
  EXPECT_TRUE(comes("T db0 \033[31mfailed\033[0m why not\n"));
}

TEST(WatchOf, WhatIsNotThereIsSaidSo) {
  const FakeMount mount;
  std::ostringstream out;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { watch_events(mount.path(), "db9", {}, out); }),
              HasSubstr("no volume 'db9'"));
  EXPECT_THROW(watch_events(mount.path(), "", {}, out), Failure);
}

}  // namespace
}  // namespace tcmufs::mountctl
