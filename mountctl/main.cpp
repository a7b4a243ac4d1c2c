#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "mountctl/command_line.h"
#include "mountctl/refusal.h"
#include "mountctl/umount_helper.h"

namespace {

using tcmufs::mountctl::ExitStatus;
using tcmufs::mountctl::Refusal;

/// What this program is called as: umount(8) runs it as its helper.
struct Front {
  std::string name = "mountctl";
  std::function<void()> (*parse)(std::vector<std::string>) = tcmufs::mountctl::parse_command_line;
  int (*status)(ExitStatus) = [](ExitStatus end) { return static_cast<int>(end); };
};

Front front_for(const std::string& program) {
  const std::string name = program.substr(program.rfind('/') + 1);
  if (!name.starts_with("umount.")) return {};
  return {name, tcmufs::mountctl::parse_umount_helper, tcmufs::mountctl::umount_helper_status};
}

int end_with(const Front& front, ExitStatus status, const char* sentence) {
  std::cerr << front.name << ": " << sentence << '\n';
  return front.status(status);
}

}  // namespace

int main(int argc, char** argv) {
  const Front front = front_for(argc > 0 ? argv[0] : "");
  try {
    front.parse(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc))();
    if (!std::cout.flush()) return end_with(front, ExitStatus::failed, "cannot write to standard output");
    return front.status(ExitStatus::done);
  } catch (const Refusal& refusal) {
    return end_with(front, refusal.status(), refusal.what());
  } catch (const std::exception& error) {
    return end_with(front, ExitStatus::failed, error.what());
  }
}
