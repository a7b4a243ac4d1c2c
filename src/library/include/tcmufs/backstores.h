#pragma once

#include <tcmufs/async_block_store.h>
#include <tcmufs/block_store.h>
#include <tcmufs/command.h>
#include <tcmufs/error.h>
#include <tcmufs/export.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

TCMUFS_BEGIN

/// A TCMU backstore of the kernel that somebody else has made, targetcli or a script, for a handler: its
/// dev_config is "HANDLER/CONFIG".
struct Backstore {
  std::string name{};  // of core/user_<hba>/<name>
  std::uint32_t hba = 0;
  std::string config{};  // CONFIG: what it is made of, in the handler's own words
  std::uint64_t size = 0;
  std::uint32_t block_size = 0;
};

/// What a backstore is served with: one of the stores, or a handler, with or without a store.
///
/// Initiators know of a store's write cache if the kernel's attribute emulate_write_cache is 1; otherwise it is
/// flushed after every write.
struct Served {
  std::shared_ptr<BlockStore> store{};
  std::shared_ptr<AsyncBlockStore> async_store{};
  std::shared_ptr<CommandHandler> handler{};
  unsigned threads = 1;  // as DeviceOptions::threads
  bool read_only = false;
};

/// Knows what the backstores of one handler are made of. Its functions are called by several threads.
class TCMUFS_API BackstoreHandler {
 public:
  BackstoreHandler() = default;
  BackstoreHandler(const BackstoreHandler&) = delete;
  BackstoreHandler& operator=(const BackstoreHandler&) = delete;
  virtual ~BackstoreHandler();

  /// Throws whatever says in words why there can be no backstore of `config`; targetcli asks before it makes
  /// one. Takes all of them unless overridden.
  virtual void check(const std::string& config);
  /// Opens what a backstore is made of; what it throws is told, and it is called again every two seconds.
  /// Called, too, when `config` is changed; what it had returned before is let go then.
  ///
  /// A store that is shorter than a backstore that has just been made is asked to BlockStore::resize(), also
  /// later, when the backstore grows. One that is shorter than a backstore that was there already is served as
  /// it is: what is missing may have been cut off. It is never made shorter.
  virtual Served open(const Backstore& backstore) = 0;
};

struct BackstoresOptions {
  std::string handler{};      // its name: "user:HANDLER" in targetcli
  std::string description{};  // of CONFIG, for targetcli's help
  /// Whether targetcli is to know the handler: by the D-Bus service org.kernel.TCMUService1, or through
  /// tcmu-runner, where that has the name.
  bool bus = true;
  /// Told in sentences what goes on and what does not, from some thread of the library, which must not be
  /// kept.
  std::function<void(const std::string& sentence)> on_event{};
};

/// Serves all backstores of a handler, those that are there and those that will be made, as long as it
/// lives. Then they stay as they are, with what is sent to them waiting (as long as their cmd_time_out
/// says), for the next one to go on with.
class TCMUFS_API Backstores {
 public:
  /// Throws Error: EINVAL (a name that no handler can have), EPERM, ENODEV (the kernel has no TCMU), EBUSY
  /// (another process is the handler of that name on the bus).
  static Backstores open(const BackstoresOptions& options, std::shared_ptr<BackstoreHandler> handler);

  Backstores(Backstores&& other) noexcept;
  Backstores& operator=(Backstores&& other) noexcept;
  Backstores(const Backstores&) = delete;
  Backstores& operator=(const Backstores&) = delete;
  /// Finishes what has been taken. Returns when nothing of a handler's is used any more.
  ~Backstores();

  /// Those that are being served now. Any thread.
  std::vector<Backstore> served() const;

 private:
  struct State;
  explicit Backstores(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

TCMUFS_END
