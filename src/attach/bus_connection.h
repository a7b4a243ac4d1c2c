#pragma once

#include <systemd/sd-bus.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "attach/bus.h"

namespace tcmufs::attach {

/// One connection with the bus, for one thread.
class Bus::Connection {
 public:
  /// `handler` and `report` outlive it. Throws Failure.
  Connection(const HandlerDescription& handler, const std::function<void(const std::string&)>& report);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const noexcept { return ::sd_bus_get_fd(bus_.get()); }
  short events() const noexcept;
  /// How long to wait for these, at most.
  int timeout_ms() const noexcept;
  /// Does what there is to do. False: the bus has gone.
  bool process() noexcept;

 private:
  struct Close {
    void operator()(sd_bus* bus) const noexcept { ::sd_bus_flush_close_unref(bus); }
  };
  struct Unref {
    void operator()(sd_bus_slot* slot) const noexcept { ::sd_bus_slot_unref(slot); }
    void operator()(sd_bus_message* message) const noexcept { ::sd_bus_message_unref(message); }
  };
  using Slot = std::unique_ptr<sd_bus_slot, Unref>;
  using Message = std::unique_ptr<sd_bus_message, Unref>;

  /// A handler of another process.
  struct Guest {
    Connection* connection = nullptr;
    std::string name;
    std::string description;
    Slot object{};
  };

  void export_objects();
  void settle();
  void be_taken_in();
  void make_way();
  std::vector<std::string> queued_owners() const;
  int take_in(sd_bus_message* call);

  static int on_own_check(sd_bus_message* call, void* self, sd_bus_error* error);
  static int on_direct_call(sd_bus_message* call, void* self, sd_bus_error* error);
  static int on_manager_call(sd_bus_message* call, void* self, sd_bus_error* error);
  static int on_guest_check(sd_bus_message* call, void* guest, sd_bus_error* error);
  static int on_guest_answer(sd_bus_message* answer, void* call, sd_bus_error* error);
  static int on_owner_changed(sd_bus_message* signal, void* self, sd_bus_error* error);
  static int describe_own(sd_bus* bus, const char* path, const char* interface, const char* property,
                          sd_bus_message* reply, void* self, sd_bus_error* error);
  static int describe_guest(sd_bus* bus, const char* path, const char* interface, const char* property,
                            sd_bus_message* reply, void* guest, sd_bus_error* error);

  static const sd_bus_vtable own_interface[];
  static const sd_bus_vtable guest_interface[];

  const HandlerDescription& handler_;
  const std::function<void(const std::string&)>& report_;
  std::unique_ptr<sd_bus, Close> bus_;
  bool owner_ = false;
  bool unsettled_ = true;
  std::map<std::string, Guest> guests_;  // by the name of the handler
};

}  // namespace tcmufs::attach
