#include "mountctl/last_error.h"

#include <utility>

#include "mountctl/control_file.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

LastError::LastError(std::string mount, std::string name)
    : mount_(std::move(mount)), name_(std::move(name)), before_(read()) {}

LastError::Sentences LastError::read() const {
  return {control_line(mount_, name_, "last_error").value_or(""),
          control_line(mount_, "last_error").value_or("")};
}

Refusal LastError::refusal(const std::string& attempt, int error) const {
  const Sentences now = read();
  const std::string word = errno_name(error);
  const auto has = [](const std::string& sentence, const std::string& part) {
    return sentence.find(part) != std::string::npos;
  };
  std::string sentence;
  if (!now.volume.empty() && (now.volume != before_.volume || has(now.volume, word))) {
    sentence = now.volume;
  } else if (now.mount != before_.mount || (has(now.mount, word) && has(now.mount, quoted(name_)))) {
    sentence = now.mount;
  }
  if (sentence.empty())
    return Refusal(ExitStatus::failed, Failure(error, attempt, advice_for(mount_, error)).what());
  return Refusal(ExitStatus::failed,
                 attempt + ": " + sentence + (has(sentence, word) ? "" : " (" + word + ")"));
}

}  // namespace tcmufs::mountctl
