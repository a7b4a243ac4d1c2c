#include "mountctl/command_explain.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <boost/filesystem.hpp>
#include <nlohmann/json.hpp>

#include "mountctl/control_file.h"
#include "mountctl/mount_point.h"
#include "mountctl/refusal.h"
#include "mountctl/size_text.h"
#include "mountctl/volume_list.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

namespace fs = boost::filesystem;
using Json = nlohmann::ordered_json;

struct Found {
  std::string mount;
  std::string store;
  Json volume;
};

std::string text_of(const Json& volume, const char* key) {
  const auto found = volume.find(key);
  return found != volume.end() && found->is_string() ? found->get<std::string>() : "";
}

/// The disks below `device`: what a partition is part of, what a stacked device lies on, and itself.
void collect_disks(const fs::path& sys, const std::string& device, std::vector<std::string>& names) {
  if (std::ranges::find(names, device) != names.end()) return;
  names.push_back(device);
  boost::system::error_code error;
  const fs::path directory = fs::canonical(sys / "class" / "block" / device, error);
  if (error) return;
  if (fs::exists(directory / "partition", error)) {
    collect_disks(sys, directory.parent_path().filename().string(), names);
  }
  for (fs::directory_iterator slave(directory / "slaves", error), end; !error && slave != end;
       slave.increment(error)) {
    collect_disks(sys, slave->path().filename().string(), names);
  }
}

/// What explain can tell a volume by.
struct Marks {
  std::vector<std::string> devices;  // "/dev/sda"
  std::string path;                  // resolved; empty: the subject is no path of a file
  std::string name;
  int error = 0;  // why it is no path
};

bool is_meant(const Found& found, const Marks& marks) {
  const auto is_device = [&](const char* key) {
    const std::string device = text_of(found.volume, key);
    return !device.empty() && std::ranges::find(marks.devices, device) != marks.devices.end();
  };
  const std::string name = text_of(found.volume, "name");
  return name == marks.name || is_device("device") || is_device("sg") ||
         (!marks.path.empty() &&
          (marks.path == found.mount + "/" + name || marks.path == found.store + "/" + name));
}

Marks marks_of(const std::string& subject, const ExplainPlaces& places) {
  Marks marks;
  std::optional<std::string> device = places.device_name(subject);
  boost::system::error_code error;
  const fs::path path = fs::canonical(subject, error);
  if (!device && !error) {
    marks.path = path.string();
    const auto source = source_mounted_on(marks.path, places.mountinfo);
    if (source) device = places.device_name(*source);
  }
  if (!device && error) {
    marks.name = subject;
    marks.error = error.value();
  }
  if (!device) return marks;
  std::vector<std::string> names;
  collect_disks(places.sys, *device, names);
  for (const std::string& name : names) marks.devices.push_back("/dev/" + name);
  return marks;
}

/// "LUN 0 of the SCSI target 2:0:1", from H:C:T:L; empty if the kernel does not say.
std::string address_of(const std::string& device, const ExplainPlaces& places) {
  if (device.empty()) return {};
  boost::system::error_code error;
  const fs::path link = fs::path(places.sys) / "class" / "block" / fs::path(device).filename() / "device";
  return fs::canonical(link, error).filename().string();
}

std::string joined(const Json& parts) {
  std::string text;
  for (const Json& part : parts) text += (text.empty() ? "" : ", ") + part.get<std::string>();
  return text;
}

void print_sentences(const Found& found, const std::string& subject, const std::string& address,
                     std::ostream& out) {
  const Json& volume = found.volume;
  const std::string name = text_of(volume, "name");
  const u64 size_bytes = volume.value("size", u64{0});
  out << subject << " is the volume " << tcmufs::quoted(name) << " of the mount "
      << tcmufs::quoted(found.mount) << ". Its state is " << text_of(volume, "state") << ", its size "
      << human_size(size_bytes) << " (" << size_bytes << " bytes).\n";
  out << "Its image is " << tcmufs::quoted(found.store + "/" + name) << ", in the store "
      << tcmufs::quoted(found.store) << ".\n";
  const std::string device = text_of(volume, "device");
  if (device.empty()) {
    out << "It is no disk now.\n";
  } else {
    out << "Its disk is " << device;
    if (!text_of(volume, "sg").empty()) out << ", " << text_of(volume, "sg");
    out << ", " << text_of(volume, "link");
    const auto colon = address.rfind(':');
    if (colon != std::string::npos)
      out << ": LUN " << address.substr(colon + 1) << " of the SCSI target " << address.substr(0, colon);
    out << ".\n";
  }
  out << "Its uuid is " << text_of(volume, "uuid") << ", its wwn " << text_of(volume, "wwn") << ".\n";
  const std::string holders = joined(volume.value("holders", Json::array()));
  out << (holders.empty() ? "Nobody uses it" : "It is " + holders) << ".\n";
  const std::string last_error = text_of(volume, "last_error");
  if (!last_error.empty()) out << "Last error: " << last_error << "\n";
}

/// The volumes of all mounts; the mounts that do not answer are added to `silent`.
std::vector<Found> volumes_of(const std::vector<std::string>& mounts, std::string& silent) {
  std::vector<Found> volumes;
  for (const std::string& mount : mounts) {
    try {
      const Json status = Json::parse(read_control(mount, status_json_path(mount)));
      for (const Json& volume : status.at("volumes")) {
        volumes.push_back({mount, status.value("store", ""), volume});
      }
    } catch (const Failure& failure) {  // one that is dead does not keep the others from being looked at
      silent += std::string(". But ") + failure.what();
    } catch (const Json::exception& error) {
      silent += ". But " + tcmufs::quoted(mount) + " cannot be understood: " + error.what();
    }
  }
  return volumes;
}

}  // namespace

std::optional<std::string> system_device_name(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0 || (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode))) return std::nullopt;
  boost::system::error_code error;
  const std::string link = std::string("/sys/dev/") + (S_ISBLK(st.st_mode) ? "block" : "char") + "/" +
                           std::to_string(major(st.st_rdev)) + ":" + std::to_string(minor(st.st_rdev));
  const std::string name = fs::canonical(link, error).filename().string();
  if (error) return std::nullopt;
  return name;
}

void explain(const std::vector<std::string>& mounts, const std::string& subject, bool json,
             const ExplainPlaces& places, std::ostream& out) {
  const Marks marks = marks_of(subject, places);
  std::string silent;
  const std::vector<Found> volumes = volumes_of(mounts, silent);
  const auto found =
      std::ranges::find_if(volumes, [&](const Found& volume) { return is_meant(volume, marks); });
  if (found == volumes.end() && marks.error != 0) {
    throw Failure(marks.error, "cannot explain " + tcmufs::quoted(subject) +
                                   ", which is the name of no volume" + silent +
                                   (silent.empty() ? ", as a path" : ". As a path"));
  }
  if (found == volumes.end()) {
    throw Refusal(
        ExitStatus::failed,
        tcmufs::quoted(subject) + " is none of ours: no volume of " +
            (mounts.size() == 1 ? "the mount" : "the " + std::to_string(mounts.size()) + " mounts") +
            " of tcmufs is, or is below, what it names" + silent);
  }
  const std::string address = address_of(text_of(found->volume, "device"), places);
  if (!json) {
    print_sentences(*found, subject, address, out);
    return;
  }
  Json object = {{"subject", subject},
                 {"mount", found->mount},
                 {"store", found->store},
                 {"image", found->store + "/" + text_of(found->volume, "name")},
                 {"scsi_address", address}};
  object.update(found->volume);
  out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

}  // namespace tcmufs::mountctl
