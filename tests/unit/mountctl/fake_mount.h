#pragma once

#include <boost/filesystem.hpp>
#include <cstdint>
#include <fstream>
#include <string>

#include "support/temporary_directory.h"

namespace tcmufs::mountctl {

/// A temporary directory to write files into.
class FileTree : public test::TemporaryDirectory {
 public:
  /// Makes a file and the directories above it.
  void write(const std::string& name, const std::string& text) const {
    make_directory(boost::filesystem::path(name).parent_path().string());
    std::ofstream(*this / name) << text;
  }
  void make_directory(const std::string& name) const { boost::filesystem::create_directories(*this / name); }
  void link(const std::string& target, const std::string& name) const {
    boost::filesystem::create_symlink(target, *this / name);
  }
  bool has(const std::string& name) const { return boost::filesystem::exists(*this / name); }
  std::uintmax_t size_of(const std::string& name) const { return boost::filesystem::file_size(*this / name); }
};

/// Ordinary files that look like a mount: what mountctl would find at one moment.
class FakeMount : public FileTree {
 public:
  FakeMount() { status(R"({"format":1,"version":"0.1.0","pid":1,"store":"/store","volumes":[]})"); }

  void status(const std::string& json) const { write(".ctl/status.json", json); }

  /// The file .ctl/vol/NAME/FILE.
  void control(const std::string& name, const std::string& file, const std::string& text) const {
    write(".ctl/vol/" + name + "/" + file, text);
  }

  /// A volume with an image of `size` bytes.
  void volume(const std::string& name, std::uintmax_t size, const std::string& state) const {
    write(name, "");
    boost::filesystem::resize_file(*this / name, size);
    control(name, "state", state + "\n");
  }
};

}  // namespace tcmufs::mountctl
