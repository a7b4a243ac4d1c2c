#include "volume/statistics_text.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "volume/text_table.h"

namespace tcmufs::volume {

namespace {

using Json = nlohmann::ordered_json;

std::string with_decimals(double number, int decimals) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
  return {text.data(), static_cast<std::size_t>(length)};
}

double ratio(u64 of, u64 to) {
  return to == 0 ? 0 : static_cast<double>(of) / static_cast<double>(to);
}

template <typename Visit>
void for_each_operation(const StatisticsFigures& figures, Visit visit) {
  for (std::size_t i = 0; i < operation_count; ++i) {
    visit(std::string(operation_name(static_cast<Operation>(i))), figures.operations[i]);
  }
}

/// visit(LOWEST, END, COUNT) for each bucket that is not empty; END 0: there is none.
template <typename Visit>
void for_each_bucket(const OperationFigures& operation, Visit visit) {
  for (std::size_t i = 0; i < LatencyBuckets::count; ++i) {
    if (operation.histogram[i] == 0) continue;
    const bool last = i + 1 == LatencyBuckets::count;
    visit(LatencyBuckets::lower_bound(i), last ? 0 : LatencyBuckets::lower_bound(i + 1),
          operation.histogram[i]);
  }
}

std::string stats_text(const StatisticsFigures& figures) {
  std::vector<std::vector<std::string>> rows = {
      {"OPERATION", "COMMANDS", "BYTES", "ERRORS", "MEAN_US", "P50_US", "P99_US", "P999_US", "MAX_US"}};
  for_each_operation(figures, [&](const std::string& name, const OperationFigures& operation) {
    const u64 commands = operation.commands();
    const auto us = [&](double ns) { return commands == 0 ? "-" : with_decimals(ns / 1000, 1); };
    const auto percentile = [&](unsigned per_mille) {
      return us(static_cast<double>(operation.percentile_ns(per_mille)));
    };
    rows.push_back({name, std::to_string(commands), std::to_string(operation.bytes),
                    std::to_string(operation.errors), us(operation.mean_ns()), percentile(500),
                    percentile(990), percentile(999), us(static_cast<double>(operation.max_ns))});
  });
  return text_table(rows) + "\nin_flight: " + std::to_string(figures.in_flight) +
         "\nbatches: " + std::to_string(figures.batches) + "\nkicks: " + std::to_string(figures.kicks) +
         "\ncommands_per_kick: " + with_decimals(ratio(figures.commands(), figures.kicks), 2) + "\n";
}

std::string latency_text(const StatisticsFigures& figures) {
  std::vector<std::vector<std::string>> rows = {{"OPERATION", "FROM_NS", "BELOW_NS", "COMMANDS"}};
  for_each_operation(figures, [&](const std::string& name, const OperationFigures& operation) {
    for_each_bucket(operation, [&](u64 lowest, u64 end, u64 commands) {
      rows.push_back(
          {name, std::to_string(lowest), end == 0 ? "inf" : std::to_string(end), std::to_string(commands)});
    });
  });
  return text_table(rows);
}

std::string stats_json(const StatisticsFigures& figures) {
  Json json = {{"format", 1},
               {"in_flight", figures.in_flight},
               {"batches", figures.batches},
               {"kicks", figures.kicks},
               {"operations", Json::object()}};
  for_each_operation(figures, [&](const std::string& name, const OperationFigures& operation) {
    Json buckets = Json::array();
    for_each_bucket(operation, [&](u64 lowest, u64 end, u64 commands) {
      buckets.push_back(
          {{"from_ns", lowest}, {"below_ns", end == 0 ? Json() : Json(end)}, {"commands", commands}});
    });
    json["operations"][name] = {{"commands", operation.commands()},
                                {"bytes", operation.bytes},
                                {"errors", operation.errors},
                                {"time_ns", operation.time_ns},
                                {"p50_ns", operation.percentile_ns(500)},
                                {"p99_ns", operation.percentile_ns(990)},
                                {"p999_ns", operation.percentile_ns(999)},
                                {"max_ns", operation.max_ns},
                                {"latency", buckets}};
  });
  return json.dump(2) + "\n";
}

}  // namespace

bool is_statistics_file(const std::string& file) {
  return file == "stats" || file == "stats.json" || file == "latency";
}

std::string statistics_file(const StatisticsFigures& figures, const std::string& file) {
  if (file == "stats") return stats_text(figures);
  return file == "latency" ? latency_text(figures) : stats_json(figures);
}

}  // namespace tcmufs::volume
