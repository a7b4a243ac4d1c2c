#include "mountctl/command_apply.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "fake_mount.h"
#include "mountctl/apply_plan.h"
#include "refused.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using testing::StartsWith;
using Json = nlohmann::json;

/// A mount with settings of its own, and volumes as the real one shows them.
class Apply : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [key, value] : defaults_) mount_.write(".ctl/defaults/" + key, value + "\n");
  }

  void exists(const std::string& name, u64 size_bytes, const std::string& state = "ready") {
    mount_.volume(name, size_bytes, state);
    can_be(name);
    mount_.control(name, "ctl", "");
    volumes_.push_back({{"name", name}, {"size", size_bytes}, {"state", state}});
    mount_.status(Json{{"format", 1}, {"volumes", volumes_}}.dump());
  }
  /// What a volume of that name would find: a fake cannot make it by itself.
  void can_be(const std::string& name) const {
    for (const auto& [key, value] : defaults_) mount_.control(name, key, value + "\n");
    mount_.control(name, "state", "ready\n");
  }
  std::string setting(const std::string& name, const std::string& key) const {
    return read_line(mount_ / (".ctl/vol/" + name + "/" + key));
  }

  std::string applied(const std::string& text, const ApplyOptions& options = {}) const {
    std::ostringstream out;
    apply(mount_.path(), parse_description(text, "d.toml"), options, out, warnings_);
    return out.str();
  }
  std::vector<std::string> plan(const std::string& text, bool prune = false) const {
    std::vector<std::string> lines;
    const auto description = fitted_to(mount_.path(), parse_description(text, "d.toml"));
    for (const Step& step : plan_for(mount_.path(), description, prune, warnings_))
      lines.push_back(step_text(step));
    return lines;
  }
  std::string wrong(const std::string& text) const {
    return refused(ExitStatus::usage, [&] { (void)applied(text); });
  }

  const std::vector<std::pair<std::string, std::string>> defaults_{{"block_size", "512"},
                                                                   {"physical_block_size", "4096"},
                                                                   {"queue_depth", "1024"},
                                                                   {"read_only", "0"},
                                                                   {"vendor", "TCMUFS"}};
  FakeMount mount_;
  mutable std::ostringstream warnings_;
  Json volumes_ = Json::array();
};

TEST_F(Apply, MakesDirectoriesAndVolumesWithTheirSettings) {
  can_be("db0");
  can_be("web/disk0");
  EXPECT_EQ(applied(R"(
[volumes."web/disk0"]
size = "8K"
[volumes.db0]
size = 4096
queue_depth = 64
read_only = true
vendor = "ACME"
block_size = 4096
)"),
            "mkdir web\n"
            "create web/disk0 8K\n"
            "create db0 4K block_size=4096 queue_depth=64 read_only=1 vendor=ACME\n");
  EXPECT_EQ(mount_.size_of("web/disk0"), 8192u);
  EXPECT_EQ(mount_.size_of("db0"), 4096u);
  EXPECT_EQ(setting("db0", "block_size"), "4096");
  EXPECT_THAT(setting("db0", "read_only"), StartsWith("1"));
  EXPECT_THAT(setting("db0", "vendor"), StartsWith("ACME"));
}

TEST_F(Apply, SecondRunHasNothingToDo) {
  exists("db0", 4096);
  EXPECT_EQ(applied(R"({"volumes": {"db0": {"size": "4K", "queue_depth": "01024", "vendor": " TCMUFS "}}})"),
            "nothing to do\n");
}

TEST_F(Apply, GrowsSetsAndAttachesWhatIsThere) {
  exists("db0", 4096);
  exists("db1", 4096, "failed");
  EXPECT_EQ(applied(R"(
[volumes]
db1 = { size = "4K" }
db0 = { size = "16K", queue_depth = 64 }
)"),
            "attach db1\n"
            "set db0 queue_depth=64 (now 1024)\n"
            "grow db0 4K -> 16K\n");
  EXPECT_EQ(mount_.size_of("db0"), 16384u);
  EXPECT_THAT(setting("db0", "queue_depth"), StartsWith("64\n"));
  EXPECT_EQ(setting("db1", "ctl"), "attach");
  EXPECT_EQ(setting("db0", "ctl"), "");
}

