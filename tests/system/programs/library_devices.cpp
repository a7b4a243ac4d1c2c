// library_devices CASE...: what programs do with the library, on the real kernel; "leftover DIR NAME" removes
// what a dead one left. Says what is wrong, and ends with 1.

#include <fcntl.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <tcmufs/device.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

using tcmufs::Device;
using tcmufs::DeviceOptions;

constexpr std::uint64_t mib = 1 << 20;
const std::string directory = "/dev/library";

template <typename Left, typename Right>
void must_be(const std::string& what, const Left& is, const Right& expected) {
  if (is == expected) return;
  std::ostringstream sentence;
  sentence << what << " is '" << is << "', not '" << expected << "'";
  throw std::runtime_error(sentence.str());
}

template <typename Work>
void must_fail(const std::string& what, int error, Work work) {
  try {
    work();
  } catch (const tcmufs::Error& refusal) {
    must_be("the errno of " + what + " (" + refusal.what() + ")", refusal.code().value(), error);
    std::cout << "refused as it should be: " << refusal.what() << "\n";
    return;
  }
  throw std::runtime_error(what + " was not refused");
}

class Memory : public tcmufs::BlockStore {
 public:
  explicit Memory(std::uint64_t size = mib) : bytes(size) {}

  void read(std::uint64_t offset, std::span<std::byte> data) override {
    std::copy_n(&bytes[offset], data.size(), data.begin());
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    std::copy(data.begin(), data.end(), &bytes[offset]);
  }
  std::uint64_t size() const override { return bytes.size(); }
  void resize(std::uint64_t size) override { bytes.resize(size); }

  std::vector<std::byte> bytes;
};

// Opened with O_DIRECT: the page cache asks nobody.
class Node {
 public:
  explicit Node(const std::string& path, int flags = O_RDWR)
      : file_(open(path.c_str(), flags | O_DIRECT | O_CLOEXEC)), error_(file_ < 0 ? errno : 0) {}
  ~Node() {
    if (file_ >= 0) close(file_);
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  int error() const { return error_; }
  int file() const { return file_; }
  int write(std::uint64_t offset, char fill, std::size_t length = 4096) {
    std::fill_n(block_, length, fill);
    return error_of(pwrite(file_, block_, length, static_cast<off_t>(offset)), length);
  }
  int read(std::uint64_t offset, std::size_t length = 4096) {
    return error_of(pread(file_, block_, length, static_cast<off_t>(offset)), length);
  }
  char first() const { return block_[0]; }
  int number(unsigned long request) const {
    int value = 0;
    if (ioctl(file_, request, &value) != 0) throw std::runtime_error("an ioctl failed");
    return value;
  }

 private:
  // What has come to its end moves nothing, without an error.
  static int error_of(ssize_t moved, std::size_t length) {
    if (moved == static_cast<ssize_t>(length)) return 0;
    return moved < 0 ? errno : EIO;
  }

  int file_;
  int error_;
  alignas(4096) char block_[4096] = {};
};

struct Answer {
  int status = 0;
  int key = 0;
  int code = 0;
  std::size_t length = 0;
  std::vector<std::uint8_t> data;
};

Answer ask(const std::string& path, std::vector<std::uint8_t> cdb, std::size_t length, bool out = false,
           const std::vector<std::uint8_t>& data_out = {}) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) throw std::runtime_error("cannot open " + path);
  Answer answer;
  answer.data.assign(length, 0xa5);
  std::copy_n(data_out.begin(), std::min(length, data_out.size()), answer.data.begin());
  std::array<std::uint8_t, 96> sense{};
  sg_io_hdr_t header{};
  header.interface_id = 'S';
  header.dxfer_direction = length == 0 ? SG_DXFER_NONE : out ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV;
  header.cmd_len = static_cast<unsigned char>(cdb.size());
  header.mx_sb_len = sense.size();
  header.dxfer_len = static_cast<unsigned>(length);
  header.dxferp = answer.data.data();
  header.cmdp = cdb.data();
  header.sbp = sense.data();
  header.timeout = 20000;
  const int result = ioctl(file, SG_IO, &header);
  close(file);
  if (result != 0) throw std::runtime_error("SG_IO failed");
  answer.status = header.status;
  answer.key = sense[2] & 0x0f;
  answer.code = sense[12];
  answer.length = length - static_cast<std::size_t>(header.resid);
  return answer;
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string sysfs(const Device& device, const std::string& rest) {
  return text_of("/sys/block/" + device.node().substr(5) + "/" + rest);
}

