#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "sys/deadline.h"

namespace tcmufs::mountctl {

/// What stands on the command line, of all commands together.
struct Values {
  std::string mount;  // --mount
  std::string store;
  std::string directory;
  std::vector<std::string> options;
  std::vector<std::string> stores;  // of cleanup
  std::string name;
  std::string size;
  std::string block_size;
  std::string physical_block_size;
  std::string key;
  std::vector<std::string> settings;  // KEY=VALUE
  std::string subject;                // of explain
  std::string file;
  bool json = false;
  bool human = false;
  bool force = false;
  bool once = false;
  bool all = false;
  bool dry_run = false;
  bool allow_shrink = false;
  bool prune = false;
  double timeout_s = 60;
  double interval_s = 1;
};

/// The command that was given.
struct Choice {
  Values values;
  void (*action)(const Values&) = nullptr;
};

/// The commands of one kind, with their options.
void add_mount_words(CLI::App& app, Choice& choice);
void add_looking_words(CLI::App& app, Choice& choice);
void add_watching_words(CLI::App& app, Choice& choice);
void add_changing_words(CLI::App& app, Choice& choice);
void add_setting_words(CLI::App& app, Choice& choice);

CLI::App* add_word(CLI::App& app, Choice& choice, const char* name, const char* description,
                   void (*action)(const Values&));
void add_timeout(CLI::App& command, Values& values);
CLI::Option* add_name(CLI::App& command, Values& values);
void add_json(CLI::App& command, Values& values, const char* description);

/// The mount that is named, or the only one. Throws Refusal.
std::string the_mount(const Values& values);
/// Throws Refusal (usage) unless `seconds`, of the option `option`, are a time from `least_s` on.
Deadline::Clock::duration duration_of(double seconds, const char* option, double least_s);

}  // namespace tcmufs::mountctl
