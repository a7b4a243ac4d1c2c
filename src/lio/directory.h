#pragma once

#include <string>
#include <vector>

namespace tcmufs::lio {

/// Names in a directory, sorted, without . and ..; throws Failure that names it.
std::vector<std::string> names_in(const std::string& path);

/// As names_in, for directories of processes and devices that come and go: none if it cannot be read.
std::vector<std::string> names_in_if_there(const std::string& path);

}  // namespace tcmufs::lio
