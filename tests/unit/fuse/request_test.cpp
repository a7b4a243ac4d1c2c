#include "fuse/request.h"

#include <gtest/gtest.h>
#include <linux/fuse.h>

#include <cstring>
#include <vector>

namespace tcmufs::fuse {

namespace {

std::vector<std::byte> request(u32 opcode, u64 handle) {
  fuse_in_header header{};
  header.opcode = opcode;
  fuse_release_in release{};
  release.fh = handle;
  std::vector<std::byte> bytes(sizeof header + sizeof release);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, &release, sizeof release);
  return bytes;
}

}  // namespace

TEST(Request, AReleaseNamesItsHandle) {
  EXPECT_EQ(released_handle(request(FUSE_RELEASE, 77)), 77U);
}

TEST(Request, OthersReleaseNothing) {
  EXPECT_FALSE(released_handle(request(FUSE_FLUSH, 77)));
  EXPECT_FALSE(released_handle(request(FUSE_RELEASEDIR, 77)));
}

TEST(Request, ATruncatedOneReleasesNothing) {
  auto bytes = request(FUSE_RELEASE, 77);
  bytes.pop_back();
  EXPECT_FALSE(released_handle(bytes));
  EXPECT_FALSE(released_handle({}));
}

}  // namespace tcmufs::fuse
