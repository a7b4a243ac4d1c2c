#include "mountctl/counters.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

using Json = nlohmann::ordered_json;

OperationCounters operation_of(const Json& object) {
  OperationCounters operation;
  operation.commands = object.value("commands", u64{0});
  operation.bytes = object.value("bytes", u64{0});
  operation.errors = object.value("errors", u64{0});
  for (const Json& bucket : object.value("latency", Json::array())) {
    const bool last = !bucket.contains("below_ns") || bucket.at("below_ns").is_null();
    operation.latency[bucket.at("from_ns").get<u64>()] = {last ? 0 : bucket.at("below_ns").get<u64>(),
                                                          bucket.at("commands").get<u64>()};
  }
  return operation;
}

OperationCounters difference(const OperationCounters& before, const OperationCounters& after) {
  if (after.commands < before.commands) return after;
  OperationCounters result = after;
  result.commands -= before.commands;
  result.bytes -= std::min(before.bytes, after.bytes);
  result.errors -= std::min(before.errors, after.errors);
  for (auto& [from_ns, bucket] : result.latency) {
    const auto old = before.latency.find(from_ns);
    if (old != before.latency.end()) bucket.commands -= std::min(old->second.commands, bucket.commands);
  }
  return result;
}

}  // namespace

VolumeCounters parse_counters(const std::string& text, const std::string& shown) {
  try {
    const Json document = Json::parse(text);
    VolumeCounters counters;
    counters.in_flight = document.at("in_flight").get<u64>();
    for (const auto& [name, operation] : document.at("operations").items()) {
      counters.operations[name] = operation_of(operation);
    }
    return counters;
  } catch (const Json::exception& error) {
    throw Refusal(ExitStatus::failed, quoted(shown) + " cannot be understood: " + error.what());
  }
}

VolumeCounters difference(const VolumeCounters& before, const VolumeCounters& after) {
  VolumeCounters result = after;
  for (auto& [name, operation] : result.operations) {
    const auto old = before.operations.find(name);
    if (old != before.operations.end()) operation = difference(old->second, operation);
  }
  return result;
}

OperationCounters sum_of(const VolumeCounters& counters) {
  OperationCounters sum;
  for (const auto& [name, operation] : counters.operations) {
    sum.commands += operation.commands;
    sum.bytes += operation.bytes;
    sum.errors += operation.errors;
    for (const auto& [from_ns, bucket] : operation.latency) {
      auto& total = sum.latency[from_ns];
      total.below_ns = bucket.below_ns;
      total.commands += bucket.commands;
    }
  }
  return sum;
}

std::optional<u64> percentile_ns(const OperationCounters& operation, unsigned per_mille) {
  u64 all = 0;
  for (const auto& [from_ns, bucket] : operation.latency) all += bucket.commands;
  if (all == 0) return std::nullopt;
  const u64 rank = std::max<u64>(1, (all * per_mille + 999) / 1000);
  u64 passed = 0;
  for (const auto& [from_ns, bucket] : operation.latency) {
    passed += bucket.commands;
    if (passed >= rank) return bucket.below_ns == 0 ? from_ns : bucket.below_ns - 1;
  }
  return std::nullopt;
}

}  // namespace tcmufs::mountctl