DeviceOptions named(const std::string& name) {
  return {.name = name};
}

const tcmufs::Wwn shared_target = tcmufs::Wwn::naa5("001405", tcmufs::generate_serial("library test"));

// Several devices on one HBA and one target.
void several() {
  std::map<std::uint32_t, std::unique_ptr<Device>> devices;
  std::map<std::uint32_t, std::shared_ptr<Memory>> stores;
  const auto add = [&](std::uint32_t lun) {
    stores[lun] = std::make_shared<Memory>();
    DeviceOptions options = named("lun" + std::to_string(lun));
    options.hba = 30;
    options.target = shared_target;
    options.lun = lun;
    devices[lun] = std::make_unique<Device>(Device::open(directory, options, stores[lun]));
    must_be("the LUN", devices[lun]->lun(), lun);
    const std::string address = devices[lun]->address();
    must_be("the LUN of SCSI", address.substr(address.rfind(':') + 1), std::to_string(lun));
  };
  const auto check_all = [&] {
    for (const auto& [lun, device] : devices) {
      Node node(device->path());
      must_be("a write", node.write(8192, static_cast<char>('A' + lun % 16)), 0);
      must_be("a read", node.read(8192), 0);
    }
    for (const auto& [lun, store] : stores) {
      if (devices.contains(lun))
        must_be("a stored byte", static_cast<char>(store->bytes[8192]), static_cast<char>('A' + lun % 16));
    }
    must_be("the HBA", access("/sys/kernel/config/target/core/user_30", F_OK), devices.empty() ? -1 : 0);
  };
  for (const std::uint32_t lun : {5U, 0U, 300U, 1U}) add(lun);
  check_all();
  DeviceOptions taken = named("other");
  taken.target = shared_target;
  taken.lun = 300;
  must_fail("a LUN that is taken", EBUSY,
            [&] { Device::open(directory, taken, std::make_shared<Memory>()); });
  taken.lun.reset();
  {
    const Device lowest = Device::open(directory, taken, std::make_shared<Memory>());
    must_be("the lowest free LUN", lowest.lun(), 2U);
  }
  for (const std::uint32_t lun : {0U, 300U}) devices.erase(lun);
  check_all();
  for (const std::uint32_t lun : {300U, 0U}) add(lun);
  check_all();
  for (const std::uint32_t lun : {1U, 5U, 0U, 300U}) devices.erase(lun);
  check_all();
}

void opened_twice() {
  const Device first = Device::open(directory, named("twice"), std::make_shared<Memory>());
  must_fail("the second open", EBUSY,
            [] { Device::open(directory + "/", named("twice"), std::make_shared<Memory>()); });
  must_fail("a removal", EBUSY, [] { Device::remove_leftover(directory, "twice"); });
  must_be("a write to the first", Node(first.path()).write(0, 'x'), 0);
}

void bad_options() {
  const auto refused = [](const char* what, const std::function<void(DeviceOptions&)>& change) {
    DeviceOptions options = named("bad");
    change(options);
    must_fail(what, EINVAL, [&] { Device::open(directory, options, std::make_shared<Memory>()); });
  };
  refused("a block size of 520", [](DeviceOptions& options) { options.block_size = 520; });
  refused("a name with a slash", [](DeviceOptions& options) { options.name = "a/b"; });
  refused("a size of 1000 bytes", [](DeviceOptions& options) { options.size = 1000; });
  refused("a size beyond the store", [](DeviceOptions& options) { options.size = 2 * mib; });
  refused("LUN 16384", [](DeviceOptions& options) { options.lun = 16384; });
  std::ofstream("/dev/library_file").put('x');
  must_fail("a directory that is a file", ENOTDIR,
            [] { Device::open("/dev/library_file", named("x"), std::make_shared<Memory>()); });
  unlink("/dev/library_file");
}

