#pragma once

#include <array>

#include "disk.h"

namespace tcmufs::model {

/// The disks that are tried.
inline constexpr std::array formats = {
    Format{"512/512", 512, 512, 1200, 4096},
    Format{"512/4096", 512, 4096, 1201, 4096},
    Format{"4096/4096", 4096, 4096, 150, 4096},
    Format{"4096/4096 over small granules", 4096, 4096, 100, 1024},
    Format{"512/4096 over large granules", 512, 4096, 1500, 65536},
    Format{"1 block", 512, 512, 1, 4096},
    Format{"1 block of 4096", 4096, 65536, 1, 4096},
    Format{"7 blocks", 512, 4096, 7, 4096},
    Format{"2 TiB and a little", 512, 4096, (u64{1} << 32) + 3, 4096},
    Format{"16 TiB less a block", 4096, 4096, (u64{1} << 32) - 1, 4096},
    Format{"8 EiB less a little", 512, 512, (u64{1} << 54) - 9, 65536},
};

}  // namespace tcmufs::model
