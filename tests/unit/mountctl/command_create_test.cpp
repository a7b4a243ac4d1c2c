#include "mountctl/command_create.h"

#include <gmock/gmock.h>

#include <sstream>

#include "fake_mount.h"
#include "mountctl/command_resize.h"
#include "mountctl/command_rm.h"
#include "mountctl/control_file.h"
#include "refused.h"
#include "support/file_size_limit.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {
namespace {

using test::FileSizeLimit;
using testing::HasSubstr;

TEST(Create, MakesAFileOfThatSizeAndPrintsTheLink) {
  const FakeMount mount;
  mount.control("db0", "state", "ready\n");
  mount.control("db0", "status.json", R"({"format":1,"name":"db0","link":"/dev/tcmufs/db0"})");
  std::ostringstream out;
  create_volume(mount.path(), "db0", 8192, {}, false, out);
  EXPECT_EQ(mount.size_of("db0"), 8192u);
  EXPECT_EQ(out.str(), "/dev/tcmufs/db0\n");
}

TEST(Create, WritesTheSettingsBeforeTheSize) {
  const FakeMount mount;
  mount.control("db0", "state", "ready\n");
  mount.control("db0", "block_size", "");
  mount.control("db0", "physical_block_size", "");
  std::ostringstream out;
  create_volume(mount.path(), "db0", 8192, {{"block_size", "4096"}, {"physical_block_size", "4096"}}, false,
                out);
  EXPECT_EQ(read_text(mount / ".ctl/vol/db0/block_size"), "4096\n");
  EXPECT_EQ(read_text(mount / ".ctl/vol/db0/physical_block_size"), "4096\n");
  EXPECT_EQ(mount.size_of("db0"), 8192u);
}

TEST(Create, RefusedSettingLeavesNothingBehind) {
  const FakeMount mount;
  mount.control("db0", "block_size", "512\n");
  std::ostringstream out;
  EXPECT_THAT(refused(ExitStatus::failed,
                      [&] {
                        create_volume(mount.path(), "db0", 8192, {{"colour", "4096"}, {"block_size", "4096"}},
                                      false, out);
                      }),
              HasSubstr("cannot create 'db0': No such file or directory (ENOENT)"));
  EXPECT_FALSE(mount.has("db0"));
  EXPECT_EQ(read_text(mount / ".ctl/vol/db0/block_size"), "512\n");
  EXPECT_EQ(out.str(), "");
}

TEST(Create, VolumeThatExistsIsRefusedAndNotTouched) {
  const FakeMount mount;
  mount.volume("db0", 4096, "ready");
  std::ostringstream out;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { create_volume(mount.path(), "db0", 8192, {}, false, out); }),
              HasSubstr("EEXIST"));
  EXPECT_EQ(mount.size_of("db0"), 4096u);
}

TEST(Create, RefusedSizeLeavesNothingBehind) {
  const FakeMount mount;
  std::ostringstream out;
  const FileSizeLimit limit(1 << 20);
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { create_volume(mount.path(), "db0", 2 << 20, {}, false, out); }),
      HasSubstr("cannot create 'db0': File too large (EFBIG)"));
  EXPECT_FALSE(mount.has("db0"));
}

TEST(Create, RefusalHasTheSentenceOfTheMount) {
  const FakeMount mount;
  mount.write(".ctl/last_error", "the store of 'db0' is full (EFBIG)\n");
  std::ostringstream out;
  const FileSizeLimit limit(1 << 20);
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { create_volume(mount.path(), "db0", 2 << 20, {}, false, out); }),
      HasSubstr("the store of 'db0' is full (EFBIG)"));
}

TEST(Create, NameThatStaysAFileIsNoDiskAndLeavesNothingBehind) {
  const FakeMount mount;
  mount.control("x.tmp", "state", "pending\n");
  std::ostringstream out;
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { create_volume(mount.path(), "x.tmp", 4096, {}, false, out); }),
      HasSubstr("state pending"));
  EXPECT_FALSE(mount.has("x.tmp"));
}

TEST(Create, DirectoryThatIsNotThereIsAnError) {
  const FakeMount mount;
  std::ostringstream out;
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { create_volume(mount.path(), "web/d", 4096, {}, false, out); }),
      HasSubstr("'web/d'"));
}

