#pragma once

#include <tcmufs/export.h>

#include <string>
#include <system_error>

TCMUFS_BEGIN

/// Why something could not be done: code() is an errno value, what() a sentence for a person, which names
/// what was tried, where, and what to do about it.
class TCMUFS_API Error : public std::system_error {
 public:
  Error(int error, const std::string& sentence);
  ~Error() override;

  const char* what() const noexcept override { return sentence_.c_str(); }

 private:
  std::string sentence_;
};

TCMUFS_END
