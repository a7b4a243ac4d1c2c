#include "mountctl/command_top.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "mountctl/control_file.h"
#include "mountctl/screen.h"
#include "mountctl/size_text.h"
#include "mountctl/table.h"
#include "mountctl/volume_list.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {

namespace {

using Json = nlohmann::ordered_json;

std::optional<VolumeCounters> counters_of(const std::string& mount, const std::string& name) {
  const std::string path = control_path(mount, name, "stats.json");
  try {
    return parse_counters(read_text(path), path);
  } catch (const Failure& failure) {
    if (failure.error() == ENOENT || failure.error() == ESTALE) return std::nullopt;
    throw Failure(failure.error(), "cannot read " + quoted(path), advice_for(mount, failure.error()));
  }
}

const VolumeLook* find(const MountLook& look, const std::string& name) {
  const auto found =
      std::ranges::find_if(look.volumes, [&](const VolumeLook& volume) { return volume.name == name; });
  return found == look.volumes.end() ? nullptr : &*found;
}

std::string microseconds(const OperationCounters& operation, unsigned per_mille) {
  const auto ns = percentile_ns(operation, per_mille);
  if (!ns) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << static_cast<double>(*ns) / 1000;
  return text.str();
}

std::string rounded(double number) {
  return std::to_string(std::llround(number));
}

u64 bytes_of(const VolumeCounters& counters, const std::string& operation) {
  const auto found = counters.operations.find(operation);
  return found == counters.operations.end() ? 0 : found->second.bytes;
}

Json operation_json(const VolumeActivity& volume, const OperationCounters& operation) {
  const auto percentile = [&](unsigned per_mille) {
    const auto ns = percentile_ns(operation, per_mille);
    return ns ? Json(*ns) : Json();
  };
  return {{"commands_per_s", volume.per_second(operation.commands)},
          {"bytes_per_s", volume.per_second(operation.bytes)},
          {"errors_per_s", volume.per_second(operation.errors)},
          {"p50_ns", percentile(500)},
          {"p99_ns", percentile(990)}};
}

double seconds_between(const MountLook& before, const MountLook& after) {
  return std::max(std::chrono::duration<double>(after.time - before.time).count(), 1e-6);
}

void show_on_screen(const std::string& mount, const TopOptions& options) {
  Screen screen(options.keyboard, options.screen);
  MountLook before = look_at(mount);
  std::vector<VolumeActivity> volumes = activities(before, before);
  for (;;) {
    std::ostringstream title;
    title << mount << ": " << volumes.size() << (volumes.size() == 1 ? " volume" : " volumes") << ", every "
          << std::chrono::duration<double>(options.interval).count() << " s; q ends\n\n";
    const auto end = Deadline::after(options.interval);
    for (auto wake = Screen::Wake::resized; wake == Screen::Wake::resized; wake = screen.wait(end)) {
      screen.draw(title.str() + activity_table(volumes, options.colour));
    }
    if (screen.ended()) return;
    MountLook after = look_at(mount);
    volumes = activities(before, after);
    busiest_first(volumes);
    before = std::move(after);
  }
}

}  // namespace

MountLook look_at(const std::string& mount) {
  MountLook look{Deadline::Clock::now(), {}};
  for (const VolumeStatus& volume : read_mount_status(mount).volumes) {
    look.volumes.push_back({volume.name, volume.state, counters_of(mount, volume.name)});
  }
  return look;
}

std::vector<VolumeActivity> activities(const MountLook& before, const MountLook& after) {
  std::vector<VolumeActivity> result;
  for (const VolumeLook& volume : after.volumes) {
    VolumeActivity activity{volume.name, volume.state, seconds_between(before, after), {}};
    const VolumeLook* old = find(before, volume.name);
    if (volume.counters) activity.counters.in_flight = volume.counters->in_flight;
    if (old != nullptr && old->counters && volume.counters) {
      activity.counters = difference(*old->counters, *volume.counters);
    }
    result.push_back(std::move(activity));
  }
  return result;
}

void busiest_first(std::vector<VolumeActivity>& volumes) {
  std::ranges::stable_sort(volumes, [](const VolumeActivity& a, const VolumeActivity& b) {
    return sum_of(a.counters).commands > sum_of(b.counters).commands;
  });
}

std::string activity_table(const std::vector<VolumeActivity>& volumes, bool colour) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "STATE", "IOPS", "READ/S", "WRITE/S", "P50_US", "P99_US", "IN_FLIGHT"}};
  for (const VolumeActivity& volume : volumes) {
    const OperationCounters all = sum_of(volume.counters);
    const auto throughput = [&](const char* operation) {
      return human_size(
          static_cast<u64>(std::llround(volume.per_second(bytes_of(volume.counters, operation)))));
    };
    rows.push_back({volume.name, volume.state, rounded(volume.per_second(all.commands)), throughput("read"),
                    throughput("write"), microseconds(all, 500), microseconds(all, 990),
                    std::to_string(volume.counters.in_flight)});
  }
  return table_text(rows, colour);
}

std::string activity_json(const std::string& mount, double seconds,
                          const std::vector<VolumeActivity>& volumes) {
  Json json = {{"mount", mount}, {"seconds", seconds}, {"volumes", Json::array()}};
  for (const VolumeActivity& volume : volumes) {
    Json object = {{"name", volume.name}, {"state", volume.state}, {"in_flight", volume.counters.in_flight}};
    object.update(operation_json(volume, sum_of(volume.counters)));
    object["operations"] = Json::object();
    for (const auto& [name, operation] : volume.counters.operations) {
      object["operations"][name] = operation_json(volume, operation);
    }
    json["volumes"].push_back(std::move(object));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void show_top(const std::string& mount, const TopOptions& options, std::ostream& out) {
  if (!options.once && !options.json && ::isatty(options.screen) == 1) {
    show_on_screen(mount, options);
    return;
  }
  MountLook before = look_at(mount);
  do {
    std::this_thread::sleep_for(options.interval);
    MountLook after = look_at(mount);
    const auto volumes = activities(before, after);
    out << (options.json ? activity_json(mount, seconds_between(before, after), volumes)
                         : activity_table(volumes, options.colour))
        << std::flush;
    before = std::move(after);
  } while (!options.once && out);
}

}  // namespace tcmufs::mountctl
