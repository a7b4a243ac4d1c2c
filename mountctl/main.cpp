#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "mountctl/command_line.h"
#include "mountctl/refusal.h"

namespace {

using tcmufs::mountctl::ExitStatus;

int end_with(ExitStatus status, const char* sentence) {
  std::cerr << "mountctl: " << sentence << '\n';
  return static_cast<int>(status);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    tcmufs::mountctl::parse_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc))();
    if (!std::cout.flush()) return end_with(ExitStatus::failed, "cannot write to standard output");
    return static_cast<int>(ExitStatus::done);
  } catch (const tcmufs::mountctl::Refusal& refusal) {
    return end_with(refusal.status(), refusal.what());
  } catch (const std::exception& error) {
    return end_with(ExitStatus::failed, error.what());
  }
}
