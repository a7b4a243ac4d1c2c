#include <fstream>
#include <set>
#include <sstream>

#include "scsi/markdown.h"
#include "scsi/opcode_table.h"
#include "test_disk.h"

namespace tcmufs::scsi::test {

namespace {

Bytes report(u8 options, u8 opcode = 0, u16 service_action = 0, u32 length = 4096) {
  return join({{0xa3, 0x0c, options, opcode}, big_endian(service_action, 2), big_endian(length, 4), {0, 0}});
}

TEST(ReportSupportedOperationCodes, ListsEveryRowWithItsLength) {
  TestDisk disk;
  for (const bool timeouts : {false, true}) {
    const Bytes data = disk.ask(report(timeouts ? 0x80 : 0), 8192).data;
    const std::size_t size = timeouts ? 20 : 8;
    ASSERT_EQ(data.size(), 4 + opcode_table().size() * size);
    EXPECT_EQ(number(data, 0, 4), data.size() - 4);
    std::size_t at = 4;
    for (const Row& row : opcode_table()) {
      EXPECT_EQ(data[at], row.opcode);
      EXPECT_EQ(number(data, at + 2, 2), row.has_service_action() ? row.service_action : 0u);
      EXPECT_EQ(data[at + 5], (timeouts ? 2u : 0u) | (row.has_service_action() ? 1u : 0u));
      EXPECT_EQ(number(data, at + 6, 2), row.length);
      if (timeouts) {
        EXPECT_EQ(number(data, at + 8, 2), 0x0au);
      }
      at += size;
    }
  }
}

TEST(ReportSupportedOperationCodes, OneCommandGivesItsUsage) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(report(1, 0x12)).data, (Bytes{0, 3, 0, 6, 0x12, 0xe1, 0xff, 0xff, 0xff, 0}));
  EXPECT_EQ(disk.ask(report(0x81, 0x12)).data,
            join({{0, 0x83, 0, 6, 0x12, 0xe1, 0xff, 0xff, 0xff, 0}, {0, 0x0a}, Bytes(10)}));
  EXPECT_EQ(slice(disk.ask(report(2, 0x9e, 0x10)).data, 0, 6), (Bytes{0, 3, 0, 16, 0x9e, 0x10}));
  EXPECT_EQ(slice(disk.ask(report(3, 0x9e, 0x10)).data, 0, 6), (Bytes{0, 3, 0, 16, 0x9e, 0x10}));
  EXPECT_EQ(slice(disk.ask(report(3, 0x12)).data, 0, 5), (Bytes{0, 3, 0, 6, 0x12}));
}

TEST(ReportSupportedOperationCodes, WhatIsNotSupportedHasNoUsage) {
  TestDisk disk;
  const Bytes absent = {0, 1, 0, 0};
  EXPECT_EQ(disk.ask(report(1, 0x9c)).data, absent);
  EXPECT_EQ(disk.ask(report(2, 0x9e, 0x11)).data, absent);
  EXPECT_EQ(disk.ask(report(2, 0x7f, 0x09)).data, absent);
  EXPECT_EQ(disk.ask(report(3, 0x12, 1)).data, absent);
  EXPECT_EQ(disk.ask(report(0x81, 0x9c)).data, absent);
}

TEST(ReportSupportedOperationCodes, TheOptionMustFitTheOpcode) {
  TestDisk disk;
  EXPECT_EQ(disk.ask(report(1, 0x9e)).sense, invalid_field);
  EXPECT_EQ(disk.ask(report(2, 0x12)).sense, invalid_field);
  for (u8 options = 4; options < 8; ++options) {
    EXPECT_EQ(disk.ask(report(options, 0x12)).field(), std::pair(2, 2));
  }
}

TEST(ReportSupportedOperationCodes, EveryBitItDoesNotListIsRefused) {
  TestDisk disk;
  for (const Row& row : opcode_table()) {
    if (row.handler == nullptr) continue;
    for (u8 byte = 1; byte < row.length; ++byte) {
      for (int bit = 7; bit >= 0; --bit) {
        if ((row.usage[byte] >> bit & 1) != 0) continue;
        if (byte == 1 && row.has_service_action() && bit < 5) continue;
        Bytes cdb(row.length);
        cdb[0] = row.opcode;
        if (row.has_service_action()) cdb[1] = static_cast<u8>(row.service_action);
        cdb[byte] = static_cast<u8>(cdb[byte] | 1 << bit);
        const Reply reply = disk.send(cdb);
        EXPECT_EQ(reply.sense, invalid_field) << row.name;
        EXPECT_EQ(reply.field(), std::pair(int{byte}, bit)) << row.name;
      }
    }
  }
}

