#include "attach/attachment.h"

#include <poll.h>

#include <array>
#include <cerrno>

#include "attach/backstore_values.h"
#include "lio/config_text.h"
#include "sys/deadline.h"
#include "sys/error.h"
#include "sys/quiet_thread.h"
#include "volume/statistics.h"

namespace tcmufs::attach {

namespace {

constexpr std::chrono::milliseconds first_retry{2'000};
constexpr std::chrono::milliseconds longest_retry{60'000};
// The kernel sets an attribute after it has told of it.
constexpr auto attribute_patience = std::chrono::seconds(1);

/// The errno value of what has been thrown, and the sentence. Within a handler only.
std::pair<int, std::string> thrown() {
  try {
    throw;
  } catch (const std::system_error& error) {
    return {error.code().value() > 0 ? error.code().value() : EIO, error.what()};
  } catch (const std::bad_alloc&) {
    return {ENOMEM, "there is not enough memory"};
  } catch (const std::exception& error) {
    return {EIO, error.what()};
  } catch (...) {
    return {EIO, "something was thrown that is no exception of C++"};
  }
}

}  // namespace

/// The unit, and the thread that serves it, as long as there is something to serve.
struct Attachment::Service {
  Service(volume::Doorbell& doorbell, const Opened& opened, scsi::Identity identity,
          const Backstore& backstore, bool write_cache, std::function<void(const std::string&)> failed)
      : unit(std::move(identity), {.block_size_bytes = backstore.block_size,
                                   .physical_block_size_bytes = std::max(4096U, backstore.block_size),
                                   .size_bytes = backstore.size,
                                   .read_only = opened.read_only,
                                   .allocation_unit_bytes = opened.store->allocation_unit_bytes(),
                                   .write_cache = write_cache,
                                   .thin = opened.thin}),
        engine(opened.make_engine(unit, *opened.store)),
        server(doorbell, unit, *engine, statistics, std::move(failed)) {}

  scsi::LogicalUnit unit;
  volume::Statistics statistics;
  std::unique_ptr<volume::Engine> engine;
  volume::Server server;
};

Attachment::Attachment(const Surroundings& surroundings, UioDevice device, std::optional<Notice> added)
    : surroundings_(surroundings),
      device_(std::move(device)),
      path_(device_.name.backstore()),
      event_(make_event()),
      is_new_(added.has_value()),
      retry_after_(first_retry) {
  thread_ = quiet_thread([this, added = std::move(added)] { run(added); });
}

Attachment::~Attachment() {
  stopping_ = true;
  raise_event(event_.number());
  thread_.join();
}

void Attachment::post(Notice notice) {
  if (notice.kind == Notice::Kind::removed) removed_ = true;
  {
    const std::lock_guard held(mutex_);
    notices_.push_back(std::move(notice));
  }
  raise_event(event_.number());
}

std::optional<Backstore> Attachment::served() const {
  const std::lock_guard held(mutex_);
  return backstore_;
}

std::optional<Notice> Attachment::next_notice() {
  const std::lock_guard held(mutex_);
  if (notices_.empty()) return std::nullopt;
  Notice notice = std::move(notices_.front());
  notices_.pop_front();
  return notice;
}

void Attachment::run(const std::optional<Notice>& added) noexcept {
  const int first = attach(added.has_value());
  if (added) surroundings_.answer(*added, first);
  bool there = true;
  while (there && !stopping_) {
    clear_event(event_.number());
    while (auto notice = next_notice()) {
      there = there && notice->kind != Notice::Kind::removed;
      const int status = handle(*notice);
      surroundings_.answer(*notice, status);
      if (status != 0) take_back(*notice);
    }
    const Wake woken = there && !stopping_ ? wait() : Wake::notice;
    if (woken == Wake::command) begin();
    if (woken == Wake::retry) there = try_again();
  }
  leave();
  ended_ = true;
}

/// False: it has gone, without a notice. Of one whose creation was refused there is none.
bool Attachment::try_again() noexcept {
  const auto name = surroundings_.name_of(device_.minor);
  if (!name || name->backstore() != path_) removed_ = true;
  if (!removed_) attach(false);
  return !removed_;
}

Attachment::Wake Attachment::wait() noexcept {
  const bool looks = doorbell_ && !service_;
  const int timeout_ms = doorbell_ ? -1 : static_cast<int>(retry_after_.count());
  std::array<pollfd, 2> watched{{{event_.number(), POLLIN, 0}, {looks ? doorbell_->fd() : -1, POLLIN, 0}}};
  const int count = ::poll(watched.data(), watched.size(), timeout_ms);
  if (count == 0) return Wake::retry;
  if (count < 0) return Wake::notice;
  if ((watched[1].revents & (POLLERR | POLLHUP)) == 0)
    return (watched[1].revents & POLLIN) != 0 ? Wake::command : Wake::notice;
  leave();  // it is gone; the notice of that comes, or is found missing
  return Wake::notice;
}

bool Attachment::still_there() {
  const auto name = surroundings_.name_of(device_.minor);
  if (!name || name->backstore() != path_ || name->handler() != device_.name.handler()) return false;
  device_.name = *name;
  return true;
}

/// `named`: it has just been told what the device is called. The errno of what stands in the way.
int Attachment::attach(bool named) noexcept {
  try {
    if (!named && !still_there()) return ENODEV;
    open();
    trouble_.clear();
  } catch (...) {
    const auto [error, sentence] = thrown();
    if (sentence != trouble_) report(sentence);
    trouble_ = sentence;
    return error;
  }
  report("is served");
  begin_if_exported();
  return 0;
}

void Attachment::open() {
  // Whoever has it keeps it: only then is the store opened.
  auto doorbell = surroundings_.open_doorbell(device_.name.text());
  Backstore backstore = read_backstore(surroundings_.tree, device_.name);
  Opened opened = surroundings_.open_store(backstore);
  said_size_ = backstore.size;
  if (is_new_) {
    grow_store(*opened.store, backstore.size);
  } else {
    const u64 there = size_there(*opened.store, backstore);
    if (there < backstore.size) {
      report("what it is made of has " + std::to_string(opened.store->size_bytes()) + " bytes and not " +
             std::to_string(backstore.size) +
             ", and is served as it is; to make it longer set its dev_size anew");
    }
    backstore.size = there;
  }
  doorbell_ = std::move(doorbell);
  opened_ = std::move(opened);
  is_new_ = false;
  const std::lock_guard held(mutex_);
  backstore_ = std::move(backstore);
}

// It may have been in use before there was anybody to notice.
void Attachment::begin_if_exported() noexcept {
  try {
    if (is_exported(surroundings_.tree, device_.name)) begin();
  } catch (const std::exception& error) {
    report(error.what());
  }
}

bool Attachment::has_write_cache() {
  if (!write_cache_) write_cache_ = read_write_cache(surroundings_.tree, device_.name);
  return opened_.write_cache && *write_cache_;
}

void Attachment::begin() noexcept {
  try {
    Backstore backstore = read_backstore(surroundings_.tree, device_.name);
    backstore.size = size_there(*opened_.store, backstore);
    service_ = std::make_unique<Service>(*doorbell_, opened_, read_identity(surroundings_.tree, device_.name),
                                         backstore, has_write_cache(), [this](const std::string& sentence) {
                                           if (!removed_) report(sentence);
                                         });
    retry_after_ = first_retry;
    const std::lock_guard held(mutex_);
    backstore_ = std::move(backstore);
  } catch (...) {
    report(thrown().second);
    let_go();
    retry_after_ = std::min(2 * retry_after_, longest_retry);
  }
}

void Attachment::let_go() noexcept {
  {
    const std::lock_guard held(mutex_);
    backstore_.reset();
  }
  service_.reset();
  opened_ = {};
  doorbell_.reset();
}

void Attachment::leave() noexcept {
  service_.reset();
  flush();  // nobody can ask for that any more
  let_go();
}

int Attachment::handle(const Notice& notice) noexcept {
  try {
    switch (notice.kind) {
      case Notice::Kind::removed:
        leave();
        report("was removed");
        break;
      case Notice::Kind::reconfigured:
        if (notice.dev_config) configure(*notice.dev_config);
        if (notice.size) resize(*notice.size);
        if (notice.write_cache) set_write_cache(*notice.write_cache);
        break;
      case Notice::Kind::missed:
        look_again();
        break;
      case Notice::Kind::added:
        return added_again(notice);
    }
    return 0;
  } catch (...) {
    const auto [error, sentence] = thrown();
    report(sentence);
    return error;
  }
}

// It was found before it was told of. Or it was refused, and is made once more: of that the kernel says
// nothing between.
int Attachment::added_again(const Notice& notice) noexcept {
  if (doorbell_) return 0;
  if (auto name = UioName::parse(notice.name)) device_.name = *std::move(name);
  is_new_ = true;
  return attach(true);
}

// It may be another device of the same name by now, or have another size.
void Attachment::look_again() {
  write_cache_.reset();
  if (doorbell_ && doorbell_->notify()) {
    set_write_cache(read_write_cache(surroundings_.tree, device_.name));
    const u64 size_bytes = read_backstore(surroundings_.tree, device_.name).size;
    if (size_bytes != said_size_) resize(size_bytes);
    return;
  }
  leave();
  attach(false);
}

/// How much of it there is. Throws Failure if there is nothing.
u64 Attachment::size_there(const store::BlockStore& store, const Backstore& backstore) {
  const u64 there = store.size_bytes();
  if (there >= backstore.size) return backstore.size;
  const u64 whole = there / backstore.block_size * backstore.block_size;
  if (whole > 0) return whole;
  throw Failure(EIO, "what it is made of has " + std::to_string(there) + " bytes and not " +
                         std::to_string(backstore.size));
}

void Attachment::grow_store(store::BlockStore& store, u64 size_bytes) const {
  if (store.size_bytes() >= size_bytes) return;
  if (const auto error = store.resize(size_bytes)) {
    throw Failure(error.value(), "what it is made of has " + std::to_string(store.size_bytes()) +
                                     " bytes and cannot grow to " + std::to_string(size_bytes));
  }
}

void Attachment::resize(u64 size_bytes) {
  if (!doorbell_) return;
  const auto before = served();
  if (!before || before->size == size_bytes) return;
  if (size_bytes == 0 || size_bytes % before->block_size != 0) {
    throw Failure(EINVAL, "a disk with blocks of " + std::to_string(before->block_size) +
                              " bytes cannot have " + std::to_string(size_bytes));
  }
  grow_store(*opened_.store, size_bytes);
  if (service_) service_->unit.resize(size_bytes);
  {
    const std::lock_guard held(mutex_);
    backstore_->size = size_bytes;
  }
  said_size_ = size_bytes;
  report("has " + std::to_string(size_bytes) + " bytes now");
}

void Attachment::set_write_cache(bool write_cache) {
  write_cache_ = write_cache;
  if (!service_) return;
  service_->unit.set_write_cache(has_write_cache());
  if (write_cache) return;
  // From now on every write is flushed; what came before has to be, too.
  if (const auto error = opened_.store->flush())
    throw Failure(error.value(), "cannot flush what it is made of");
}

// What was there before is let go only when there is something else.
void Attachment::configure(const std::string& dev_config) {
  UioName name = device_.name;
  name.dev_config = dev_config;
  if (name.handler() != device_.name.handler())
    throw Failure(EINVAL, "it cannot become somebody else's: " + quoted(dev_config));
  // The kernel names the device after it only now: it is tried again then.
  if (!doorbell_) return;
  // Its image is locked, by ourselves.
  if (name.dev_config == device_.name.dev_config) return;
  Backstore backstore = read_backstore(surroundings_.tree, name);
  Opened opened = surroundings_.open_store(backstore);
  grow_store(*opened.store, backstore.size);
  const bool was_served = service_ != nullptr;
  service_.reset();
  flush();  // nobody can ask for that any more
  opened_ = std::move(opened);
  device_.name = name;
  said_size_ = backstore.size;
  {
    const std::lock_guard held(mutex_);
    backstore_ = std::move(backstore);
  }
  report("is made of " + quoted(name.config()) + " now");
  if (was_served) begin();
}

// The kernel keeps also what is refused, where it has not asked; the next start would go by it.
void Attachment::take_back(const Notice& refused) noexcept {
  if (!doorbell_) return;
  try {
    const bool was_asked =
        lio::read_value(surroundings_.tree, path_ + "/attrib/nl_reply_supported").starts_with('1');
    if (was_asked) return;
    if (refused.dev_config) take_back("dev_config", *refused.dev_config, device_.name.dev_config);
    if (refused.size) take_back("dev_size", std::to_string(*refused.size), std::to_string(said_size_));
  } catch (...) {
    report(thrown().second);
  }
}

void Attachment::take_back(const std::string& attribute, const std::string& refused,
                           const std::string& former) {
  if (former == refused) return;
  const std::string path = path_ + "/attrib/" + attribute;
  const bool kept = poll_until(Deadline::after(attribute_patience),
                               [&] { return lio::read_value(surroundings_.tree, path) == refused; });
  if (!kept) return;
  surroundings_.tree.write(path, former);
  report("its " + attribute + " is " + quoted(former) + " again");
}

void Attachment::flush() const noexcept {
  if (!opened_.store) return;
  if (const auto error = opened_.store->flush())
    report("what had been written to it last may be lost: cannot flush: " + error.message());
}

void Attachment::report(const std::string& sentence) const noexcept {
  try {
    surroundings_.report("the backstore " + quoted(path_.substr(5)) + ": " + sentence);
  } catch (const std::exception&) {
    return;  // it is only words
  }
}

}  // namespace tcmufs::attach
