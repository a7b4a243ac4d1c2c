#pragma once

#include <cstddef>

namespace tcmufs::test {

/// How often this program has called operator new.
std::size_t allocations() noexcept;

}  // namespace tcmufs::test
