#include "sys/event_ring.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "sys/event_line.h"
#include "sys/fd.h"

namespace tcmufs {
namespace {

/// All that can be read without waiting, with a buffer of that size.
std::string taken(EventRing::Reader& reader, std::size_t size = 64) {
  std::string all;
  std::vector<std::byte> buffer(size);
  for (;;) {
    const auto length = reader.read(buffer);
    if (!length) return all;
    if (*length == 0) return all + "END";
    all.append(reinterpret_cast<const char*>(buffer.data()), *length);
  }
}

/// "missed 3" of a line that tells so.
std::string missed(const std::string& line) {
  EXPECT_EQ(line.substr(23, 3), "Z -") << line;
  return line.substr(27);
}

bool raised(const Fd& event) {
  pollfd waited{event.number(), POLLIN, 0};
  return poll(&waited, 1, 0) == 1;
}

TEST(EventRing, AReaderGetsWhatIsKeptAndThenWhatComes) {
  EventRing ring(2);
  for (const char* line : {"a\n", "b\n", "c\n"}) ring.add(nullptr, line);
  const auto reader = ring.reader();
  EXPECT_TRUE(reader->ready());
  EXPECT_EQ(taken(*reader), "b\nc\n");
  EXPECT_FALSE(reader->ready());
  ring.add(nullptr, "d\n");
  EXPECT_TRUE(reader->ready());
  EXPECT_EQ(taken(*reader), "d\n");
}

TEST(EventRing, EachReaderHasItsOwnPlace) {
  EventRing ring;
  ring.add(nullptr, "a\n");
  const auto first = ring.reader();
  EXPECT_EQ(taken(*first), "a\n");
  EXPECT_EQ(taken(*ring.reader()), "a\n");
  EXPECT_EQ(taken(*first), "");
}

TEST(EventRing, ALineNeedNotFitTheBuffer) {
  EventRing ring(1);
  ring.add(nullptr, "a line\n");
  const auto reader = ring.reader();
  std::array<std::byte, 3> buffer{};
  EXPECT_EQ(reader->read(buffer), 3U);
  // The rest of it is read though the ring does not have it any more.
  ring.add(nullptr, "another\n");
  EXPECT_EQ(taken(*reader, 3), "ine\nanother\n");
}

TEST(EventRing, ATopicsReaderGetsItsLinesOnly) {
  EventRing ring;
  const auto a = EventRing::new_topic();
  const auto b = EventRing::new_topic();
  ring.add(a, "a1\n");
  ring.add(b, "b1\n");
  ring.add(nullptr, "-\n");
  ring.add(a, "a2\n");
  const auto reader = ring.reader(a);
  EXPECT_EQ(taken(*reader), "a1\na2\n");
  ring.add(b, "b2\n");
  EXPECT_FALSE(reader->ready());
  EXPECT_EQ(taken(*reader), "");
}

TEST(EventRing, WhoIsTooSlowIsToldHowManyLinesWereMissed) {
  EventRing ring(2);
  const auto topic = EventRing::new_topic();
  const auto all = ring.reader();
  const auto of_topic = ring.reader(topic);
  for (int i = 0; i < 3; ++i) ring.add(topic, "topic\n");
  ring.add(nullptr, "other\n");
  EXPECT_EQ(missed(taken(*all)), "missed 2\ntopic\nother\n");
  EXPECT_EQ(missed(taken(*of_topic)), "missed 2\ntopic\n");
  ring.add(topic, "topic\n");
  ring.add(nullptr, "other\n");
  ring.add(nullptr, "other\n");
  EXPECT_TRUE(of_topic->ready());
  EXPECT_EQ(missed(taken(*of_topic)), "missed 1\n");
  EXPECT_FALSE(of_topic->ready());
}

TEST(EventRing, AFreshReaderHasMissedNothing) {
  EventRing ring(1);
  const auto topic = EventRing::new_topic();
  ring.add(topic, "a\n");
  ring.add(topic, "b\n");
  EXPECT_EQ(taken(*ring.reader(topic)), "b\n");
  ring.add(nullptr, "c\n");
  EXPECT_EQ(taken(*ring.reader(topic)), "");
}

TEST(EventRing, KeepsNotMoreBytesThanItMay) {
  EventRing ring(1000, 10);
  for (int i = 0; i < 100; ++i) ring.add(nullptr, "1234\n");
  EXPECT_EQ(taken(*ring.reader()), "1234\n1234\n");
}

TEST(EventRing, TheEndOfATopicComesAfterItsLines) {
  EventRing ring;
  const auto topic = EventRing::new_topic();
  const auto reader = ring.reader(topic);
  const auto all = ring.reader();
  ring.add(topic, "last\n");
  ring.end(*topic);
  EXPECT_FALSE(reader->at_end());
  EXPECT_EQ(taken(*reader), "last\nEND");
  EXPECT_TRUE(reader->at_end());
  EXPECT_EQ(taken(*all), "last\n");
}

TEST(EventRing, RaisesTheEventsOfThoseWhoListen) {
  EventRing ring;
  const Fd event = make_event();
  ring.listen(event.number());
  ring.add(nullptr, "a\n");
  EXPECT_TRUE(raised(event));
  clear_event(event.number());
  const auto topic = EventRing::new_topic();
  ring.end(*topic);
  EXPECT_TRUE(raised(event));
  clear_event(event.number());
  ring.unlisten(event.number());
  ring.add(nullptr, "b\n");
  EXPECT_FALSE(raised(event));
}

TEST(EventRing, ReadersAndWritersOnManyThreadsLoseNothingUntold) {
  EventRing ring(16);
  std::atomic<bool> over = false;
  const auto reader = ring.reader();
  std::vector<std::thread> writers;
  for (int i = 0; i < 2; ++i) {
    writers.emplace_back([&] {
      for (int line = 0; line < 2000; ++line) ring.add(nullptr, "x\n");
    });
  }
  std::string all;
  std::thread slow([&] {
    while (!over) all += taken(*reader);
  });
  for (auto& writer : writers) writer.join();
  over = true;
  slow.join();
  all += taken(*reader);
  u64 lines = 0;
  for (std::size_t at = 0; at < all.size();) {
    const std::string line = all.substr(at, all.find('\n', at) - at);
    lines += line == "x" ? 1 : std::stoul(line.substr(line.rfind(' ')));
    at += line.size() + 1;
  }
  EXPECT_EQ(lines, 4000U);
}

TEST(EventLine, HasTimePathWordAndDetail) {
  EXPECT_EQ(event_line("T", "db0", "ready", "/dev/sda"), "T db0 ready /dev/sda\n");
  EXPECT_EQ(event_line("T", "", "started"), "T - started\n");
}

TEST(EventLine, ThePathIsOneWordAndTheLineOneLine) {
  EXPECT_EQ(event_line("T", "two words\t\\\n\x7f", "refused", "a \\ b\nc"),
            "T two\\040words\\011\\134\\012\\177 refused a \\ b\\012c\n");
  EXPECT_EQ(path_word("\xc3\xa4"), "\xc3\xa4");
}

TEST(EventLine, TheTimeIsUtcWithMilliseconds) {
  const std::string time = time_stamp();
  ASSERT_EQ(time.size(), 24U) << time;
  tm parts{};
  ASSERT_STREQ(strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts), time.substr(19).c_str());
  EXPECT_EQ(time[19], '.');
  EXPECT_EQ(time[23], 'Z');
  EXPECT_LE(std::abs(timegm(&parts) - ::time(nullptr)), 60);
}

}  // namespace
}  // namespace tcmufs
