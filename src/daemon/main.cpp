#include <cstdio>
#include <exception>

#include "daemon/background.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/service.h"

int main(int argc, char** argv) {
  using namespace tcmufs::daemon;
  const Options options = parse_command_line(argc, argv);
  try {
    Background background(options.foreground);
    try {
      return serve(options, background);
    } catch (const std::exception& error) {
      if (background.is_ready()) {
        log_warning(error.what());
      } else {
        background.tell(error.what());
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tcmufs: %s\n", error.what());
  }
  return 1;
}
