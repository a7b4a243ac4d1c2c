#include "volume/metrics.h"

#include <gmock/gmock.h>

namespace tcmufs::volume {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string example() {
  Statistics statistics;
  statistics.batch_taken(3);
  statistics.finished(Operation::read, 4096, scsi::Status::good, 4095);
  statistics.finished(Operation::read, 8192, scsi::Status::good, 4096);
  statistics.finished(Operation::read, 512, scsi::Status::check_condition, u64{70} << 30);
  statistics.kicked();
  VolumeMetrics volume;
  volume.facts.path = "web/disk0";
  volume.facts.state = State::ready;
  volume.facts.size_bytes = 1 << 20;
  volume.facts.holders = {"mounted on '/srv'"};
  volume.figures = statistics.figures();
  volume.allocated_bytes = 65536;
  volume.oldest_ns = 1'500'000'000;
  VolumeMetrics other;
  other.facts.path = "b\"1";
  return metrics_text({"1.2.3", 4711, "/store", "/mnt"}, {volume, other});
}

TEST(Metrics, BeginWithTheMountAndEndWithEof) {
  const std::string text = example();
  EXPECT_THAT(text, StartsWith("# TYPE tcmufs_build_info gauge\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_build_info{version=\"1.2.3\",store=\"/store\",mount=\"/mnt\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volumes{state=\"ready\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volumes{state=\"pending\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volumes{state=\"failed\"} 0\n"));
  EXPECT_THAT(text, EndsWith("\n# EOF\n"));
}

TEST(Metrics, SayWhatAVolumeIs) {
  const std::string text = example();
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_state{volume=\"web/disk0\",state=\"ready\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_state{volume=\"web/disk0\",state=\"failed\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_size_bytes{volume=\"web/disk0\"} 1048576\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_allocated_bytes{volume=\"web/disk0\"} 65536\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_in_use{volume=\"web/disk0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_in_use{volume=\"b\\\"1\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_in_flight_commands{volume=\"web/disk0\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_oldest_command_seconds{volume=\"web/disk0\"} 1.500000000\n"));
}

TEST(Metrics, CountByOperation) {
  const std::string text = example();
  const std::string read = "{volume=\"web/disk0\",operation=\"read\"} ";
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_commands_total" + read + "3\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_command_bytes_total" + read + "12288\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_command_errors_total" + read + "1\n"));
  EXPECT_THAT(text,
              HasSubstr("\ntcmufs_volume_commands_total{volume=\"web/disk0\",operation=\"flush\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_batches_total{volume=\"web/disk0\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\ntcmufs_volume_kicks_total{volume=\"web/disk0\"} 1\n"));
}

TEST(Metrics, HistogramsAreCumulativeAndEndAtInfinity) {
  const std::string text = example();
  const std::string name = "\ntcmufs_volume_command_duration_seconds";
  const std::string read = "{volume=\"web/disk0\",operation=\"read\"";
  EXPECT_THAT(text, HasSubstr(name + "_bucket" + read + ",le=\"0.000004095\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket" + read + ",le=\"0.000008191\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket" + read + ",le=\"17.179869183\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(name + "_bucket" + read + ",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr(name + "_count" + read + "} 3\n"));
  EXPECT_THAT(text, HasSubstr(name + "_sum" + read + "} 75.161935871\n"));
}

TEST(Metrics, LabelValuesAreEscaped) {
  EXPECT_EQ(label_value("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
  EXPECT_EQ(label_value("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
  EXPECT_EQ(label_value("\xffx\xfe"), "\\\\xffx\\\\xfe") << "no UTF-8, and still told from other names";
}

}  // namespace
}  // namespace tcmufs::volume