TEST_F(Apply, BlockSizeThatThePresentSizeDoesNotFitIsSetAfterTheSize) {
  exists("db0", 4096 + 512);
  exists("db1", 4096);
  EXPECT_THAT(
      plan("[volumes]\ndb0 = {size = 8192, block_size = 4096}\ndb1 = {size = 8192, block_size = 4096}"),
      ElementsAre("grow db0 4.5K -> 8K", "set db0 block_size=4096 (now 512)",
                  "set db1 block_size=4096 (now 512)", "grow db1 4K -> 8K"));
}

TEST_F(Apply, NothingIsLostBeforeAllElseHasSucceeded) {
  exists("old", 4096);
  exists("smaller", 8192);
  exists("larger", 4096);
  EXPECT_THAT(
      plan("[volumes]\nsmaller = {size = 4096, queue_depth = 2}\nlarger = {size = 4608}\nx.size = 512", true),
      ElementsAre("create x 512", "grow larger 4K -> 4.5K", "set smaller queue_depth=2 (now 1024)",
                  "shrink smaller 8K -> 4K", "remove old"));
}

TEST_F(Apply, OthersAreRemovedOnlyWithPrune) {
  exists("old", 4096);
  exists("db0", 4096);
  constexpr const char* text = "[volumes.db0]\nsize = '4K'";
  EXPECT_EQ(applied(text), "nothing to do\n");
  EXPECT_EQ(applied(text, {.prune = true}), "remove old\n");
  EXPECT_FALSE(mount_.has("old"));
  EXPECT_TRUE(mount_.has("db0"));
}

TEST_F(Apply, ANameThatTheListCannotShowKeepsNoOtherVolumeFromBeingRemoved) {
  const std::string shown_as = "\xef\xbf\xbd";
  mount_.volume("a\xff", 4096, "ready");
  std::string long_name;
  for (int i = 0; i < 200; ++i) long_name += shown_as;
  for (const std::string& name : {"a" + shown_as, long_name})
    volumes_.push_back({{"name", name}, {"size", 4096}, {"state", "ready"}});
  exists("old", 4096);
  EXPECT_EQ(applied("[volumes]", {.prune = true}), "remove old\n");
  EXPECT_FALSE(mount_.has("old"));
  EXPECT_TRUE(mount_.has("a\xff"));
  EXPECT_THAT(warnings_.str(), AllOf(StartsWith("mountctl: 'a" + shown_as + "' is not removed: "),
                                     HasSubstr("\nmountctl: '" + long_name + "' is not removed: ")));
}

TEST_F(Apply, ShrinkingIsRefusedUnlessAllowedBeforeAnythingIsChanged) {
  exists("db0", 8192);
  can_be("new");
  constexpr const char* text = "[volumes]\ndb0.size = 4096\nnew.size = 4096";
  EXPECT_THAT(refused(ExitStatus::failed, [&] { (void)applied(text); }),
              AllOf(HasSubstr("'db0' would become smaller"), HasSubstr("--allow-shrink")));
  EXPECT_FALSE(mount_.has("new"));
  EXPECT_EQ(mount_.size_of("db0"), 8192u);
  EXPECT_EQ(applied(text, {.allow_shrink = true}), "create new 4K\nshrink db0 8K -> 4K\n");
  EXPECT_EQ(mount_.size_of("db0"), 4096u);
}

TEST_F(Apply, DryRunOnlySaysWhatWouldBeDone) {
  exists("old", 4096);
  EXPECT_EQ(applied("volumes.'a/b'.size = 512", {.dry_run = true, .prune = true}),
            "mkdir a\ncreate a/b 512\nremove old\n");
  EXPECT_FALSE(mount_.has("a"));
  EXPECT_TRUE(mount_.has("old"));
}

