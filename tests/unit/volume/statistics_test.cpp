#include "volume/statistics.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "scsi/opcode_table.h"
#include "volume/statistics_text.h"

namespace tcmufs::volume {
namespace {

using scsi::Status;
using testing::ElementsAre;
using testing::HasSubstr;

OperationFigures reads(const Statistics& statistics) {
  return statistics.figures().operations[static_cast<std::size_t>(Operation::read)];
}

TEST(LatencyBuckets, CoverEveryLatencyWithoutGapOrOverlap) {
  EXPECT_EQ(LatencyBuckets::lower_bound(0), 0U);
  EXPECT_EQ(LatencyBuckets::lower_bound(1), 256U);
  EXPECT_EQ(LatencyBuckets::lower_bound(LatencyBuckets::count - 1), u64{1} << 36);
  for (std::size_t i = 0; i < LatencyBuckets::count; ++i) {
    EXPECT_EQ(LatencyBuckets::index_of(LatencyBuckets::lower_bound(i)), i);
    EXPECT_EQ(LatencyBuckets::index_of(LatencyBuckets::lower_bound(i + 1) - 1), i);
  }
  EXPECT_EQ(LatencyBuckets::index_of(~u64{0}), LatencyBuckets::count - 1);
}

TEST(LatencyBuckets, AreNoWiderThanAQuarterOfTheirLowerBound) {
  for (std::size_t i = 1; i + 1 < LatencyBuckets::count; ++i) {
    const u64 lowest = LatencyBuckets::lower_bound(i);
    EXPECT_LE((LatencyBuckets::lower_bound(i + 1) - lowest) * 4, lowest) << i;
  }
}

TEST(Statistics, PercentilesAreThoseOfASortedListButForTheWidthOfABucket) {
  std::mt19937_64 random(20);
  std::lognormal_distribution<double> latency(10, 2);
  for (const std::size_t count : {1U, 2U, 3U, 10U, 99U, 1000U, 1001U, 20000U}) {
    Statistics statistics;
    std::vector<u64> all;
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(static_cast<u64>(latency(random)));
      statistics.finished(Operation::read, 0, Status::good, all.back());
    }
    std::sort(all.begin(), all.end());
    for (const unsigned per_mille : {1U, 500U, 900U, 990U, 999U, 1000U}) {
      std::size_t rank = 1;
      while (rank * 1000 < count * per_mille) ++rank;
      const u64 exact = all[rank - 1];
      const u64 shown = reads(statistics).percentile_ns(per_mille);
      EXPECT_GE(shown, exact) << per_mille << " of " << count;
      EXPECT_LE(shown, exact + std::max<u64>(exact / 4, 256)) << per_mille << " of " << count;
      EXPECT_LE(shown, all.back());
    }
    EXPECT_EQ(reads(statistics).commands(), count);
    EXPECT_EQ(reads(statistics).max_ns, all.back());
    double sum = 0;
    for (const u64 one : all) sum += static_cast<double>(one);
    EXPECT_NEAR(reads(statistics).mean_ns(), sum / static_cast<double>(count), 1);
  }
}

TEST(Statistics, OfNothingAreZero) {
  const Statistics statistics;
  EXPECT_EQ(reads(statistics).percentile_ns(990), 0U);
  EXPECT_EQ(reads(statistics).mean_ns(), 0);
}

TEST(Statistics, BytesAreThoseOfCommandsThatWentWell) {
  Statistics statistics;
  statistics.finished(Operation::read, 4096, Status::good, 1);
  statistics.finished(Operation::read, 512, Status::check_condition, 1);
  statistics.finished(Operation::read, 512, Status::busy, 1);
  statistics.finished(Operation::read, 8, Status::condition_met, 1);
  EXPECT_EQ(reads(statistics).bytes, 4104U);
  EXPECT_EQ(reads(statistics).errors, 2U);
  EXPECT_EQ(reads(statistics).commands(), 4U);
}

TEST(Statistics, EveryCommandIsOfTheOperationThatItsNameSays) {
  for (const scsi::Row& row : scsi::opcode_table()) {
    const std::string name = row.name;
    const auto begins = [&](const char* with) { return name.starts_with(with); };
    Operation expected = Operation::other;
    if (begins("READ(")) expected = Operation::read;
    if (begins("WRITE(") || begins("WRITE AND VERIFY")) expected = Operation::write;
    if (begins("SYNCHRONIZE CACHE")) expected = Operation::flush;
    if (begins("UNMAP") || begins("WRITE SAME")) expected = Operation::discard;
    const std::array<u8, 1> cdb = {row.opcode};
    EXPECT_EQ(operation_name(operation_of(cdb)), operation_name(expected)) << name;
  }
  EXPECT_EQ(operation_of({}), Operation::other);
}

TEST(Statistics, AreReadWhileTheyAreWritten) {
  constexpr u64 count = 100'000;
  Statistics statistics;
  std::thread writer([&] {
    for (u64 i = 1; i <= count; ++i) {
      statistics.batch_taken(1);
      statistics.finished(Operation::read, 512, Status::good, i);
      statistics.set_in_flight(0);
      statistics.kicked();
    }
  });
  StatisticsFigures before;
  while (before.kicks < count) {
    const StatisticsFigures now = statistics.figures();
    EXPECT_GE(now.commands(), before.commands());
    EXPECT_GE(now.kicks, before.kicks);
    EXPECT_LE(now.in_flight, 1U);
    before = now;
  }
  writer.join();
  EXPECT_EQ(reads(statistics).commands(), count);
  EXPECT_EQ(reads(statistics).bytes, count * 512);
  EXPECT_EQ(reads(statistics).time_ns, count * (count + 1) / 2);
  EXPECT_EQ(reads(statistics).max_ns, count);
  EXPECT_EQ(statistics.figures().batches, count);
}

/// Two reads and a failed write.
StatisticsFigures example() {
  Statistics statistics;
  statistics.batch_taken(3);
  statistics.finished(Operation::read, 4096, Status::good, 1'300);
  statistics.finished(Operation::read, 8192, Status::good, u64{70} << 30);
  statistics.finished(Operation::write, 512, Status::check_condition, 2'000);
  statistics.kicked();
  statistics.kicked();
  return statistics.figures();
}

std::vector<std::string> words_of_line(const std::string& text, const std::string& first) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream stream(line);
    std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
    if (!words.empty() && words[0] == first) return words;
  }
  return {};
}

TEST(StatisticsText, StatsHasALineForEachOperation) {
  const std::string text = statistics_file(example(), "stats");
  EXPECT_THAT(words_of_line(text, "OPERATION"),
              ElementsAre("OPERATION", "COMMANDS", "BYTES", "ERRORS", "MEAN_US", "P50_US", "P99_US",
                          "P999_US", "MAX_US"));
  EXPECT_THAT(words_of_line(text, "read"), ElementsAre("read", "2", "12288", "0", "37580964.5", "1.5",
                                                       "75161927.7", "75161927.7", "75161927.7"));
  EXPECT_THAT(words_of_line(text, "write"),
              ElementsAre("write", "1", "0", "1", "2.0", "2.0", "2.0", "2.0", "2.0"));
  for (const char* idle : {"flush", "discard", "other"}) {
    EXPECT_THAT(words_of_line(text, idle), ElementsAre(idle, "0", "0", "0", "-", "-", "-", "-", "-"));
  }
  EXPECT_THAT(text, HasSubstr("\nin_flight: 3\nbatches: 1\nkicks: 2\ncommands_per_kick: 1.50\n"));
}

TEST(StatisticsText, LatencyHasALineForEachBucketThatIsNotEmpty) {
  EXPECT_EQ(statistics_file(example(), "latency"),
            "OPERATION  FROM_NS      BELOW_NS  COMMANDS\n"
            "read       1280         1536      1\n"
            "read       68719476736  inf       1\n"
            "write      1792         2048      1\n");
}

TEST(StatisticsText, JsonHasAllOfIt) {
  const auto json = nlohmann::json::parse(statistics_file(example(), "stats.json"));
  EXPECT_EQ(json["format"], 1);
  EXPECT_EQ(json["in_flight"], 3);
  EXPECT_EQ(json["batches"], 1);
  EXPECT_EQ(json["kicks"], 2);
  EXPECT_EQ(json["operations"].size(), operation_count);
  const auto& read = json["operations"]["read"];
  EXPECT_EQ(read["commands"], 2);
  EXPECT_EQ(read["bytes"], 12288);
  EXPECT_EQ(read["errors"], 0);
  EXPECT_EQ(read["time_ns"], (u64{70} << 30) + 1300);
  EXPECT_EQ(read["p50_ns"], 1535);
  EXPECT_EQ(read["p99_ns"], u64{70} << 30);
  EXPECT_EQ(read["p999_ns"], u64{70} << 30);
  EXPECT_EQ(read["max_ns"], u64{70} << 30);
  EXPECT_EQ(
      read["latency"].dump(),
      R"([{"below_ns":1536,"commands":1,"from_ns":1280},{"below_ns":null,"commands":1,"from_ns":68719476736}])");
}

}  // namespace
}  // namespace tcmufs::volume
