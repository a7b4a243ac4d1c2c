#include "attach/backstore_values.h"

#include <charconv>

#include "device/checked_options.h"
#include "device/hash.h"
#include "lio/config_text.h"
#include "scsi/naa.h"
#include "sys/error.h"

namespace tcmufs::attach {

namespace {

constexpr std::size_t longest_serial = 64;

u64 number_in(lio::ConfigTree& tree, const std::string& path) {
  const std::string text = lio::read_value(tree, path);
  u64 number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  throw Failure(EPROTO, quoted(path) + " says " + quoted(text) + ", which is no number");
}

/// Up to `limit` printable characters.
std::string text_in(lio::ConfigTree& tree, const std::string& path, std::size_t limit) {
  std::string text = lio::read_value(tree, path);
  // Some attributes say first what they are: "T10 VPD Unit Serial Number: ...".
  if (const auto colon = text.rfind(": "); colon != std::string::npos) text.erase(0, colon + 2);
  std::erase_if(text, [](char c) { return c < 0x20 || c >= 0x7f; });
  if (text.ends_with(':')) text.clear();  // that alone: none is set
  if (text.size() > limit) text.resize(limit);
  return text;
}

}  // namespace

Backstore read_backstore(lio::ConfigTree& tree, const UioName& name) {
  const std::string path = name.backstore();
  return {.name = name.name,
          .hba = name.hba,
          .config = name.config(),
          .size = number_in(tree, path + "/attrib/dev_size"),
          .block_size = static_cast<u32>(number_in(tree, path + "/attrib/hw_block_size"))};
}

bool read_write_cache(lio::ConfigTree& tree, const UioName& name) {
  return number_in(tree, name.backstore() + "/attrib/emulate_write_cache") != 0;
}

bool is_exported(lio::ConfigTree& tree, const UioName& name) {
  return lio::read_value(tree, name.backstore() + "/statistics/scsi_tgt_dev/status") == "activated";
}

scsi::Identity read_identity(lio::ConfigTree& tree, const UioName& name) {
  const std::string wwn = name.backstore() + "/wwn/";
  scsi::Identity identity;
  identity.uuid = Uuid{device::hash_of(device::machine_id() + "\n" + name.backstore())};
  identity.vendor = text_in(tree, wwn + "vendor_id", 8);
  // The kernel has no product and no revision until somebody sets them.
  identity.product = text_in(tree, wwn + "product_id", 16);
  if (identity.product.empty()) identity.product = name.name.substr(0, 16);
  if (const std::string revision = text_in(tree, wwn + "revision", 4); !revision.empty())
    identity.revision = revision;
  identity.serial = text_in(tree, wwn + "vpd_unit_serial", longest_serial);
  if (!identity.serial.empty()) identity.naa = scsi::naa_of_serial(identity.serial);
  return identity;
}

}  // namespace tcmufs::attach
