#include "volume/doctor.h"

#include <algorithm>
#include <exception>
#include <string_view>

namespace tcmufs::volume {

namespace {

template <typename Check>
void add(std::vector<Finding>& findings, const std::string& topic, Check check) {
  try {
    for (Finding& finding : check()) findings.push_back(std::move(finding));
  } catch (const std::exception& error) {
    findings.push_back(
        {Finding::Grade::warn, topic, std::string("it could not be looked at: ") + error.what()});
  }
}

std::string_view grade_name(Finding::Grade grade) {
  switch (grade) {
    case Finding::Grade::ok:
      return "OK";
    case Finding::Grade::warn:
      return "WARN";
    case Finding::Grade::fix:
      break;
  }
  return "FIX";
}

}  // namespace

std::vector<Finding> examine(lio::ConfigTree& tree, const std::string& store, const DoctorPlaces& places) {
  std::vector<Finding> findings;
  add(findings, "modules", [&] { return examine_modules(places); });
  add(findings, "configfs", [&] { return examine_configfs(places); });
  if (tree.exists("core")) {
    add(findings, "others", [&] { return examine_others(tree, places); });
    add(findings, "leftovers", [&] { return examine_leftovers(tree, places); });
  }
  add(findings, "multipath", [&] { return examine_multipath(places); });
  add(findings, "udev", [&] { return examine_udev(places); });
  add(findings, "memory", [&] { return examine_memory(places); });
  if (!store.empty()) {
    add(findings, "store", [&] { return examine_store(store); });
    add(findings, "space", [&] { return examine_space(store); });
  }
  return findings;
}

std::string doctor_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += std::string(grade_name(finding.grade)) + " " + finding.topic + ": " + finding.sentence + "\n";
  }
  return text;
}

bool must_be_fixed(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings,
                             [](const Finding& finding) { return finding.grade == Finding::Grade::fix; });
}

}  // namespace tcmufs::volume
