// tcmufs-backstores: serves the backstores "user:tcmufs", as targetcli makes them. See tcmufs-backstores(8).

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <CLI/CLI.hpp>

#include "attach/handler_service.h"
#include "backstores/image.h"
#include "lio/kernel.h"
#include "sys/error.h"
#include "sys/protect.h"
#include "sys/quiet_thread.h"

namespace {

using namespace tcmufs;

constexpr auto description =
    "The absolute path of an image file or block device, such as /srv/images/disk.img. A file that is not "
    "there\n"
    "is made; it is sparse, and grows to the size of the backstore.";

void start_log() {
  auto logger = spdlog::stderr_logger_mt("tcmufs-backstores");
  logger->set_pattern("%H:%M:%S.%e %l: %v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void serve_until_signal(const std::string& handler, bool bus) {
  sigset_t ending;
  ::sigemptyset(&ending);
  ::sigaddset(&ending, SIGINT);
  ::sigaddset(&ending, SIGTERM);
  const SignalsBlocked blocked;
  const auto log = [](const std::string& sentence) noexcept { spdlog::info("{}", sentence); };
  protect_process(log);
  if (const std::string trouble = lio::prepare_kernel(); !trouble.empty()) log(trouble);
  backstores::Images images;
  const attach::HandlerService service(
      {.handler = {.name = handler,
                   .description = description,
                   .check = [&](const std::string& config) { images.check(config); }},
       .open_store = [&](const Backstore& backstore) { return images.open(backstore.config); },
       .report = log,
       .bus = bus});
  ::sd_notify(0, "READY=1");
  int signal = 0;
  ::sigwait(&ending, &signal);
  ::sd_notify(0, "STOPPING=1");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Serves the TCMU backstores of this machine whose dev_config is \"HANDLER/PATH\" from the image PATH: "
      "those that targetcli makes below /backstores/user:HANDLER. Runs until SIGTERM or ^C; the backstores "
      "stay.");
  app.set_version_flag("--version", "tcmufs-backstores " TCMUFS_VERSION);
  std::string handler = "tcmufs";
  bool no_bus = false;
  app.add_option("--handler", handler, "the name of the handler")
      ->capture_default_str()
      ->check([](const std::string& name) {
        return attach::Bus::good_name(name) ? "" : "use letters, digits and '_', and no digit first";
      });
  app.add_flag("--no-bus", no_bus, "do not tell targetcli by the system bus");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  start_log();
  try {
    serve_until_signal(handler, !no_bus);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tcmufs-backstores: %s\n", error.what());
    return 1;
  }
}
