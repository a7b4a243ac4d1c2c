#include "volume/backstores.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <sstream>

#include "lio/config_directory.h"
#include "lio/config_text.h"
#include "lio/directory.h"
#include "lio/disk_files.h"
#include "lio/hba.h"
#include "lio/keeper.h"
#include "lio/leftovers.h"
#include "sys/integers.h"
#include "sys/text_file.h"

namespace tcmufs::volume {

namespace {

const std::string lock_name = "/.tcmufs/lock";
constexpr u64 kill_signal = u64{1} << 8;  // SIGKILL, among those that are pending

bool has_kill(const std::string& mask) {
  u64 signals = 0;
  std::from_chars(mask.data(), mask.data() + mask.size(), signals, 16);
  return (signals & kill_signal) != 0;
}

}  // namespace

bool KernelBackstore::ours() const {
  return lio::keeper_of(dev_config, volume()).has_value();
}

std::string KernelBackstore::store() const {
  return lio::keeper_of(dev_config, volume()).value_or("");
}

std::string KernelBackstore::volume() const {
  return path.substr(path.rfind('/') + 1);
}

std::string KernelBackstore::uio_name() const {
  return "tcm-user/" + path.substr(std::string("core/user_").size()) + "/" + dev_config;
}

std::vector<KernelBackstore> kernel_backstores(lio::ConfigTree& tree) {
  std::vector<KernelBackstore> result;
  for (const std::string& hba : lio::user_hbas(tree)) {
    for (const std::string& name : lio::devices_of(tree, hba)) {
      KernelBackstore one{lio::below(hba, name), ""};
      if (lio::tolerating({ENOENT}, [&] { one.dev_config = lio::dev_config_of(tree, one.path); }))
        result.push_back(std::move(one));
    }
  }
  return result;
}

std::vector<std::string> process_numbers(const lio::KernelPlaces& places) {
  auto names = lio::names_in_if_there(places.proc);
  std::erase_if(names, [](const std::string& name) {
    return name.find_first_not_of("0123456789") != std::string::npos;
  });
  return names;
}

bool is_living(const lio::KernelPlaces& places, const std::string& process) {
  std::istringstream words(lio::text_if_there(places.proc + "/" + process + "/status"));
  for (std::string word; words >> word;) {
    std::string value;
    if (word == "State:" && words >> value && (value == "Z" || value == "X")) return false;
    if ((word == "SigPnd:" || word == "ShdPnd:") && words >> value && has_kill(value)) return false;
  }
  return true;
}

std::string shown_process(const lio::KernelPlaces& places, const std::string& process) {
  return process + " (" + lio::text_if_there(places.proc + "/" + process + "/comm") + ")";
}

Served find_served(const lio::KernelPlaces& places) {
  Served served;
  const std::string self = std::to_string(::getpid());
  for (const std::string& process : process_numbers(places)) {
    const std::string directory = places.proc + "/" + process + "/fd/";
    for (const std::string& fd : lio::names_in_if_there(directory)) {
      std::error_code gone;
      const std::string target = std::filesystem::read_symlink(directory + fd, gone).string();
      const bool uio = target.starts_with("/dev/uio");
      const bool lock = process != self && target.ends_with(lock_name);
      if ((!uio && !lock) || !is_living(places, process)) continue;
      const std::string file =
          uio ? places.sysfs + "/class/uio/" + target.substr(std::string("/dev/").size()) + "/name"
              : target.substr(0, target.rfind('/')) + "/uuid";
      (uio ? served.uio_names : served.stores)
          .emplace(lio::text_if_there(file), "process " + shown_process(places, process));
    }
  }
  return served;
}

}  // namespace tcmufs::volume
