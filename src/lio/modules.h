#pragma once

#include <memory>
#include <string>

struct kmod_ctx;

namespace tcmufs::lio {

/// The modules of the running kernel. Not thread-safe.
class Modules {
 public:
  /// `directory` empty: /lib/modules/<release>. Throws Failure.
  explicit Modules(const std::string& directory);

  enum class State { missing, loadable, present };

  /// Present: built in, or loaded.
  State state(const std::string& name) const;

  /// Loads it and what it depends on, as modprobe does; 0 or an errno value.
  int load(const std::string& name) const;

 private:
  struct Release {
    void operator()(kmod_ctx* context) const noexcept;
  };
  std::unique_ptr<kmod_ctx, Release> context_;
};

}  // namespace tcmufs::lio
