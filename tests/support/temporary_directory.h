#pragma once

#include <boost/filesystem.hpp>
#include <string>

namespace tcmufs::test {

/// A directory that exists as long as this does.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(
      const boost::filesystem::path& parent = boost::filesystem::temp_directory_path())
      : path_(parent / boost::filesystem::unique_path("tcmufs-test-%%%%-%%%%-%%%%")) {
    boost::filesystem::create_directories(path_);
  }
  ~TemporaryDirectory() {
    boost::system::error_code ignored;
    boost::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::string path() const { return path_.string(); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  boost::filesystem::path path_;
};

}  // namespace tcmufs::test
