#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tcmufs::mountctl {

/// What the arguments (without the program's name) ask for, ready to be run once. Throws Refusal (usage).
std::function<void()> parse_command_line(std::vector<std::string> arguments);

}  // namespace tcmufs::mountctl