class Throwing final : public Memory {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data) override {
    if (offset == 65536) throw std::runtime_error("no errno at all");
    if (offset == 131072) throw 42;
    Memory::read(offset, data);
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    if (offset == 65536) throw tcmufs::Error(ENOSPC, "full");
    if (offset == 131072) throw std::system_error(EROFS, std::generic_category());
    Memory::write(offset, data);
  }
};

void throwing_store() {
  for (const unsigned threads : {1U, 4U}) {
    DeviceOptions options = named("throwing");
    options.threads = threads;
    const Device device = Device::open(directory, options, std::make_shared<Throwing>());
    Node node(device.path());
    must_be("reading what throws", node.read(65536), ENODATA);
    must_be("reading what throws a number", node.read(131072), ENODATA);
    must_be("writing what has no room", node.write(65536, 'x'), ENOSPC);
    if (node.write(131072, 'x') == 0) throw std::runtime_error("a write that threw EROFS succeeded");
    const Answer answer = ask(device.node(), {0x28, 0, 0, 0, 0, 128, 0, 0, 1, 0}, 512);
    must_be("the sense key of a medium error", answer.key, 3);
    must_be("its code", answer.code, 0x11);
    must_be("a read of another block", node.read(0), 0);
  }
}

// go-tcmu's mistakes.
void commands() {
  DeviceOptions options = named("commands");
  options.size = 4 * mib;
  options.vendor = "ACME";
  options.product = "Thing";
  options.revision = "7";
  auto store = std::make_shared<Memory>(4 * mib);
  store->bytes[4096 * 512] = std::byte{0x77};
  const Device device = Device::open(directory, options, store);
  must_be("the length of READ(6) of 0 blocks", ask(device.node(), {0x08, 0, 0, 0, 0, 0}, 256 * 512).length,
          256u * 512);
  must_be("what READ(6) finds beyond 16 bits", int{ask(device.node(), {0x08, 0, 0x10, 0, 1, 0}, 512).data[0]},
          0x77);
  const Answer inquiry = ask(device.node(), {0x12, 0, 0, 0, 5, 0}, 96);
  must_be("the length of a short INQUIRY", inquiry.length, 5u);
  must_be("what lies beyond it", int{inquiry.data[5]}, 0);
  const Answer beyond = ask(device.node(), {0x28, 0, 0, 0, 0x1f, 0xff, 0, 0, 2, 0}, 1024);
  must_be("the sense key beyond the end", beyond.key, 5);
  must_be("its code", beyond.code, 0x21);
  must_be("the vendor", sysfs(device, "device/vendor"), "ACME    ");
  must_be("the product", sysfs(device, "device/model"), "Thing           ");
  must_be("the revision", sysfs(device, "device/rev"), "7   ");
  const auto caching_page = [&] {
    const Answer modes = ask(device.node(), {0x1a, 0x08, 8, 0, 64, 0}, 64);
    must_be("MODE SENSE", modes.status, 0);
    return std::vector<std::uint8_t>(modes.data.begin() + 4, modes.data.begin() + 24);
  };
  std::vector<std::uint8_t> page = caching_page();
  must_be("the write cache", page[2] & 4, 0);
  page[0] &= 0x7f;  // PS is reserved in MODE SELECT
  page[2] |= 4;
  page.insert(page.begin(), 4, 0);  // the header
  must_be("MODE SELECT", ask(device.node(), {0x15, 0x10, 0, 0, 24, 0}, 24, true, page).status, 0);
  must_be("the write cache that MODE SELECT has turned on", caching_page()[2] & 4, 4);
}

