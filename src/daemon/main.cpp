#include <cstdio>
#include <exception>

#include "daemon/background.h"
#include "daemon/cleanup.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "daemon/service.h"
#include "lio/configfs.h"
#include "volume/doctor.h"

namespace {

int doctor(const std::string& store) {
  tcmufs::lio::Configfs tree;
  const auto findings = tcmufs::volume::examine(tree, store);
  std::fputs(tcmufs::volume::doctor_text(findings).c_str(), stdout);
  return tcmufs::volume::must_be_fixed(findings) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace tcmufs::daemon;
  const Options options = parse_command_line(argc, argv);
  try {
    if (options.cleanup) return clean_up(options);
    if (options.doctor) return doctor(options.store);
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
