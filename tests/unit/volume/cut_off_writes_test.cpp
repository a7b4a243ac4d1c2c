// Writes and copies that end midway, as in a store that is full.

#include <unistd.h>

#include "registry_fixture.h"
#include "support/file_size_limit.h"

namespace tcmufs::volume {
namespace {

class CutOffWrites : public RegistryTest {
 protected:
  /// As far as it has got it is a disk.
  static void is_a_disk_of_what_there_is(ctlfs::Volume& volume) {
    EXPECT_EQ(volume.attributes().size_bytes, mib);
    EXPECT_EQ(volume.control("size"), "1048576\n");
    volume.attach();
    EXPECT_EQ(state(volume), "ready\n");
  }
};

TEST_F(CutOffWrites, OfAProgramLeaveTheSizeThatTheImageHas) {
  const auto volume = create("db0");
  {
    const test::FileSizeLimit limit(mib);
    refusal([&] { write(*volume, 0, std::string(2 * mib, 'x'), maker); }, EFBIG);
  }
  is_a_disk_of_what_there_is(*volume);
}

TEST_F(CutOffWrites, OfACopyLeaveTheSizeThatTheImageHas) {
  const auto from = create("from");
  write(*from, 0, std::string(2 * mib, 'x'), maker);
  const auto to = create("to");
  {
    const test::FileSizeLimit limit(mib);
    refusal([&] { to->copy_from(*from, 0, 0, 2 * mib, maker); }, EFBIG);
  }
  is_a_disk_of_what_there_is(*to);
}

TEST_F(CutOffWrites, InsideAnImageLeaveItAsLongAsItIs) {
  const auto volume = create("db0", 2 * mib);
  {
    const test::FileSizeLimit limit(mib);
    refusal([&] { write(*volume, 0, std::string(2 * mib, 'x'), maker); }, EFBIG);
  }
  EXPECT_EQ(volume->control("size"), "2097152\n");
}

}  // namespace
}  // namespace tcmufs::volume
