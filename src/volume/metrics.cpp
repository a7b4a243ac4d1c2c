#include "volume/metrics.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

namespace tcmufs::volume {

namespace {

constexpr std::array states = {State::draft,    State::pending, State::attaching, State::ready,
                               State::resizing, State::paused,  State::failed,    State::detaching};

// Buckets of histograms end at each power of two of nanoseconds from the first (4 us) to the last (17 s).
constexpr unsigned first_exponent = 12;
constexpr unsigned last_exponent = 34;

bool is_utf8(const std::string& text) {
  try {
    static_cast<void>(nlohmann::json(text).dump());
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

std::string seconds(u64 ns) {
  constexpr u64 per_second = 1'000'000'000;
  std::array<char, 48> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%llu.%09llu", static_cast<unsigned long long>(ns / per_second),
                    static_cast<unsigned long long>(ns % per_second));
  return {text.data(), static_cast<std::size_t>(length)};
}

/// The samples of one family must stand together, below its description.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help,
              std::string_view unit = {}) {
    name_ = "tcmufs_" + std::string(name);
    text_ += "# TYPE " + name_ + " " + std::string(type) + "\n";
    if (!unit.empty()) text_ += "# UNIT " + name_ + " " + std::string(unit) + "\n";
    text_ += "# HELP " + name_ + " " + std::string(help) + "\n";
  }
  /// `suffix` as the type has it: "_total".
  void sample(std::string_view suffix, const std::string& labels, const std::string& value) {
    text_ += name_;
    text_ += suffix;
    if (!labels.empty()) text_ += "{" + labels + "}";
    text_ += " " + value + "\n";
  }
  std::string finished() && { return std::move(text_) + "# EOF\n"; }

