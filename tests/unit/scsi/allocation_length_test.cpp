#include <algorithm>

#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

/// A command that has data-in, and where its allocation length is.
struct Question {
  const char* name;
  Bytes cdb;
  std::size_t offset;
  unsigned width;
};

const std::vector<Question> questions = {
    {"INQUIRY", inquiry(0), 3, 2},
    {"INQUIRY, pages", inquiry_page(0x00), 3, 2},
    {"INQUIRY, serial number", inquiry_page(0x80), 3, 2},
    {"INQUIRY, identification", inquiry_page(0x83), 3, 2},
    {"INQUIRY, extended", inquiry_page(0x86), 3, 2},
    {"INQUIRY, block limits", inquiry_page(0xb0), 3, 2},
    {"INQUIRY, characteristics", inquiry_page(0xb1), 3, 2},
    {"INQUIRY, provisioning", inquiry_page(0xb2), 3, 2},
    {"REQUEST SENSE", {0x03, 0, 0, 0, 0, 0}, 4, 1},
    {"REQUEST SENSE, descriptors", {0x03, 1, 0, 0, 0, 0}, 4, 1},
    {"MODE SENSE(6)", mode_sense_6(0x3f), 4, 1},
    {"MODE SENSE(10)", {0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
    {"MODE SENSE(10), long LBA", {0x5a, 0x10, 0x3f, 0xff, 0, 0, 0, 0, 0, 0}, 7, 2},
    {"LOG SENSE", {0x4d, 0, 0x40, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
    {"LOG SENSE, subpages", {0x4d, 0, 0x40, 0xff, 0, 0, 0, 0, 0, 0}, 7, 2},
    {"LOG SENSE, provisioning", {0x4d, 0, 0x4c, 0, 0, 0, 0, 0, 0, 0}, 7, 2},
    {"READ DEFECT DATA(10)", cdb_10(0x37, 0, 0, 0), 7, 2},
    {"READ DEFECT DATA(12)", cdb_12(0xb7, 0, 0, 0), 6, 4},
    {"READ CAPACITY(16)", read_capacity_16(), 10, 4},
    {"GET LBA STATUS", cdb_16(0x9e, 0x12, 0, 0), 10, 4},
    {"REPORT LUNS", Bytes{0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
    {"REPORT SUPPORTED OPERATION CODES", Bytes{0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
    {"REPORT SUPPORTED OPERATION CODES, timeouts", Bytes{0xa3, 0x0c, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
    {"REPORT SUPPORTED OPERATION CODES, one", Bytes{0xa3, 0x0c, 0x81, 0x12, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
    {"REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", Bytes{0xa3, 0x0d, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 6, 4},
};

Bytes with_length(const Question& question, std::size_t length) {
  Bytes cdb = question.cdb;
  const Bytes field = big_endian(length, question.width);
  std::copy(field.begin(), field.end(), cdb.begin() + static_cast<std::ptrdiff_t>(question.offset));
  return cdb;
}

TEST(AllocationLength, CutsTheDataAndChangesNothingInIt) {
  for (const Question& question : questions) {
    SCOPED_TRACE(question.name);
    TestDisk disk;
    const std::size_t most = question.width == 1 ? 255 : 2000;
    const Bytes whole = disk.ask(with_length(question, most), 4096).data;
    ASSERT_GE(whole.size(), 4u);
    for (std::size_t length = 0; length <= std::min<std::size_t>(most, 300); ++length) {
      const Reply reply = disk.ask(with_length(question, length), 4096);
      EXPECT_TRUE(reply.good()) << length;
      ASSERT_EQ(reply.data_in_bytes, std::min(length, whole.size())) << length;
      EXPECT_EQ(reply.data, slice(whole, 0, reply.data.size())) << length;
    }
  }
}

TEST(AllocationLength, IsNotReachedIfTheBufferIsShorter) {
  for (const Question& question : questions) {
    SCOPED_TRACE(question.name);
    TestDisk disk;
    const Bytes cdb = with_length(question, question.width == 1 ? 255 : 2000);
    const Bytes whole = disk.ask(cdb, 4096).data;
    for (const std::size_t room : {std::size_t{0}, std::size_t{3}, whole.size() - 1}) {
      EXPECT_EQ(disk.ask(cdb, room).data, slice(whole, 0, room)) << room;
    }
  }
}

}  // namespace

}  // namespace tcmufs::scsi::test
