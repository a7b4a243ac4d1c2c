#pragma once

#include <gtest/gtest.h>

#include <string>

#include "mountctl/refusal.h"

namespace tcmufs::mountctl {

/// The sentence with which `action` is refused; the test fails if it is not, or with another exit status.
template <typename Action>
std::string refused(ExitStatus status, Action action) {
  try {
    action();
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.status(), status) << refusal.what();
    return refusal.what();
  }
  ADD_FAILURE() << "not refused";
  return {};
}

}  // namespace tcmufs::mountctl
