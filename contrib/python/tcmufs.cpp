// The Python module tcmufs: a block device from an object that has pread() and pwrite(). See ramdisk.py
// beside it.

#include <pybind11/pybind11.h>
#include <tcmufs/device.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace py = pybind11;
using tcmufs::Device;

/// Whether this thread serves a device: Python that it runs may drop the last reference to that.
thread_local bool serves = false;
struct Serving {
  Serving() : before(std::exchange(serves, true)) {}
  ~Serving() { serves = before; }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  const bool before;  // a store may open another device, which asks its own store
};

/// Runs with the interpreter's lock what calls Python, and makes what it raises an error of a store: the
/// errno of an OSError, EIO of everything else, which is reported as Python reports what nobody catches.
template <typename Work>
auto in_python(Work work) {
  const py::gil_scoped_acquire locked;
  const Serving serving;
  try {
    return work();
  } catch (py::error_already_set& error) {
    int number = EIO;
    if (error.matches(PyExc_OSError) && py::isinstance<py::int_>(error.value().attr("errno"))) {
      number = error.value().attr("errno").cast<int>();
    } else {
      error.discard_as_unraisable("a store of tcmufs");
    }
    throw std::system_error(number, std::generic_category());
  } catch (const py::cast_error& error) {
    throw std::system_error(EIO, std::generic_category(), error.what());
  }
}

class PythonStore final : public tcmufs::BlockStore {
 public:
  explicit PythonStore(py::object object) : object_(std::move(object)) {}
  ~PythonStore() override {
    const py::gil_scoped_acquire locked;
    object_.release().dec_ref();
  }
  PythonStore(const PythonStore&) = delete;
  PythonStore& operator=(const PythonStore&) = delete;

  void read(std::uint64_t offset, std::span<std::byte> data) override {
    in_python([&] {
      const py::object bytes = object_.attr("pread")(data.size(), offset);
      Py_buffer view;  // simple: one piece of memory, not every second byte of one
      if (PyObject_GetBuffer(bytes.ptr(), &view, PyBUF_SIMPLE) != 0) throw py::error_already_set();
      const std::unique_ptr<Py_buffer, decltype(&PyBuffer_Release)> held(&view, PyBuffer_Release);
      const auto length = static_cast<std::size_t>(view.len);
      if (length != data.size()) {
        PyErr_Format(PyExc_ValueError, "pread(%zu, ...) has returned %zu bytes", data.size(), length);
        throw py::error_already_set();
      }
      std::memcpy(data.data(), view.buf, length);
    });
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    in_python([&] {
      const auto view = py::memoryview::from_memory(data.data(), static_cast<py::ssize_t>(data.size()));
      // The memory is another command's soon: nobody may keep it.
      try {
        object_.attr("pwrite")(view, offset);
      } catch (const py::error_already_set&) {
        view.attr("release")();
        throw;
      }
      view.attr("release")();
    });
  }
  bool has_write_cache() const override { return has("flush"); }
  void flush() override {
    in_python([&] { object_.attr("flush")(); });
  }
  bool can_discard() const override { return has("discard"); }
  void discard(std::uint64_t offset, std::uint64_t length) override {
    in_python([&] { object_.attr("discard")(length, offset); });
  }
  std::uint64_t size() const override {
    return in_python([&] { return has("size") ? object_.attr("size")().cast<std::uint64_t>() : 0; });
  }
  void resize(std::uint64_t size) override {
    in_python([&] { object_.attr("resize")(size); });
  }

 private:
  bool has(const char* name) const {
    const py::gil_scoped_acquire locked;
    return py::hasattr(object_, name);
  }

  py::object object_;
};