void identities() {
  const tcmufs::Wwn naa6 = tcmufs::Wwn::naa6("001405", "123456789", "0123456789abcdef");
  const tcmufs::Wwn naa5 = tcmufs::Wwn::naa5("001405", "fedcba98");
  DeviceOptions six = named("six");
  six.wwn = naa6;
  DeviceOptions five = named("five");
  five.wwn = naa5;
  const Device with_naa6 = Device::open(directory, six, std::make_shared<Memory>());
  const Device with_naa5 = Device::open(directory, five, std::make_shared<Memory>());
  must_be("the identity", sysfs(with_naa6, "device/wwid"), "naa.60014051234567890123456789abcdef");
  must_be("the identity", sysfs(with_naa5, "device/wwid"), "naa.50014050fedcba98");
  DeviceOptions counted = named("counted");
  counted.wwn = tcmufs::Wwn::of_serial("number 17");
  counted.serial = tcmufs::generate_serial("number 17");
  const Device by_serial = Device::open(directory, counted, std::make_shared<Memory>());
  must_be("the identity", sysfs(by_serial, "device/wwid"), tcmufs::Wwn::parse(by_serial.wwn().text()).text());
  const std::vector<std::uint8_t> page = ask(by_serial.node(), {0x12, 1, 0x80, 0, 255, 0}, 255).data;
  must_be("the serial number", std::string(page.begin() + 4, page.begin() + 4 + page[3]), counted.serial);
  const Device one = Device::open(directory, named("one"), std::make_shared<Memory>());
  const Device other = Device::open(directory, named("other"), std::make_shared<Memory>());
  must_be("the identity of one", sysfs(one, "device/wwid"), one.wwn().text());
  must_be("the identity of the other", sysfs(other, "device/wwid"), other.wwn().text());
  if (one.wwn() == other.wwn()) throw std::runtime_error("two devices have the same name");
}

void block_sizes() {
  for (const unsigned size : {512U, 1024U, 2048U, 4096U}) {
    DeviceOptions options = named("blocks");
    options.block_size = size;
    const Device device = Device::open(directory, options, std::make_shared<Memory>());
    Node node(device.path());
    must_be("the block size", node.number(BLKSSZGET), static_cast<int>(size));
    must_be("the block size that the device says", device.block_size(), size);
    // The same by way of sg.
    must_be("READ CAPACITY(10)", int{ask(device.sg(), {0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 8).data[6]},
            static_cast<int>(size >> 8));
    must_be("a write of a block", node.write(size, 'b', size), 0);
  }
}

class Caching final : public Memory {
 public:
  bool has_write_cache() const override { return true; }
  void flush() override { ++flushes; }

  std::atomic<int> flushes = 0;
};

void write_caches() {
  {
    const Device plain = Device::open(directory, named("plain"), std::make_shared<Memory>());
    must_be("the cache of a plain store", sysfs(plain, "queue/write_cache"), "write through");
  }
  const auto store = std::make_shared<Caching>();
  {
    const Device device = Device::open(directory, named("cached"), store);
    must_be("the cache of a caching store", sysfs(device, "queue/write_cache"), "write back");
    Node node(device.path());
    must_be("a write", node.write(0, 'x'), 0);
    const int before = store->flushes;
    must_be("fsync", fsync(node.file()), 0);
    if (store->flushes <= before) throw std::runtime_error("fsync did not flush the store");
  }
  DeviceOptions options = named("through");
  options.write_cache = false;
  const Device device = Device::open(directory, options, store);
  must_be("the cache that is not wanted", sysfs(device, "queue/write_cache"), "write through");
  const int before = store->flushes;
  must_be("a write", Node(device.path()).write(0, 'x'), 0);
  if (store->flushes <= before) throw std::runtime_error("a write through did not flush the store");
}

void read_only() {
  DeviceOptions options = named("protected");
  options.read_only = true;
  const Device device = Device::open(directory, options, std::make_shared<Memory>());
  Node node(device.path(), O_RDONLY);
  must_be("BLKROGET", node.number(BLKROGET), 1);
  must_be("a read", node.read(0), 0);
}

void resizing() {
  const auto store = std::make_shared<Memory>();
  Device device = Device::open(directory, named("growing"), store);
  device.resize(3 * mib);
  must_be("the size", device.size(), 3 * mib);
  must_be("the store's size", store->bytes.size(), 3 * mib);
  must_be("a write into what is new", Node(device.path()).write(2 * mib, 'n'), 0);
  must_fail("a size of 1000", EINVAL, [&] { device.resize(1000); });
}

// Reads meet: with one thread they never would.
class Meeting final : public Memory {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data) override {
    std::unique_lock held(mutex_);
    most = std::max(most, ++inside_);
    changed_.notify_all();
    if (wanted > 1) changed_.wait_for(held, std::chrono::seconds(20), [&] { return most >= wanted; });
    --inside_;
    Memory::read(offset, data);
  }

  int wanted = 1;
  int most = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
};

