#include "lio/modules.h"

#include <libkmod.h>

#include <cerrno>

#include "sys/error.h"

namespace tcmufs::lio {

namespace {

struct ReleaseModule {
  void operator()(kmod_module* module) const noexcept { kmod_module_unref(module); }
};
using Module = std::unique_ptr<kmod_module, ReleaseModule>;

struct ReleaseList {
  void operator()(kmod_list* list) const noexcept { kmod_module_unref_list(list); }
};
using List = std::unique_ptr<kmod_list, ReleaseList>;

// Empty if the kernel's index knows no module of that name.
List look_up(kmod_ctx* context, const std::string& name) {
  kmod_list* list = nullptr;
  if (kmod_module_new_from_lookup(context, name.c_str(), &list) < 0) return {};
  return List(list);
}

Module module_of(const kmod_list* entry) {
  return Module(kmod_module_get_module(entry));
}

void say_nothing(void*, int, const char*, int, const char*, const char*, va_list) {}

}  // namespace

void Modules::Release::operator()(kmod_ctx* context) const noexcept {
  kmod_unref(context);
}

Modules::Modules(const std::string& directory)
    : context_(kmod_new(directory.empty() ? nullptr : directory.c_str(), nullptr)) {
  if (!context_) throw Failure(ENOMEM, "cannot open the list of the kernel's modules");
  kmod_set_log_fn(context_.get(), say_nothing, nullptr);
}

Modules::State Modules::state(const std::string& name) const {
  const List list = look_up(context_.get(), name);
  if (!list) return State::missing;
  kmod_list* entry = nullptr;
  kmod_list_foreach(entry, list.get()) {
    const int state = kmod_module_get_initstate(module_of(entry).get());
    if (state != KMOD_MODULE_BUILTIN && state != KMOD_MODULE_LIVE) return State::loadable;
  }
  return State::present;
}

int Modules::load(const std::string& name) const {
  const List list = look_up(context_.get(), name);
  if (!list) return ENODEV;
  kmod_list* entry = nullptr;
  kmod_list_foreach(entry, list.get()) {
    const int result =
        kmod_module_probe_insert_module(module_of(entry).get(), 0, nullptr, nullptr, nullptr, nullptr);
    if (result < 0 && result != -EEXIST) return -result;
    if (result > 0) return EPERM;  // an `install` or `blacklist` line of modprobe.d forbids it
  }
  return 0;
}

}  // namespace tcmufs::lio
