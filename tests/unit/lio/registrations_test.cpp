#include "lio/registrations.h"

#include <gmock/gmock.h>

#include <random>

namespace tcmufs::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// As the kernel writes it, of a machine's own nexus that holds a reservation and of one of iSCSI.
const std::string of_two =
    "PR_REG_START: 0\ninitiator_fabric=loopback\ninitiator_node=naa.5001405000000009\nsa_res_key=170\n"
    "res_holder=1\nres_type=08\nres_scope=00\nres_all_tg_pt=0\nmapped_lun=0\ntarget_fabric=loopback\n"
    "target_node=naa.5001405000000001\ntpgt=1\nport_rtpi=1\ntarget_lun=0\nPR_REG_END: 0\n"
    "PR_REG_START: 1\ninitiator_fabric=iSCSI\ninitiator_node=iqn.1993-08.org.debian:01:a b\n"
    "initiator_sid=23d020000\nsa_res_key=18446744073709551615\nres_holder=0\nres_all_tg_pt=1\nmapped_lun=3\n"
    "target_fabric=iSCSI\ntarget_node=iqn.2003-01.org:x\ntpgt=2\nport_rtpi=7\ntarget_lun=4\nPR_REG_END: 1\n" +
    std::string(1, '\0');

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::invalid_argument("there is no " + from);
  return text.replace(at, from.size(), to);
}

// What is wrong with the first of two registrations when a line of it is another; the second must be there.
std::string problem_with(const std::string& from, const std::string& to) {
  const auto parsed = lio::parse_registrations(replaced(of_two, from, to));
  EXPECT_THAT(parsed.registrations, SizeIs(1)) << to;
  EXPECT_THAT(parsed.problems, SizeIs(1)) << to;
  if (parsed.registrations.size() == 1) {
    EXPECT_EQ(parsed.registrations[0].initiator_sid, "23d020000") << to;
  }
  return parsed.problems.empty() ? "" : parsed.problems[0];
}

TEST(Registrations, AreReadAsTheKernelWritesThem) {
  const auto [registrations, problems] = lio::parse_registrations(of_two);
  EXPECT_THAT(problems, IsEmpty());
  ASSERT_THAT(registrations, SizeIs(2));
  EXPECT_EQ(registrations[0].initiator_node, "naa.5001405000000009");
  EXPECT_EQ(registrations[0].key, 170U);
  EXPECT_TRUE(registrations[0].holder);
  EXPECT_EQ(registrations[0].type, 8U);
  EXPECT_EQ(registrations[0].target_node, "naa.5001405000000001");
  EXPECT_EQ(registrations[0].tpgt, 1U);
  EXPECT_EQ(registrations[1].key, 0xffffffffffffffffU);
  EXPECT_FALSE(registrations[1].holder);
  EXPECT_TRUE(registrations[1].all_target_ports);
  EXPECT_EQ(registrations[1].mapped_lun, 3U);
  EXPECT_EQ(registrations[1].target_lun, 4U);
  EXPECT_EQ(registrations[1].port_rtpi, 7U);
}

TEST(Registrations, AreGivenBackWithNumbersThatTheKernelReadsAsTheyAre) {
  const auto [registrations, problems] = lio::parse_registrations(of_two);
  ASSERT_THAT(registrations, SizeIs(2));
  EXPECT_EQ(
      registrations[0].metadata(),
      "initiator_node=naa.5001405000000009,initiator_fabric=loopback,sa_res_key=170,res_holder=1,res_type=8,"
      "res_scope=0,res_all_tg_pt=0,mapped_lun=0,target_fabric=loopback,target_node=naa.5001405000000001,"
      "tpgt=1,port_rtpi=1,target_lun=0");
  EXPECT_EQ(registrations[1].metadata(),
            "initiator_node=iqn.1993-08.org.debian:01:a b,initiator_fabric=iSCSI,initiator_sid=23d020000,"
            "sa_res_key=18446744073709551615,res_holder=0,res_all_tg_pt=1,mapped_lun=3,target_fabric=iSCSI,"
            "target_node=iqn.2003-01.org:x,tpgt=2,port_rtpi=7,target_lun=4");
}

TEST(Registrations, NoneAreNoProblem) {
  for (const std::string text : {"No Registrations or Reservations", "No Registrations or Reservations\n"}) {
    const auto [registrations, problems] = lio::parse_registrations(text + '\0');
    EXPECT_THAT(registrations, IsEmpty());
    EXPECT_THAT(problems, IsEmpty());
  }
}

TEST(Registrations, AnEmptyFileIsWhatAPowerCutLeaves) {
  for (const std::string& text : {std::string(), std::string(100, '\0')}) {
    EXPECT_THAT(lio::parse_registrations(text).problems, ElementsAre("it is empty"));
  }
}

TEST(Registrations, OneThatCannotBeUsedIsNamedByItsLineAndTheOthersRemain) {
  EXPECT_EQ(problem_with("sa_res_key=170\n", ""), "the registration in line 1 has no 'sa_res_key'");
  EXPECT_EQ(problem_with("sa_res_key=170", "sa_res_key=0"), "the registration in line 1 has the key 0");
  EXPECT_EQ(problem_with("tpgt=1\n", "tpgt=1\ntpgt=1\n"), "the registration in line 1 has 'tpgt' twice");
  EXPECT_EQ(problem_with("tpgt=1\n", "what\n"), "the registration in line 1 has the line 'what'");
  EXPECT_EQ(problem_with("res_type=08", "res_type=04"),
            "the registration in line 1 holds a reservation of the type 4");
  EXPECT_EQ(problem_with("res_type=08\n", ""),
            "the registration in line 1 holds a reservation of the type 0");
}