void threads() {
  for (const unsigned count : {1U, 4U}) {
    const auto store = std::make_shared<Meeting>();
    DeviceOptions options = named("threads");
    options.threads = count;
    const Device device = Device::open(directory, options, store);
    store->most = 0;
    store->wanted = static_cast<int>(count);
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 8; ++reader) {
      readers.emplace_back([&, reader] {
        static_cast<void>(Node(device.path()).read(4096U * static_cast<unsigned>(reader)));
      });
    }
    for (std::thread& reader : readers) reader.join();
    must_be("how many commands run at once", store->most, static_cast<int>(count));
  }
}

/// Ends what it was asked for in a thread of its own: once there are `wanted`, the last one first, or after a
/// while.
class Later final : public tcmufs::AsyncBlockStore {
 public:
  Later() : thread_([this] { run(); }) {}
  ~Later() override {
    {
      const std::lock_guard held(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void read(std::uint64_t offset, std::span<std::byte> data, tcmufs::Completion done) override {
    begin([=, this] { memory_.read(offset, data); }, std::move(done));
  }
  void write(std::uint64_t offset, std::span<const std::byte> data, tcmufs::Completion done) override {
    begin([=, this] { memory_.write(offset, data); }, std::move(done));
  }
  bool has_write_cache() const override { return true; }
  void flush(tcmufs::Completion done) override {
    ++flushes;
    begin([] {}, std::move(done));
  }
  std::uint64_t size() const override { return memory_.size(); }

  std::atomic<std::size_t> wanted = 1;
  std::atomic<std::size_t> most = 0;
  std::atomic<int> flushes = 0;

 private:
  struct Operation {
    std::function<void()> work;
    tcmufs::Completion done;
  };

  void begin(std::function<void()> work, tcmufs::Completion done) {
    const std::lock_guard held(mutex_);
    operations_.push_back({std::move(work), std::move(done)});
    changed_.notify_all();
  }
  void run() {
    std::unique_lock held(mutex_);
    while (!ended_ || !operations_.empty()) {
      changed_.wait(held, [this] { return ended_ || !operations_.empty(); });
      changed_.wait_for(held, std::chrono::milliseconds(500),
                        [this] { return operations_.size() >= wanted; });
      if (operations_.size() > most) most = operations_.size();
      while (!operations_.empty()) {
        Operation last = std::move(operations_.back());
        operations_.pop_back();
        held.unlock();
        last.work();
        last.done();
        held.lock();
      }
    }
  }

  Memory memory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Operation> operations_;  // guarded by mutex_
  bool ended_ = false;                 // guarded by mutex_
  std::thread thread_;
};

void asynchronous() {
  const auto store = std::make_shared<Later>();
  const Device device = Device::open(directory, named("asynchronous"), store);
  store->most = 0;
  store->wanted = 8;
  std::vector<std::thread> users;
  std::atomic<int> wrong = 0;
  for (int user = 0; user < 8; ++user) {
    users.emplace_back([&, user] {
      Node node(device.path());
      const auto at = 4096U * static_cast<unsigned>(user);
      const char fill = static_cast<char>('a' + user);
      if (node.write(at, fill) != 0 || node.read(at) != 0 || node.first() != fill) ++wrong;
    });
  }
  for (std::thread& user : users) user.join();
  must_be("how many read what they had not written", wrong, 0);
  must_be("whether eight were under way at once", store->most >= 8, true);
  store->wanted = 1;
  must_be("fsync", fsync(Node(device.path()).file()), 0);
  must_be("whether the store has been flushed", store->flushes > 0, true);
  // More than a transfer: it waits for itself.
  must_be("a COMPARE AND WRITE",
          ask(device.path(), {0x89, 0, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 1, 0, 0}, 1024, true).status, 0x02);
}

void closing_while_used() {
  auto device =
      std::make_unique<Device>(Device::open(directory, named("closing"), std::make_shared<Memory>()));
  const std::string path = device->path();
  std::atomic<int> reads = 0;
  std::atomic<int> error = 0;
  std::thread reader([&] {
    Node node(path);
    error = node.error();
    while (error == 0) {
      error = node.read(0);
      ++reads;
    }
  });
  while (reads < 100 && error == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const int error_before = error;
  // The process itself does not count as a user: it knows.
  device.reset();
  reader.join();
  must_be("the error of a read while there is a device", error_before, 0);
  must_be("what is left of the name", access(path.c_str(), F_OK), -1);
}

class Discarding final : public Memory {
 public:
  using Memory::Memory;
  bool can_discard() const override { return true; }
  void discard(std::uint64_t offset, std::uint64_t length) override {
    ++discards;
    std::fill_n(&bytes[offset], length, std::byte{});
  }

  std::atomic<int> discards = 0;
};

// close() is for those who want to know whether it is used.
void closing() {
  Device device = Device::open(directory, named("closed"), std::make_shared<Memory>());
  const std::string path = device.path();
  // A process of its own: that this one has it open does not count.
  const std::string holder = "sleep 60 <" + path + " & echo $! >/run/holder";
  must_be("a shell", std::system(holder.c_str()), 0);
  must_fail("close() of what is used", EBUSY, [&] { device.close(); });
  must_be("a write to what could not be closed", Node(path).write(0, 'x'), 0);
  must_be("a shell", std::system("kill $(cat /run/holder); rm /run/holder"), 0);
  for (int tries = 0; access(path.c_str(), F_OK) == 0; ++tries) {
    try {
      device.close();
    } catch (const tcmufs::Error&) {
      if (tries == 100) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // until the process has ended
    }
  }
}

class Handler final : public tcmufs::CommandHandler {
 public:
  tcmufs::Outcome handle(tcmufs::Command& command) override {
    using namespace tcmufs;
    switch (command.opcode()) {
      case 0x00:
        return emulate_test_unit_ready(command);
      case 0x12:
        return emulate_inquiry(command);
      case 0x1a:
      case 0x5a:
        return emulate_mode_sense(command);
      case 0x15:
      case 0x55:
        return emulate_mode_select(command);
      case 0x25:
        return emulate_read_capacity(command);
      case 0x9e:
        return emulate_service_action_in(command);
      case 0x08:
      case 0x28:
      case 0x88:
        lba = command.lba();
        blocks = command.transfer_length();
        if (lba == 2000) throw std::runtime_error("a handler that throws");
        if (lba == 2001 && ++busy_answers < 3) return Outcome::busy();
        return emulate_read(command);
      case 0x2a:
        return emulate_write(command);
      case 0x35:
        return emulate_synchronize_cache(command);
      case 0x42:
        return emulate_unmap(command);
      case 0x41:
      case 0x93:
        return emulate_write_same(command);
      case 0xc1: {
        const DeviceInfo info = command.device();
        std::array<std::byte, 4> data{std::byte{'v'}, static_cast<std::byte>(info.size / mib),
                                      static_cast<std::byte>(info.block_size / 512), command.cdb()[2]};
        std::size_t fitted = command.put(std::span(data).first(2));
        fitted += command.put(std::span(data).last(2));
        must_be("room for the answer", fitted, std::min<std::size_t>(4, command.buffer_length()));
        return Outcome::good();
      }
      case 0xc2: {
        std::array<std::byte, 4> data{};
        taken = command.take(std::span(data).first(3));
        taken += command.take(std::span(data).last(1));
        last = static_cast<char>(data[3]);
        return Outcome::good();
      }
      case 0xc3:
        return Outcome::check_condition(sense::target_failure);
      case 0xc7:
        return Outcome::check_condition(sense::medium_error);
      case 0xc8:
        return Outcome::check_condition(sense::invalid_field_in_cdb);
      case 0xc9:
        return Outcome::status(0x18);  // RESERVATION CONFLICT
      case 0xc4: {
        std::array<std::byte, 18> fixed{};
        fixed[0] = std::byte{0x70};
        fixed[2] = std::byte{0x0b};
        fixed[7] = std::byte{10};
        fixed[12] = std::byte{0x47};
        return Outcome::check_condition(fixed);
      }
      case 0xc5:
        return emulate_read(command);
      default:
        return Outcome::not_handled();
    }
  }

  std::atomic<std::uint64_t> lba = 0;
  std::atomic<std::uint64_t> blocks = 0;
  std::atomic<std::size_t> taken = 0;
  std::atomic<char> last = 0;
  std::atomic<int> busy_answers = 0;
};

void handlers() {
  const auto handler = std::make_shared<Handler>();
  DeviceOptions options = named("handled");
  options.threads = 2;
  const auto store = std::make_shared<Discarding>(2 * mib);
  const Device device = Device::open(directory, options, handler, store);
  const std::string node = device.node();
  Node disk(device.path());
  must_be("a write", disk.write(4096, 'h'), 0);
  must_be("a read", disk.read(4096), 0);
  must_be("what was read", disk.first(), 'h');
  must_be("the LBA that the handler saw", handler->lba, 8u);
  must_be("the length that the handler saw", handler->blocks, 8u);

  const Answer vendor = ask(node, {0xc1, 0, 0x55, 0, 0, 0, 0, 0, 0, 0}, 8);
  must_be("the status of the vendor's command", vendor.status, 0);
  for (const auto& [at, byte] : std::map<std::size_t, int>{{0, 'v'}, {1, 2}, {2, 1}, {3, 0x55}}) {
    must_be("byte " + std::to_string(at) + " of its data", int{vendor.data[at]}, byte);
  }
  ask(node, {0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 4, true);
  must_be("how much data-out was taken", handler->taken, 4u);
  must_be("its last byte", handler->last, static_cast<char>(0xa5));
  const Answer failing = ask(node, {0xc3, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0);
  must_be("the sense key of its own", failing.key, 4);
  must_be("the sense key of a medium error", ask(node, {0xc7, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0).key, 3);
  must_be("the sense key of a bad field", ask(node, {0xc8, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0).key, 5);
  must_be("any other status", ask(node, {0xc9, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0).status, 0x18);
  must_be("SYNCHRONIZE CACHE", ask(node, {0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0).status, 0);
  must_be("WRITE SAME", ask(node, {0x41, 0, 0, 0, 0, 16, 0, 0, 8, 0}, 512, true).status, 0);
  must_be("a read of what was written", disk.read(8192), 0);
  must_be("what was written", disk.first(), static_cast<char>(0xa5));
  const std::vector<std::uint8_t> range{0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0,
                                        0, 0,  0, 16, 0, 0, 0, 8, 0, 0, 0, 0};
  must_be("UNMAP", ask(node, {0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0}, 24, true, range).status, 0);
  must_be("a read of what was unmapped", disk.read(8192), 0);
  must_be("what is there", int{disk.first()}, 0);
  must_be("how often the store was to discard", store->discards, 1);
  const Answer raw = ask(node, {0xc4, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0);
  must_be("the sense key of raw sense data", raw.key, 0x0b);
  must_be("its code", raw.code, 0x47);
  for (const std::uint8_t opcode : std::initializer_list<std::uint8_t>{0xc5, 0xc6}) {
    const Answer unknown = ask(node, {opcode, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0);
    must_be("the code of what is not handled", unknown.code, 0x20);
  }
  const Answer thrown = ask(node, {0x28, 0, 0, 0, 0x07, 0xd0, 0, 0, 1, 0}, 512);
  must_be("the status of what throws", thrown.status, 2);
  must_be("its sense key", thrown.key, 3);
  must_be("a read whose handler throws", disk.read(2000 * 512), ENODATA);
  must_be("a read after BUSY", disk.read(2001 * 512, 512), 0);
  must_be("how often it was asked", handler->busy_answers, 3);
}

/// Does not answer a read of block 2000 until it is told to.
class Silent final : public tcmufs::CommandHandler {
 public:
  tcmufs::Outcome handle(tcmufs::Command& command) override {
    if (command.opcode() == 0x28 && command.lba() == 2000) {
      std::unique_lock held(mutex_);
      changed_.wait(held, [this] { return answers_; });
    }
    return command.emulate();
  }
  void answer() {
    const std::lock_guard held(mutex_);
    answers_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool answers_ = false;
};

void never_answers() {
  const auto handler = std::make_shared<Silent>();
  DeviceOptions options = named("silent");
  options.threads = 2;
  options.command_timeout = std::chrono::seconds(3);
  const Device device = Device::open(directory, options, handler, std::make_shared<Memory>(2 * mib));
  const Device other = Device::open(directory, named("other"), std::make_shared<Memory>());
  std::atomic<int> status = -1;
  std::thread waiting(
      [&] { status = ask(device.node(), {0x28, 0, 0, 0, 0x07, 0xd0, 0, 0, 1, 0}, 512).status; });
  const int beside = Node(other.path()).read(0);
  waiting.join();
  must_be("a read of another device meanwhile", beside, 0);
  must_be("the status that the kernel gives after three seconds", status, 2);
  handler->answer();
  must_be("a read of what was not answered", Node(device.path()).read(2000 * 512, 512), 0);
}

// A default handler, and one without a medium.
void default_handlers() {
  const Device device = Device::open(directory, named("default"), std::make_shared<tcmufs::CommandHandler>(),
                                     std::make_shared<Memory>());
  Node node(device.path());
  must_be("a write", node.write(0, 'd'), 0);
  must_be("a read", node.read(0), 0);
  must_be("what was read", node.first(), 'd');
}

const std::map<std::string, void (*)()> cases = {{"several", several},
                                                 {"opened_twice", opened_twice},
                                                 {"bad_options", bad_options},
                                                 {"throwing_store", throwing_store},
                                                 {"commands", commands},
                                                 {"identities", identities},
                                                 {"block_sizes", block_sizes},
                                                 {"write_caches", write_caches},
                                                 {"read_only", read_only},
                                                 {"resizing", resizing},
                                                 {"threads", threads},
                                                 {"asynchronous", asynchronous},
                                                 {"closing", closing},
                                                 {"closing_while_used", closing_while_used},
                                                 {"never_answers", never_answers},
                                                 {"handlers", handlers},
                                                 {"default_handlers", default_handlers}};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  try {
    if (words.size() == 3 && words[0] == "leftover") {
      std::cout << (Device::remove_leftover(words[1], words[2]) ? "removed" : "nothing there") << "\n";
      return 0;
    }
    if (words.empty()) {
      for (const auto& [name, work] : cases) std::cout << name << "\n";
    }
    for (const std::string& word : words) {
      std::cout << "-- " << word << std::endl;
      cases.at(word)();
    }
  } catch (const std::exception& error) {
    std::cerr << "library_devices: " << error.what() << "\n";
    return 1;
  }
}