TEST_F(Apply, StopsAtTheFirstRefusalAndSaysWhatIsDoneAndWhatNot) {
  can_be("a");
  exists("old", 4096);
  std::ostringstream out;
  const auto description = parse_description("[volumes]\na.size = 512\nb = {size = 512, vendor = 'X'}", "d");
  EXPECT_THAT(
      refused(ExitStatus::failed,
              [&] { apply(mount_.path(), description, {.prune = true, .json = true}, out, warnings_); }),
      AllOf(StartsWith("cannot create 'b': No such file or directory (ENOENT)"),
            HasSubstr("Done before that: create a 512. "),
            HasSubstr("Not done: create b 512 vendor=X; remove old")));
  EXPECT_TRUE(mount_.has("a"));
  EXPECT_FALSE(mount_.has("b"));
  EXPECT_TRUE(mount_.has("old"));
  const Json json = Json::parse(out.str());
  EXPECT_EQ(json["steps"][0]["done"], true);
  EXPECT_EQ(json["steps"][1]["done"], false);
  EXPECT_EQ(json["steps"][2]["action"], "remove");
  EXPECT_EQ(json["steps"][2]["done"], false);
}

TEST_F(Apply, JsonIsOneObject) {
  exists("db0", 4096);
  const Json json =
      Json::parse(applied("[volumes.db0]\nsize='1M'\nvendor='X'", {.dry_run = true, .json = true}));
  EXPECT_EQ(json, Json::parse(R"({"mount": ")" + mount_.path() + R"(", "dry_run": true, "steps": [
    {"action": "set", "name": "db0", "done": false, "settings": {"vendor": "X"}, "instead_of": {"vendor": "TCMUFS"}},
    {"action": "grow", "name": "db0", "done": false, "from_size": 4096, "size": 1048576}]})"));
  EXPECT_EQ(Json::parse(applied("volumes = {}", {.json = true}))["steps"], Json::array());
}

TEST_F(Apply, VolumeAndDirectoryCannotHaveOneName) {
  exists("db0", 4096);
  mount_.make_directory("web");
  EXPECT_THAT(refused(ExitStatus::failed, [&] { (void)applied("volumes.'db0/a'.size = 512"); }),
              HasSubstr("needs the directory 'db0', which is a volume"));
  EXPECT_THAT(refused(ExitStatus::failed, [&] { (void)applied("volumes.web.size = 512"); }),
              HasSubstr("'web' is to be a volume, and is a directory"));
  EXPECT_THAT(wrong("[volumes]\n'a'.size = 512\n\n'a/b/c'.size = 512"),
              HasSubstr("d.toml:4: 'a/b/c' would be in the directory 'a', which is a volume, in line 2"));
}

TEST_F(Apply, WhatIsWrongInTheFileIsSaidWithItsLineAndChangesNothing) {
  can_be("ok");
  const std::string ok = "[volumes.ok]\nsize = '4K'\n";
  EXPECT_THAT(wrong(ok + "colour = 1"),
              AllOf(StartsWith("d.toml:3: there is no setting 'colour'; there are: "),
                    HasSubstr("block_size, physical_block_size, queue_depth")));
  EXPECT_THAT(wrong(ok + "queue_depth = 'deep'"), StartsWith("d.toml:3: queue_depth is a number"));
  EXPECT_THAT(wrong(ok + "queue_depth = -1"), StartsWith("d.toml:3: queue_depth is a number"));
  EXPECT_THAT(wrong(ok + "queue_depth = 1.5"),
              StartsWith("d.toml:3: 'queue_depth' is a number with a fraction"));
  EXPECT_THAT(wrong(ok + "vendor = ['A']"), StartsWith("d.toml:3: 'vendor' is an array"));
  EXPECT_THAT(wrong(ok + "vendor = 2026-11-29"), StartsWith("d.toml:3: 'vendor' is a date"));
  EXPECT_THAT(wrong(ok + "vendor = \"a\\nb\""), StartsWith("d.toml:3: 'vendor' has more than one line"));
  EXPECT_THAT(wrong(ok + "[volumes.web.disk0]\nsize = 512"), HasSubstr("d.toml:3: "));
  EXPECT_THAT(wrong(ok + "[volumes.b]\nvendor = 'X'"), StartsWith("d.toml:3: the volume 'b' has no size"));
  EXPECT_THAT(wrong(ok + "[volumes.b]\nsize = true"), StartsWith("d.toml:4: size is a text"));
  EXPECT_THAT(wrong(ok + "[volumes.b]\nsize = '4X'"), StartsWith("d.toml:4: '4X' is no size"));
  EXPECT_THAT(wrong(ok + "[volumes.b]\nsize = 0"), StartsWith("d.toml:4: '0' is no size"));
  EXPECT_THAT(wrong(ok + "[volumes.'../b']\nsize = 512"), StartsWith("d.toml:3: '../b' is no name"));
  EXPECT_THAT(wrong(ok + "[volumes.status]\nsize = 512"), StartsWith("d.toml:3: 'status' has a name in it"));
  EXPECT_THAT(wrong(ok + "[volumes.'" + mount_.path() + "/ok']\nsize = 512"),
              StartsWith("d.toml:3: 'ok' is there already, in line 1"));
  EXPECT_THAT(wrong(ok + "[volume.b]\nsize = 512"),
              StartsWith("d.toml:3: there is no 'volume' in a description"));
  EXPECT_THAT(wrong(ok + "[volumes.ok]\nsize = 512"), StartsWith("d.toml:3: "));
  EXPECT_THAT(wrong(ok + "size = \n"), StartsWith("d.toml:3: "));
  EXPECT_THAT(wrong("volumes = 3"), StartsWith("d.toml:1: volumes is a table"));
  EXPECT_THAT(wrong("volumes.a = 3"), StartsWith("d.toml:1: the volume 'a' is no table"));
  EXPECT_FALSE(mount_.has("ok"));
}