 private:
  std::string name_;
  std::string text_;
};

std::string label(std::string_view name, const std::string& value) {
  return std::string(name) + "=\"" + label_value(value) + "\"";
}

std::string volume_label(const VolumeMetrics& volume) {
  return label("volume", volume.facts.path);
}

template <typename Value>
void for_each_volume(Exposition& text, std::string_view suffix, const std::vector<VolumeMetrics>& volumes,
                     Value value) {
  for (const VolumeMetrics& volume : volumes)
    text.sample(suffix, volume_label(volume), std::to_string(value(volume)));
}

/// visit(LABELS, FIGURES) for each operation of each volume.
template <typename Visit>
void for_each_operation(const std::vector<VolumeMetrics>& volumes, Visit visit) {
  for (const VolumeMetrics& volume : volumes) {
    for (std::size_t i = 0; i < operation_count; ++i) {
      const std::string name(operation_name(static_cast<Operation>(i)));
      visit(volume_label(volume) + "," + label("operation", name), volume.figures.operations[i]);
    }
  }
}

void add_mount(Exposition& text, const Service& service, const std::vector<VolumeMetrics>& volumes) {
  text.family("build_info", "gauge", "The daemon that serves the mount; always 1.");
  text.sample("",
              label("version", service.version) + "," + label("store", service.store) + "," +
                  label("mount", service.mount_point),
              "1");
  text.family("volumes", "gauge", "Volumes by state.");
  for (const State state : states) {
    const auto count =
        std::ranges::count(volumes, state, [](const auto& volume) { return volume.facts.state; });
    text.sample("", label("state", std::string(state_name(state))), std::to_string(count));
  }
}

void add_facts(Exposition& text, const std::vector<VolumeMetrics>& volumes) {
  text.family("volume_state", "gauge", "1 for the state that the volume is in, 0 for the others.");
  for (const VolumeMetrics& volume : volumes) {
    for (const State state : states) {
      text.sample("", volume_label(volume) + "," + label("state", std::string(state_name(state))),
                  volume.facts.state == state ? "1" : "0");
    }
  }
  text.family("volume_size_bytes", "gauge", "Size of the disk.", "bytes");
  for_each_volume(text, "", volumes, [](const auto& volume) { return volume.facts.size_bytes; });
  text.family("volume_allocated_bytes", "gauge", "What the image takes up in the store.", "bytes");
  for_each_volume(text, "", volumes, [](const auto& volume) { return volume.allocated_bytes; });
  text.family("volume_in_use", "gauge", "1 while the disk is mounted, swapped on or part of another.");
  for_each_volume(text, "", volumes, [](const auto& volume) { return volume.facts.holders.empty() ? 0 : 1; });
  text.family("volume_in_flight_commands", "gauge", "Commands taken from the ring and not finished.");
  for_each_volume(text, "", volumes, [](const auto& volume) { return volume.figures.in_flight; });
  text.family("volume_oldest_command_seconds", "gauge", "How long the oldest of them has been under way.",
              "seconds");
  for (const VolumeMetrics& volume : volumes)
    text.sample("", volume_label(volume), seconds(volume.oldest_ns));
}

void add_latencies(Exposition& text, const std::string& labels, const OperationFigures& operation) {
  u64 below = 0;
  std::size_t bucket = 0;
  for (unsigned exponent = first_exponent; exponent <= last_exponent; ++exponent) {
    const u64 end = u64{1} << exponent;
    for (; LatencyBuckets::lower_bound(bucket) < end; ++bucket) below += operation.histogram[bucket];
    text.sample("_bucket", labels + ",le=\"" + seconds(end - 1) + "\"", std::to_string(below));
  }
  for (; bucket < LatencyBuckets::count; ++bucket) below += operation.histogram[bucket];
  text.sample("_bucket", labels + ",le=\"+Inf\"", std::to_string(below));
  text.sample("_count", labels, std::to_string(below));
  text.sample("_sum", labels, seconds(operation.time_ns));
}

void add_counts(Exposition& text, const std::vector<VolumeMetrics>& volumes) {
  text.family("volume_commands", "counter", "Commands carried out.");
  for_each_operation(volumes, [&](const std::string& labels, const OperationFigures& operation) {
    text.sample("_total", labels, std::to_string(operation.commands()));
  });
  text.family("volume_command_bytes", "counter", "What commands that went well read, wrote or discarded.",
              "bytes");
  for_each_operation(volumes, [&](const std::string& labels, const OperationFigures& operation) {
    text.sample("_total", labels, std::to_string(operation.bytes));
  });
  text.family("volume_command_errors", "counter", "Commands that failed.");
  for_each_operation(volumes, [&](const std::string& labels, const OperationFigures& operation) {
    text.sample("_total", labels, std::to_string(operation.errors));
  });
  text.family("volume_command_duration_seconds", "histogram",
              "From taking a command from the ring to its end.", "seconds");
  for_each_operation(volumes, [&](const std::string& labels, const OperationFigures& operation) {
    add_latencies(text, labels, operation);
  });
  text.family("volume_batches", "counter", "How often the daemon found commands in the ring.");
  for_each_volume(text, "_total", volumes, [](const auto& volume) { return volume.figures.batches; });
  text.family("volume_kicks", "counter", "How often the daemon has told the kernel of answers.");
  for_each_volume(text, "_total", volumes, [](const auto& volume) { return volume.figures.kicks; });
}

}  // namespace

std::string label_value(const std::string& text) {
  const bool utf8 = is_utf8(text);
  std::string result;
  for (const char c : text) {
    if (c == '\\' || c == '"') {
      result += {'\\', c};
    } else if (c == '\n') {
      result += "\\n";
    } else if (!utf8 && (static_cast<unsigned char>(c) & 0x80) != 0) {
      constexpr std::string_view digits = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      result += {'\\', '\\', 'x', digits[byte >> 4], digits[byte & 0x0f]};
    } else {
      result += c;
    }
  }
  return result;
}

std::string metrics_text(const Service& service, const std::vector<VolumeMetrics>& volumes) {
  Exposition text;
  add_mount(text, service, volumes);
  add_facts(text, volumes);
  add_counts(text, volumes);
  return std::move(text).finished();
}

}  // namespace tcmufs::volume