TEST(ReportSupportedTaskManagementFunctions, AreAbortTaskAndLogicalUnitReset) {
  TestDisk disk;
  const auto tmf = [](u8 flags) { return join({{0xa3, 0x0d, flags, 0, 0, 0}, big_endian(255, 4), {0, 0}}); };
  EXPECT_EQ(disk.ask(tmf(0)).data, (Bytes{0x88, 0, 0, 0}));
  EXPECT_EQ(disk.ask(tmf(0x80)).data, join({{0x88, 0, 0, 12}, Bytes(12)}));
}

TEST(Opcode, WithoutARowIsInvalid) {
  TestDisk disk;
  std::set<unsigned> known;
  for (const Row& row : opcode_table()) known.insert(row.opcode);
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    if (known.contains(opcode)) continue;
    EXPECT_EQ(disk.ask(join({{static_cast<u8>(opcode)}, Bytes(15)})).sense, invalid_opcode) << opcode;
  }
  EXPECT_EQ(disk.ask({}).sense, invalid_opcode);
  EXPECT_EQ(disk.ask({0x9e}).sense, invalid_opcode);
  EXPECT_EQ(disk.ask(cdb_16(0x9e, 0x11, 0, 0)).sense, invalid_opcode);
}

TEST(Opcode, OfWhatIsNotOfferedIsInvalid) {
  TestDisk disk;
  const auto with_service_action = [](u8 opcode, u8 service_action) {
    return join({{opcode, service_action}, Bytes(14)});
  };
  for (const u8 opcode : std::initializer_list<u8>{0x04, 0x07, 0x1c, 0x1d, 0x3b, 0x3c, 0x3e, 0x48, 0x7f}) {
    EXPECT_EQ(disk.ask(with_service_action(opcode, 0)).sense, invalid_opcode) << +opcode;
  }
  EXPECT_EQ(disk.ask(with_service_action(0x83, 0x00)).sense, invalid_opcode) << "EXTENDED COPY";
  EXPECT_EQ(disk.ask(with_service_action(0x84, 0x03)).sense, invalid_opcode) << "RECEIVE COPY RESULTS";
  EXPECT_EQ(disk.ask(with_service_action(0x9c, 0x00)).sense, invalid_opcode) << "WRITE ATOMIC(16)";
  EXPECT_EQ(disk.ask(with_service_action(0xa3, 0x0a)).sense, invalid_opcode) << "REPORT TARGET PORT GROUPS";
  EXPECT_EQ(disk.ask(inquiry(36)).data[5] & 0x38, 0) << "TPGS and 3PC";
}

TEST(Opcode, ThatTheKernelAnswersIsInvalidHere) {
  TestDisk disk;
  for (const Row& row : opcode_table()) {
    if (row.handler != nullptr) continue;
    Bytes cdb(row.length);
    cdb[0] = row.opcode;
    if (row.has_service_action()) cdb[1] = static_cast<u8>(row.service_action);
    EXPECT_EQ(disk.ask(cdb).sense, invalid_opcode) << row.name;
  }
}

TEST(Cdb, ThatIsTooShortIsRefused) {
  TestDisk disk;
  const Bytes whole = cdb_10(0x28, 0, 0, 1);
  for (std::size_t length = 1; length < whole.size(); ++length) {
    const Reply reply = disk.ask(slice(whole, 0, length));
    EXPECT_EQ(reply.sense, invalid_field);
    EXPECT_EQ(reply.field(), std::pair(static_cast<int>(length), -1));
  }
}

TEST(Documentation, HasTheTableOfSupportedCommands) {
  const std::string begin = "<!-- begin: supported commands -->\n";
  const std::string end = "<!-- end: supported commands -->\n";
  const std::string path = TCMUFS_SOURCE_DIR "/docs/scsi.md";
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  std::string document = text.str();
  const std::size_t from = document.find(begin);
  const std::size_t to = document.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos) << path << " lacks the marker lines";
  const std::size_t start = from + begin.size();
  if (std::getenv("TCMUFS_UPDATE_DOCS") != nullptr) {
    std::ofstream(path) << document.replace(start, to - start, markdown_table());
    return;
  }
  EXPECT_EQ(document.substr(start, to - start), markdown_table())
      << "To bring the document up to date: TCMUFS_UPDATE_DOCS=1 unit_scsi --gtest_filter=Documentation.*";
}

}  // namespace

}  // namespace tcmufs::scsi::test
