#include "volume/record.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "sys/error.h"

namespace tcmufs::volume {

namespace {

constexpr u32 format_version = 1;

bool is_block_size(u32 bytes) {
  return bytes == 512 || bytes == 4096;
}

Record from_json(const nlohmann::json& json) {
  if (!json.is_object()) throw std::invalid_argument("its text is no object");
  static const std::string known[] = {"format", "uuid", "block_size", "physical_block_size", "lun"};
  for (const auto& item : json.items()) {
    if (std::find(std::begin(known), std::end(known), item.key()) == std::end(known)) {
      throw std::invalid_argument("the key " + quoted(item.key()) + " is unknown to this version of tcmufs");
    }
  }
  if (json.at("format").get<u32>() != format_version) {
    throw std::invalid_argument("its format is not " + std::to_string(format_version));
  }
  Record record;
  const auto uuid = Uuid::parse(json.at("uuid").get<std::string>());
  if (!uuid) throw std::invalid_argument("its uuid is none");
  record.uuid = *uuid;
  record.block_size_bytes = json.at("block_size").get<u32>();
  record.physical_block_size_bytes = json.at("physical_block_size").get<u32>();
  if (!is_block_size(record.block_size_bytes) || !is_block_size(record.physical_block_size_bytes) ||
      record.physical_block_size_bytes < record.block_size_bytes) {
    throw std::invalid_argument("its block sizes are none of 512/512, 512/4096, 4096/4096");
  }
  if (json.contains("lun")) record.lun = json.at("lun").get<u32>();
  return record;
}

}  // namespace

std::string Record::text() const {
  nlohmann::ordered_json json = {{"format", format_version},
                                 {"uuid", uuid.text()},
                                 {"block_size", block_size_bytes},
                                 {"physical_block_size", physical_block_size_bytes}};
  if (lun) json["lun"] = *lun;
  return json.dump(2) + "\n";
}

Record Record::parse(const std::string& text, const std::string& path) {
  try {
    return from_json(nlohmann::json::parse(text));
  } catch (const std::exception& error) {
    throw Failure(EBADMSG, "the record " + quoted(path) + " cannot be used, " + error.what(),
                  "Mend it, or remove it to give its image a new identity");
  }
}

}  // namespace tcmufs::volume
