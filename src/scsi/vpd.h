#pragma once

#include <optional>

#include "scsi/handler.h"
#include "scsi/page.h"

namespace tcmufs::scsi {

using VpdPage = Page<256>;

/// A vital product data page (SPC-4, SBC-3), whole; nothing if there is no such page.
std::optional<VpdPage> vital_product_data(u8 page_code, const Request& request);

}  // namespace tcmufs::scsi