TEST(Create, NameBeyond255BytesIsAnError) {
  const FakeMount mount;
  std::ostringstream out;
  EXPECT_THAT(refused(ExitStatus::failed,
                      [&] { create_volume(mount.path(), std::string(300, 'a'), 4096, {}, false, out); }),
              HasSubstr("ENAMETOOLONG"));
}

TEST(Resize, SetsOrChangesTheSize) {
  const FakeMount mount;
  mount.volume("db0", 4096, "ready");
  resize_volume(mount.path(), "db0", parse_size_change("16K"));
  EXPECT_EQ(mount.size_of("db0"), 16384u);
  resize_volume(mount.path(), "db0", parse_size_change("+16K"));
  EXPECT_EQ(mount.size_of("db0"), 32768u);
  resize_volume(mount.path(), "db0", parse_size_change("-8K"));
  EXPECT_EQ(mount.size_of("db0"), 24576u);
}

TEST(Resize, VolumeThatIsNotThereIsNotMade) {
  const FakeMount mount;
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { resize_volume(mount.path(), "db0", parse_size_change("4K")); }),
      HasSubstr("no volume 'db0'"));
  EXPECT_FALSE(mount.has("db0"));
}

TEST(Resize, RefusalHasTheSentenceOfTheVolume) {
  const FakeMount mount;
  mount.volume("db0", 4096, "ready");
  mount.control("db0", "last_error", "only 1 MiB is left (EFBIG)\n");
  const FileSizeLimit limit(1 << 20);
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { resize_volume(mount.path(), "db0", parse_size_change("2M")); }),
      HasSubstr("cannot resize 'db0': only 1 MiB is left (EFBIG)"));
  EXPECT_EQ(mount.size_of("db0"), 4096u);
}

TEST(Resize, OfALinkIsForItsControlFile) {
  const FakeMount mount;
  mount.write("image", "");
  mount.link("image", "golden");
  const auto asked_by = [&](const char* size) {
    mount.control("golden", "size", "");
    resize_volume(mount.path(), "golden", parse_size_change(size));
    return read_text(control_path(mount.path(), "golden", "size"));
  };
  EXPECT_EQ(asked_by("16K"), "16384\n");
  EXPECT_EQ(asked_by("+1M"), "+1048576\n");
  EXPECT_EQ(asked_by("-4K"), "-4096\n");
  EXPECT_EQ(mount.size_of("image"), 0u);
}

TEST(Resize, OfALinkThatIsRefusedHasTheSentenceOfTheVolume) {
  const FakeMount mount;
  mount.write("image", "");
  mount.link("image", "golden");
  mount.control("golden", "last_error", "the store is read-only (EISDIR)\n");
  mount.make_directory(".ctl/vol/golden/size");
  EXPECT_THAT(
      refused(ExitStatus::failed, [&] { resize_volume(mount.path(), "golden", parse_size_change("2M")); }),
      HasSubstr("cannot resize 'golden': the store is read-only (EISDIR)"));
}

TEST(Resize, ImpossibleDifferenceChangesNothing) {
  const FakeMount mount;
  mount.volume("db0", 4096, "ready");
  refused(ExitStatus::failed, [&] { resize_volume(mount.path(), "db0", parse_size_change("-4K")); });
  EXPECT_EQ(mount.size_of("db0"), 4096u);
}

TEST(Remove, RemovesTheFile) {
  const FakeMount mount;
  mount.volume("db0", 4096, "ready");
  remove_volume(mount.path(), "db0");
  EXPECT_FALSE(mount.has("db0"));
}

TEST(Remove, DirectoryIsLeftToRmdir) {
  const FakeMount mount;
  mount.write("web/disk0", "");
  EXPECT_THAT(refused(ExitStatus::failed, [&] { remove_volume(mount.path(), "web"); }), HasSubstr("rmdir"));
  EXPECT_TRUE(mount.has("web/disk0"));
}

TEST(Remove, VolumeThatIsNotThereIsAnError) {
  const FakeMount mount;
  EXPECT_THAT(refused(ExitStatus::failed, [&] { remove_volume(mount.path(), "db0"); }),
              HasSubstr("no volume 'db0'"));
}

}  // namespace
}  // namespace tcmufs::mountctl
