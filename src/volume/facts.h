#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sys/integers.h"
#include "sys/uuid.h"
#include "volume/settings.h"

namespace tcmufs::volume {

enum class State { draft, pending, attaching, ready, resizing, paused, failed, detaching };

/// The one word that users see.
std::string_view state_name(State state);

/// Everything status files say of a volume: a copy, taken without waiting for anything.
struct Facts {
  std::string path;
  State state = State::pending;
  u64 size_bytes = 0;
  Settings settings;
  Uuid uuid;
  std::string device;                // "/dev/sda" while there is one
  std::string sg;                    // "/dev/sg0"
  std::string link;                  // "/dev/tcmufs/db0"
  std::string target;                // what it is attached to in place; empty: an image in the store
  std::string engine;                // what does its I/O: "io_uring", "threads"; while there is a disk
  std::vector<std::string> holders;  // who uses the disk, in words
  std::string last_error;
};

/// What the store and the daemon are, for status.json.
struct Service {
  std::string version;
  int pid = 0;
  std::string store;
  std::string mount_point;
};

/// The table of the file `status`; names are relative to `directory` ("": all).
std::string status_table(const std::vector<Facts>& volumes, const std::string& directory);
/// The same as JSON: .ctl/status.json.
std::string status_json(const Service& service, const std::vector<Facts>& volumes);
/// .ctl/vol/PATH/FILE; throws Failure (ENOENT) for a file that is none.
std::string volume_file(const Facts& facts, const std::string& file);

}  // namespace tcmufs::volume