/// A device that Python owns. What waits for the kernel lets the interpreter's lock go, because the store
/// needs it; other threads of Python may come then.
class Disk {
 public:
  Disk(const std::string& directory, const tcmufs::DeviceOptions& options, const py::object& store) {
    {
      auto adapted = std::make_shared<PythonStore>(store);
      const py::gil_scoped_release unlocked;
      device_ = Device::open(directory, options, std::move(adapted));
    }
    all().insert(this);
  }
  ~Disk() { take_down(); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  const Device& device() const {
    if (!device_) throw py::value_error("the device is closed");
    return *device_;
  }
  void close() {
    must_be_idle();
    std::optional<Device> device = take();
    if (!device) return;
    try {
      const py::gil_scoped_release unlocked;
      device->close();
    } catch (...) {
      device_ = std::move(device);
      all().insert(this);
      throw;
    }
  }
  void resize(std::uint64_t size) {
    device();
    must_be_idle();
    resizing_ = true;
    try {
      const py::gil_scoped_release unlocked;
      device_->resize(size);
    } catch (...) {
      resizing_ = false;
      throw;
    }
    resizing_ = false;
  }
  void leave() {
    must_be_idle();
    take_down();
  }

  /// What is open when the interpreter ends is taken down while it still runs.
  static void take_down_all() {
    while (!all().empty()) {
      Disk& disk = **all().begin();
      all().erase(&disk);
      if (!disk.resizing_) disk.take_down();
    }
    auto threads = std::exchange(leaving(), {});
    const py::gil_scoped_release unlocked;
    for (std::thread& thread : threads) thread.join();
  }

 private:
  static std::set<Disk*>& all() {
    static std::set<Disk*> disks;
    return disks;
  }
  /// Threads that take devices down, which those who serve them could not.
  static std::vector<std::thread>& leaving() {
    static std::vector<std::thread> threads;
    return threads;
  }

  void must_be_idle() const {
    if (resizing_) throw std::runtime_error("another thread is resizing the device");
  }
  std::optional<Device> take() {
    all().erase(this);
    return std::exchange(device_, std::nullopt);
  }
  void take_down() {
    std::optional<Device> device = take();
    if (!device) return;
    if (serves) {
      leaving().emplace_back([last = std::move(*device)]() mutable { const Device gone = std::move(last); });
      return;
    }
    const py::gil_scoped_release unlocked;
    device.reset();
  }

  std::optional<Device> device_;  // this and all else is guarded by the interpreter's lock
  bool resizing_ = false;         // by a thread that has let the lock go
};

std::unique_ptr<Disk> open(const std::string& directory, const std::string& name, const py::object& store,
                           std::uint64_t size, std::uint32_t block_size, bool read_only,
                           const std::string& vendor, const std::string& product, const std::string& serial) {
  tcmufs::DeviceOptions options{.name = name, .size = size, .block_size = block_size};
  options.read_only = read_only;
  if (!vendor.empty()) options.vendor = vendor;
  if (!product.empty()) options.product = product;
  options.serial = serial;
  return std::make_unique<Disk>(directory, options, store);
}

}  // namespace

PYBIND11_MODULE(tcmufs, module) {
  module.doc() = "Block devices from Python objects that can be read and written at an offset";

  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const tcmufs::Error& error) {
      const py::tuple arguments = py::make_tuple(error.code().value(), error.what());
      PyErr_SetObject(PyExc_OSError, arguments.ptr());
    }
  });

  py::class_<Disk>(module, "Device",
                   "A block device, until close(), the end of its with block, or of the program.")
      .def_property_readonly("path", [](const Disk& disk) { return disk.device().path(); })
      .def_property_readonly("node", [](const Disk& disk) { return disk.device().node(); })
      .def_property_readonly("size", [](const Disk& disk) { return disk.device().size(); })
      .def_property_readonly("wwn", [](const Disk& disk) { return disk.device().wwn().text(); })
      .def("resize", &Disk::resize, py::arg("size"), "Calls the store's resize().")
      .def("close", &Disk::close, "Takes it down; OSError (EBUSY), which says who, if somebody uses it.")
      .def("__enter__", [](Disk& disk) -> Disk& { return disk; })
      .def("__exit__", [](Disk& disk, const py::args&) { disk.leave(); });

  module.def(
      "open", &open, py::arg("directory"), py::arg("name"), py::arg("store"), py::kw_only(),
      py::arg("size") = 0, py::arg("block_size") = 512, py::arg("read_only") = false, py::arg("vendor") = "",
      py::arg("product") = "", py::arg("serial") = "",
      "Makes the block device DIRECTORY/NAME of the object `store`, and returns when it answers.\n\n"
      "The store has pread(length, offset), which returns so many bytes, and pwrite(data, offset), whose "
      "data\n"
      "must not be kept; if it likes also size(), flush(), discard(length, offset) and resize(size). They "
      "are\n"
      "called one at a time, from a thread of the library. An OSError that they raise reaches whoever uses\n"
      "the device as its errno says; everything else as an I/O error.");

  module.add_object("_take_down",
                    py::module_::import("atexit").attr("register")(py::cpp_function(&Disk::take_down_all)));
}
