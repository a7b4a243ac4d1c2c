#include "mountctl/command_doctor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <sstream>

#include "mountctl/refusal.h"
#include "mountctl/terminal.h"
#include "sys/error.h"
#include "sys/fd.h"
#include "sys/text_file.h"

namespace tcmufs::mountctl {

namespace {

using Json = nlohmann::ordered_json;

std::string read_to_end(const Fd& pipe) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(pipe.number(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

/// The standard output of `tcmufs --doctor`; its exit status is in what it says.
std::string ask_daemon(const std::string& daemon, const std::string& store) {
  std::vector<std::string> words{daemon, "--doctor"};
  if (!store.empty()) words.push_back(store);
  std::vector<char*> pointers = pointers_to(words);

  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  const Fd output(ends[0]);
  Fd input(ends[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.number(), STDOUT_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, words[0].c_str(), &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Failure(error, "cannot run " + tcmufs::quoted(words[0]));
  input.reset();
  std::string text = read_to_end(output);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (text.empty()) {  // its standard error has said why
    throw Refusal(ExitStatus::failed, tcmufs::quoted(words[0]) + " --doctor has found out nothing");
  }
  return text;
}

std::string findings_text(const std::string& mount, const std::string& store,
                          const std::function<std::string()>& daemon) {
  if (mount.empty() || !store.empty()) return ask_daemon(daemon(), store);
  try {
    return read_text(mount + "/.ctl/doctor");
  } catch (const Failure& failure) {
    if (failure.error() != ENOTCONN) throw;
    return ask_daemon(daemon(), store);
  }
}

}  // namespace

std::vector<Finding> parse_findings(const std::string& text) {
  std::vector<Finding> findings;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    const auto colon = line.find(": ", std::min(space, line.size()));
    const std::string level = line.substr(0, space);
    if ((level == "OK" || level == "WARN" || level == "FIX") && colon != std::string::npos) {
      findings.push_back({level, line.substr(space + 1, colon - space - 1), line.substr(colon + 2)});
    } else if (!line.empty()) {
      findings.push_back({"", "", line});
    }
  }
  return findings;
}

void show_findings(const std::vector<Finding>& findings, const DoctorOptions& options, std::ostream& out) {
  Json json = Json::array();
  for (const Finding& finding : findings) {
    if (options.json) {
      json.push_back({{"level", finding.level}, {"topic", finding.topic}, {"sentence", finding.sentence}});
      continue;
    }
    if (!finding.level.empty()) {
      out << (options.colour ? painted(finding.level, finding.level) : finding.level) << ' ' << finding.topic
          << ": ";
    }
    out << finding.sentence << '\n';
  }
  if (options.json) out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
  out << std::flush;
  const auto broken =
      std::ranges::count_if(findings, [](const Finding& finding) { return finding.level == "FIX"; });
  if (broken == 0) return;
  throw Refusal(ExitStatus::failed,
                broken == 1 ? "one thing is to be fixed: the line with FIX"
                            : std::to_string(broken) + " things are to be fixed: the lines with FIX");
}

void examine(const std::string& mount, const std::string& store, const DoctorOptions& options,
             std::ostream& out, const std::function<std::string()>& daemon) {
  show_findings(parse_findings(findings_text(mount, store, daemon)), options, out);
}

}  // namespace tcmufs::mountctl
