#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::volume {

/// What users choose about a disk. One table (settings.cpp) gives each its name, which is that of its control
/// file, of its mount option and of its key in the store, and the values it can have.
struct Settings {
  u32 block_size_bytes = 512;
  u32 physical_block_size_bytes = 4096;
  bool direct = false;                   // the image is read and written without the page cache
  u32 max_data_area_mb = 8;              // of the ring: what all commands under way may carry
  u32 cmd_ring_size_mb = 1;              // of the ring: the commands themselves
  u32 data_pages_per_blk = 16;           // the kernel gives the data area out in pieces of so many pages
  u32 queue_depth = 1024;                // commands the kernel sends before it waits for an answer
  u32 read_ahead_kb = 2048;              // what the kernel reads ahead of a sequential reader
  u32 poll_us = 500;                     // how long an empty ring is looked at, where polling pays; 0: never
  bool read_only = false;                // write-protected
  bool write_cache = true;               // what is acknowledged need not be stable before it is flushed
  bool discard = true;                   // UNMAP gives room back to the store
  u32 cmd_timeout_s = 0;                 // after which the kernel fails a command; 0: never
  u32 enospc_timeout_s = 60;             // how long writes wait for room in the store; 0: they fail at once
  std::string vendor = "TCMUFS";         // of INQUIRY
  std::string product = "Virtual Disk";  // of INQUIRY
  std::string serial;                    // unit serial number; empty: from the uuid

  bool operator==(const Settings&) const = default;
};

bool is_setting(const std::string& name);
std::vector<std::string> setting_names();
/// Whether it can be 0 or 1 and nothing else.
bool is_switch(const std::string& name);

/// The value as its control file shows it, without a newline. The name must be a setting's.
std::string setting_text(const Settings& settings, const std::string& name);

/// Whether a disk made with `from` can become one of `to` as it is, without being made anew.
bool only_tuned(const Settings& from, const Settings& to);

/// `settings` with another value for one, and with what must follow it (a physical block is never smaller
/// than a block). Throws Failure (EINVAL) for values there are not and for what does not fit the others;
/// `whose` is for the sentence: "'db0'".
Settings with_setting(Settings settings, const std::string& name, const std::string& value,
                      const std::string& whose);

using SettingValues = std::vector<std::pair<std::string, std::string>>;  // name, value

/// The same for several, in whatever order they stand; of several values for one the last counts.
Settings with_settings(Settings settings, const SettingValues& values, const std::string& whose);

/// `to` with the value that `from` has for one; all of `from` if that does not fit the others of `to`.
Settings with_setting_of(Settings to, const Settings& from, const std::string& name);

/// As keys of a JSON object.
void write_settings(nlohmann::ordered_json& json, const Settings& settings);
/// From a JSON object that may have other keys too, and need not have settings that have come later than its
/// format. Throws std::exception that says what is wrong.
Settings read_settings(const nlohmann::ordered_json& json);

}  // namespace tcmufs::volume
