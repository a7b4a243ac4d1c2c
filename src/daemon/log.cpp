#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>

namespace tcmufs::daemon {

void start_log(bool foreground) {
  auto logger = foreground ? spdlog::stderr_logger_mt("tcmufs")
                           : spdlog::syslog_logger_mt("tcmufs", "tcmufs", LOG_PID, LOG_DAEMON);
  logger->set_pattern(foreground ? "%H:%M:%S.%e %l: %v" : "%v");
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_warning(const std::string& sentence) {
  spdlog::warn("{}", sentence);
}
void log_info(const std::string& sentence) {
  spdlog::info("{}", sentence);
}

}  // namespace tcmufs::daemon