TEST(Registrations, NumbersAreNumbersToTheirEndAndInTheirRange) {
  for (const char* number : {"", "x", "1x", "-1", "+1", " 1", "0x10", "18446744073709551616"}) {
    EXPECT_THAT(problem_with("sa_res_key=170", "sa_res_key=" + std::string(number)),
                HasSubstr("'sa_res_key'"));
    EXPECT_THAT(problem_with("target_lun=0", "target_lun=" + std::string(number)), HasSubstr("'target_lun'"));
  }
  EXPECT_THAT(problem_with("tpgt=1", "tpgt=65536"), HasSubstr("'tpgt' '65536'"));
  EXPECT_THAT(problem_with("res_holder=1", "res_holder=2"), HasSubstr("'res_holder' '2'"));
  EXPECT_THAT(problem_with("res_scope=00", "res_scope=01"), HasSubstr("'res_scope' '01'"));
}

TEST(Registrations, NamesCannotChangeWhatTheKernelIsGiven) {
  const std::string from = "initiator_node=naa.5001405000000009";
  for (const std::string& name : {std::string(), std::string("a,sa_res_key=1"), std::string("a\rb"),
                                  std::string("a\tb"), std::string(256, 'a')}) {
    EXPECT_THAT(problem_with(from, "initiator_node=" + name), HasSubstr("'initiator_node'")) << name;
  }
  const auto longest =
      lio::parse_registrations(replaced(of_two, from, "initiator_node=" + std::string(255, 'a')));
  EXPECT_THAT(longest.problems, IsEmpty());
  const auto sid = lio::parse_registrations(replaced(of_two, "23d020000", std::string(16, '2')));
  EXPECT_THAT(sid.problems, ElementsAre(HasSubstr("line 16 has the 'initiator_sid'")));
}

TEST(Registrations, TheReservationHasOneHolderAndANexusOneRegistration) {
  const std::string one = of_two.substr(0, of_two.find("PR_REG_START: 1"));
  EXPECT_THAT(lio::parse_registrations(one + one).problems,
              ElementsAre(HasSubstr("line 16 is of the same nexus")));
  const std::string other = replaced(one, "target_lun=0", "target_lun=1");
  const auto parsed = lio::parse_registrations(one + other);
  EXPECT_THAT(parsed.problems, ElementsAre(HasSubstr("line 16 holds the reservation, as another does")));
  EXPECT_THAT(parsed.registrations, SizeIs(1));
}

TEST(Registrations, TextThatBreaksOffIsNoRegistration) {
  const std::string one = of_two.substr(0, of_two.find("PR_REG_START: 1"));
  for (std::size_t length = 1; length < one.size() - std::string("PR_REG_END: 0\n").size(); ++length) {
    const auto parsed = lio::parse_registrations(one.substr(0, length));
    EXPECT_THAT(parsed.registrations, IsEmpty()) << length;
    EXPECT_THAT(parsed.problems, SizeIs(1)) << length;
  }
}

TEST(Registrations, WhatIsOutsideOfThemIsAProblemToo) {
  EXPECT_THAT(lio::parse_registrations("hello\n" + of_two).problems,
              ElementsAre("line 1: no registration begins there"));
  EXPECT_THAT(lio::parse_registrations("PR_REG_END: 0\n" + of_two).problems,
              ElementsAre("line 1: a registration ends that did not begin"));
  const auto nested = lio::parse_registrations("PR_REG_START: 0\nsa_res_key=1\n" + of_two);
  EXPECT_THAT(nested.problems, ElementsAre("the registration in line 1 does not end"));
  EXPECT_THAT(nested.registrations, SizeIs(2));
}

// Whatever comes of it is fit for the kernel.
TEST(Registrations, AreWholeWhateverTheText) {
  std::mt19937 random(20240607);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  std::size_t survivors = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = of_two;
    for (std::size_t changes = 1 + below(4); changes > 0; --changes) {
      const std::size_t at = below(text.size());
      switch (below(3)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, 1 + below(40));
          break;
        default:
          text.insert(at, text.substr(below(text.size()), below(60)));
          break;
      }
      if (text.empty()) text = " ";
    }
    for (const auto& registration : lio::parse_registrations(text).registrations) {
      ++survivors;
      const std::string metadata = registration.metadata();
      EXPECT_EQ(std::count(metadata.begin(), metadata.end(), '\n'), 0) << text;
      EXPECT_EQ(metadata.find('\0'), std::string::npos) << text;
      EXPECT_LT(metadata.size(), 4096U) << text;
      EXPECT_NE(registration.key, 0U) << text;
      EXPECT_FALSE(registration.initiator_node.empty() || registration.target_node.empty()) << text;
    }
  }
  EXPECT_GT(survivors, 1000U);
}

}  // namespace
}  // namespace tcmufs::test
