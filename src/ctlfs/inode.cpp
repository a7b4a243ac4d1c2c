#include "ctlfs/inode.h"

namespace tcmufs::ctlfs {

Inode Inode::from(u64 number) {
  const u64 place = number - 1;
  return {place / kFacets, static_cast<Facet>(place % kFacets)};
}

u64 Inode::number() const {
  return 1 + node * kFacets + static_cast<u64>(facet);
}

Facet file_facet(Facet first, unsigned index) {
  return static_cast<Facet>(static_cast<unsigned>(first) + index);
}

unsigned file_index(Facet first, Facet facet) {
  return static_cast<unsigned>(facet) - static_cast<unsigned>(first);
}

}  // namespace tcmufs::ctlfs
