#include "tcmufs/device.h"

#include <algorithm>
#include <utility>

#include "device/brought.h"
#include "device/checked_options.h"
#include "device/errors.h"
#include "device/name_lock.h"
#include "device/user_store.h"
#include "lio/configfs.h"
#include "lio/disk_files.h"
#include "lio/kernel.h"
#include "lio/leftovers.h"
#include "scsi/naa.h"
#include "volume/kernel_disk.h"

TCMUFS_BEGIN

namespace {

constexpr auto keeper = "library";  // in dev_config, where a daemon's disks have the uuid of their store

/// The targets that devices of this process share. Never destroyed: a device may be a static object.
volume::Targets& targets() {
  static lio::Configfs& tree = *new lio::Configfs;
  static volume::Targets& shared = *new volume::Targets(tree);
  return shared;
}

std::vector<u8> bytes_of(const Wwn& wwn) {
  std::vector<u8> bytes;
  const std::string digits = wwn.text().substr(4);
  bytes.reserve(digits.size() / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    bytes.push_back(static_cast<u8>(std::stoul(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

scsi::Identity identity_of(const DeviceOptions& options, const Uuid& uuid) {
  scsi::Identity identity{.uuid = uuid,
                          .vendor = options.vendor,
                          .product = options.product,
                          .revision = options.revision,
                          .serial = options.serial};
  if (options.wwn) identity.naa = bytes_of(*options.wwn);
  return identity;
}

std::string backstore_of(lio::ConfigTree& tree, const Uuid& uuid) {
  if (!tree.exists("core")) return {};
  for (const std::string& backstore : lio::backstores_of(tree, keeper)) {
    if (backstore.ends_with("/" + uuid.text())) return backstore;
  }
  return {};
}

/// A disk that a process left cannot be moved while it is used, nor made smaller.
void check_place(lio::ConfigTree& tree, const Uuid& uuid, const DeviceOptions& options, const Wwn& wwn,
                 u64 size_bytes) {
  const std::string backstore = backstore_of(tree, uuid);
  if (backstore.empty()) return;
  const auto disk = lio::find_disk(wwn.text());
  const u64 present_bytes = disk ? lio::disk_size_bytes("/sys", disk->name).value_or(0) : 0;
  if (size_bytes < present_bytes) {
    throw Failure(EBUSY,
                  "a device " + quoted(options.name) + " that a process left behind has " +
                      std::to_string(present_bytes) + " bytes, more than " + std::to_string(size_bytes),
                  "Open it with these, or remove it first (remove_leftover)");
  }
  for (const lio::LoopbackLink& link : lio::loopback_links_of(tree, backstore)) {
    const bool same_target = !options.target || link.wwn() == options.target->text();
    if (same_target && (!options.lun || link.lun() == *options.lun)) continue;
    throw Failure(EBUSY,
                  "a device " + quoted(options.name) + " that a process left behind is at LUN " +
                      std::to_string(link.lun()) + " of the target " + quoted(link.wwn()),
                  "Open it there, or remove it first (remove_leftover)");
  }
}

}  // namespace

struct Device::Brought : device::Brought {};

/// The order of the members is that of the kernel: see volume/kernel_disk.h.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): so are a few bytes between them
struct Device::State {
  State(const std::string& directory, const DeviceOptions& wanted, Brought what);
  ~State() { take_down(nullptr); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::unique_ptr<Fd> claim_flushed() const;
  void take_down(std::unique_ptr<Fd> claim) noexcept;
  volume::DiskOptions disk_options(const std::string& link_root, u64 size);
  void report(const std::string& sentence) const noexcept {
    if (options.on_failure) static_cast<void>(device::attempt([&] { options.on_failure(sentence); }));
  }

  DeviceOptions options;
  std::string path;
  Uuid uuid;
  Wwn wwn;
  const Brought brought;
  device::NameLock lock;
  lio::Configfs tree;
  volume::Statistics statistics;
  const store::BlockStore* medium = nullptr;
  std::unique_ptr<volume::KernelDisk> disk;
};

Device::State::State(const std::string& directory, const DeviceOptions& wanted, Brought what)
    : options(wanted),
      path(directory + "/" + wanted.name),
      uuid(device::uuid_of(directory, wanted.name, device::machine_id())),
      wwn(wanted.wwn ? *wanted.wwn : Wwn::parse(scsi::naa_name(uuid))),
      brought(std::move(what)),
      lock(uuid.text(), path),
      tree([this](const std::string& sentence) { report(sentence); }) {
  const auto& store = brought.store;
  const u64 size = device::size_of(options, store ? store->size() : 0);
  const auto disk_options_now = disk_options(directory, size);
  check_place(tree, uuid, options, wwn, size);
  auto adapted = std::make_unique<device::UserStore>(store, size, brought.one_at_a_time());
  medium = adapted.get();
  disk = std::make_unique<volume::KernelDisk>(
      tree, targets(), disk_options_now, std::move(adapted),
      [this](const std::string& sentence) { report(tcmufs::quoted(path) + ": " + sentence); },
      [this](scsi::LogicalUnit& unit, store::BlockStore& over) {
        return device::make_engine(brought, {unit, over, options.name, options.block_size});
      });
}

volume::DiskOptions Device::State::disk_options(const std::string& link_root, u64 size) {
  volume::Settings settings;
  settings.cmd_timeout_s = static_cast<u32>(options.command_timeout.count());
  return {.path = options.name,
          .identity = identity_of(options, uuid),
          .keeper = keeper,
          .hba = options.hba,
          .target_wwn = options.target ? options.target->text() : volume::target_wwn(uuid),
          .lun = options.lun,
          .lun_required = options.lun.has_value(),
          .format = {.block_size_bytes = options.block_size,
                     .physical_block_size_bytes = options.physical_block_size,
                     .size_bytes = size,
                     .read_only = options.read_only,
                     .write_cache = options.write_cache.value_or(brought.has_write_cache()),
                     .thin = brought.can_discard()},
          .settings = settings,
          .owner = {},
          .link_root = link_root,
          .deadline = Deadline::after(options.ready_timeout),
          .statistics = statistics};
}

std::unique_ptr<Fd> Device::State::claim_flushed() const {
  auto claim = std::make_unique<Fd>(disk->claim_idle());
  disk->flush(*claim);
  return claim;
}

void Device::State::take_down(std::unique_ptr<Fd> claim) noexcept {
  if (!disk) return;
  if (!claim) {
    // As for close(), if nobody uses it: then nobody can begin to.
    const auto used = device::attempt([&] { claim = claim_flushed(); });
    if (used) {
      const std::string lost = disk->flush_used();
      if (!lost.empty()) report(lost);
    }
  }
  disk.reset();
}

Device::Device(std::unique_ptr<State> state) : state_(std::move(state)) {}
Device::Device(Device&& other) noexcept = default;
Device& Device::operator=(Device&& other) noexcept = default;
Device::~Device() = default;

Device Device::open(const std::string& directory, const DeviceOptions& options,
                    std::shared_ptr<BlockStore> store) {
  return open(directory, options, Brought{{.store = std::move(store)}});
}

Device Device::open(const std::string& directory, const DeviceOptions& options,
                    std::shared_ptr<AsyncBlockStore> store) {
  return open(directory, options, Brought{device::Brought::asynchronous(std::move(store))});
}

Device Device::open(const std::string& directory, const DeviceOptions& options,
                    std::shared_ptr<CommandHandler> handler, std::shared_ptr<BlockStore> store) {
  return open(directory, options, Brought{{.handler = std::move(handler), .store = std::move(store)}});
}

Device Device::open(const std::string& directory, const DeviceOptions& options, Brought brought) {
  return device::as_error([&] {
    device::check_options(options);
    brought.threads = options.threads;
    if (brought.nothing())
      device::refuse("the device " + quoted(options.name) + " has no store", "Give it one");
    lio::prepare_kernel();
    return Device(std::make_unique<State>(device::whole_path(directory), options, std::move(brought)));
  });
}

bool Device::remove_leftover(const std::string& directory, const std::string& name) {
  return device::as_error([&] {
    device::check_name(name);
    const std::string whole = device::whole_path(directory);
    const Uuid uuid = device::uuid_of(whole, name, device::machine_id());
    const device::NameLock lock(uuid.text(), whole + "/" + name);
    lio::Configfs tree;
    const std::string backstore = backstore_of(tree, uuid);
    if (!backstore.empty()) lio::remove_leftover(tree, backstore, volume::target_wwn(uuid));
    const bool dangling = volume::remove_dangling_link(whole, name);
    return dangling || !backstore.empty();
  });
}

void Device::close() {
  device::as_error([&] {
    if (!state_) return;
    state_->take_down(state_->claim_flushed());
    state_.reset();
  });
}

void Device::resize(std::uint64_t size) {
  device::as_error([&] {
    if (size == 0 || size % state_->options.block_size != 0) {
      device::refuse(
          "the device " + tcmufs::quoted(state_->path) + " cannot have " + std::to_string(size) + " bytes",
          "Use a multiple of its block size, " + std::to_string(state_->options.block_size));
    }
    state_->disk->resize(size, Deadline::after(state_->options.resize_timeout));
  });
}

const std::string& Device::path() const {
  return state_->path;
}
std::string Device::node() const {
  return state_->disk->device().node;
}
std::string Device::sg() const {
  return state_->disk->device().sg;
}
std::string Device::address() const {
  return state_->disk->device().address;
}
std::uint64_t Device::size() const {
  return state_->medium->size_bytes();
}
std::uint32_t Device::block_size() const {
  return state_->options.block_size;
}
std::uint32_t Device::lun() const {
  return state_->disk->lun();
}
const Wwn& Device::wwn() const {
  return state_->wwn;
}

TCMUFS_END