TEST_F(Apply, TableInAVolumeIsExplained) {
  EXPECT_THAT(wrong("[volumes.web]\nsize = 512\n[volumes.web.disk0]\nsize = 512"),
              AllOf(StartsWith("d.toml:3: 'disk0' is a table"), HasSubstr("\"web/disk0\"")));
}

TEST_F(Apply, JsonIsWrongWithItsLineToo) {
  EXPECT_THAT(wrong("\n{\"volumes\": {\n  \"a\": {\"size\": 512,\n    \"colour\": 1\n}}}"),
              StartsWith("d.toml:4: there is no setting 'colour'"));
  EXPECT_THAT(
      wrong(
          "{\"volumes\": {\n\"a\": {\"size\": 512,\n\n\"vendor\": [{\"x\": [1], \"x\": 3}, 2],\n\"b\": 1}}}"),
      StartsWith("d.toml:4: 'vendor' is an array"));
  EXPECT_THAT(wrong("{\"volumes\": {\"a\": {\"size\": 512,\n\"vendor\": null}}}"),
              StartsWith("d.toml:2: 'vendor' is null"));
  EXPECT_THAT(wrong("{\"volumes\": {\"a\": {\"size\": 5.5}}}"), StartsWith("d.toml:1: size is a text"));
  EXPECT_THAT(wrong("{\"volumes\": {\"a\": {\"size\": 512},\n\"a\": {\"size\": 512}}}"),
              StartsWith("d.toml:2: 'a' is there twice"));
  EXPECT_THAT(wrong("{\"volumes\": {\"a\": {\"size\": 512}\n\n}, oops}"), StartsWith("d.toml:3: "));
  EXPECT_THAT(wrong("{\"volumes\": {"), StartsWith("d.toml:1: "));
  EXPECT_THAT(wrong("{} x"), StartsWith("d.toml:1: "));
}

TEST_F(Apply, EmptyFileDoesNotDescribeNoVolumes) {
  exists("db0", 4096);
  for (const char* text : {"", "# nothing\n", "{}"}) {
    EXPECT_THAT(refused(ExitStatus::usage, [&] { (void)applied(text, {.prune = true}); }),
                HasSubstr("describes no volumes"));
  }
  EXPECT_TRUE(mount_.has("db0"));
  EXPECT_EQ(applied("[volumes]", {.prune = true}), "remove db0\n");
}

TEST_F(Apply, FileThatIsMissingIsAFailureThatNamesIt) {
  try {
    (void)read_description("/no/such.toml");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_THAT(failure.what(), AllOf(HasSubstr("'/no/such.toml'"), HasSubstr("ENOENT")));
  }
}

TEST_F(Apply, NamesWithControlBytesStayOnTheirLine) {
  EXPECT_THAT(plan("volumes.\"a\\nb\".size = 512"), ElementsAre("create a\\x0ab 512"));
}

}  // namespace
}  // namespace tcmufs::mountctl
