#include "sys/text_file.h"

#include <gmock/gmock.h>

#include <boost/filesystem.hpp>
#include <functional>
#include <iterator>

#include "support/temporary_directory.h"
#include "sys/error.h"

namespace tcmufs {
namespace {

using test::TemporaryDirectory;
using testing::HasSubstr;

void make_file(const std::string& path, const std::string& text) {
  replace_file(path, path + ".new", text);
}

std::string failure_text(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "no failure";
}

TEST(ReplaceFile, MakesAndReplacesTheFileAndLeavesNoOther) {
  const TemporaryDirectory directory;
  make_file(directory / "state", "first, and longer");
  make_file(directory / "state", "second");
  EXPECT_EQ(read_text(directory / "state"), "second");
  const boost::filesystem::directory_iterator files(directory.path());
  EXPECT_EQ(std::distance(files, boost::filesystem::directory_iterator()), 1);
}

TEST(ReplaceFile, TextOfAnyLengthArrives) {
  const TemporaryDirectory directory;
  const std::string text(100000, 'x');
  make_file(directory / "state", text);
  EXPECT_TRUE(read_text(directory / "state") == text);
  make_file(directory / "state", "");
  EXPECT_EQ(read_text(directory / "state"), "");
}

TEST(ReplaceFile, LeavesTheOldOneWhenItFails) {
  const TemporaryDirectory directory;
  make_file(directory / "state", "old");
  const std::string text =
      failure_text([&] { replace_file(directory / "state", directory / "nowhere/temporary", "new"); });
  EXPECT_THAT(text, HasSubstr("nowhere/temporary'"));
  EXPECT_EQ(read_text(directory / "state"), "old");
}

TEST(ReplaceFile, NamesBothPathsWhenItCannotRename) {
  const TemporaryDirectory directory;
  boost::filesystem::create_directory(directory / "state");
  const std::string text = failure_text([&] { make_file(directory / "state", "new"); });
  EXPECT_THAT(text, HasSubstr("/state.new' to '"));
}

TEST(ReadLine, LeavesOutTheWhiteSpaceAtTheEnd) {
  const TemporaryDirectory directory;
  make_file(directory / "a", " 0x1000 \t\n\n");
  EXPECT_EQ(read_line(directory / "a"), " 0x1000");
  make_file(directory / "b", "\n");
  EXPECT_EQ(read_line(directory / "b"), "");
}

TEST(ReadText, OfAFileThatIsNotThereNamesIt) {
  const TemporaryDirectory directory;
  const std::string path = directory / "absent";
  EXPECT_EQ(failure_text([&] { read_text(path); }),
            "cannot open '" + path + "': No such file or directory (ENOENT)");
}

TEST(WriteText, WritesIntoAFileThatExistsAndMakesNone) {
  const TemporaryDirectory directory;
  make_file(directory / "attribute", "0000");
  write_text(directory / "attribute", "1");
  EXPECT_EQ(read_text(directory / "attribute"), "1000");
  EXPECT_THROW(write_text(directory / "absent", "1"), Failure);
  EXPECT_FALSE(path_exists(directory / "absent"));
}

TEST(WriteText, SaysWhatCouldNotBeWrittenWhere) {
  const std::string text = failure_text([] { write_text("/dev/full", "some text"); });
  EXPECT_EQ(text, "cannot write 'some text' to '/dev/full': No space left on device (ENOSPC)");
}

TEST(PathExists, SeesADanglingLink) {
  const TemporaryDirectory directory;
  boost::filesystem::create_symlink("nowhere", directory / "link");
  EXPECT_TRUE(path_exists(directory / "link"));
  EXPECT_FALSE(path_exists(directory / "nowhere"));
}

}  // namespace
}  // namespace tcmufs
