#pragma once

#include <ostream>
#include <string>

namespace tcmufs::mountctl {

struct ListOptions {
  bool json = false;
  bool human = false;  // sizes like 10G; JSON has bytes always
  bool colour = false;
};

void list_volumes(const std::string& mount, const ListOptions& options, std::ostream& out);

}  // namespace tcmufs::mountctl
