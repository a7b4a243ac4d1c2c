#include "mountctl/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "mountctl/refusal.h"
#include "mountctl/words.h"

namespace tcmufs::mountctl {

std::function<void()> parse_command_line(std::vector<std::string> arguments) {
  Choice choice;
  CLI::App app("Disks that are files: manages a mount of tcmufs.", "mountctl");
  app.set_version_flag("--version", "mountctl " TCMUFS_VERSION);
  app.add_option("--mount", choice.values.mount, "The mount to work on; needed only where there are several")
      ->type_name("MNT");
  app.require_subcommand(0, 1);  // none: refused below, in words
  app.fallthrough();
  app.footer(
      "Exit status: 0 done, 1 refused or failed (a sentence on standard error says why),\n"
      "2 wrong usage, 3 timed out. 'mountctl COMMAND --help' explains a command; see also mountctl(8).");
  add_mount_words(app, choice);
  add_looking_words(app, choice);
  add_watching_words(app, choice);
  add_changing_words(app, choice);
  add_setting_words(app, choice);

  std::reverse(arguments.begin(), arguments.end());  // the order in which the parser takes them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return [text = app.help()] { std::cout << text; };
  } catch (const CLI::CallForVersion& version) {
    return [text = std::string(version.what())] { std::cout << text << '\n'; };
  } catch (const CLI::ParseError& error) {
    throw Refusal(ExitStatus::usage, std::string(error.what()) + ". 'mountctl --help' shows how it is used");
  }
  if (choice.action == nullptr) {
    throw Refusal(ExitStatus::usage, "no command given. 'mountctl --help' shows those there are");
  }
  return [choice] { choice.action(choice.values); };
}

}  // namespace tcmufs::mountctl
