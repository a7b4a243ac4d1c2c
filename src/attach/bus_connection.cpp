#include "attach/bus_connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string_view>

#include "sys/error.h"
#include "sys/integers.h"

namespace tcmufs::attach {

namespace {

constexpr auto service = "org.kernel.TCMUService1";
constexpr auto root = "/org/kernel/TCMUService1";
constexpr auto manager = "org.kernel.TCMUService1.HandlerManager1";
constexpr auto manager_path = "/org/kernel/TCMUService1/HandlerManager1";
constexpr auto names_of_ours =
    "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',member='NameOwnerChanged',"
    "arg0namespace='org.kernel.TCMUService1'";
constexpr u64 call_patience_us = 10'000'000;
constexpr int looking_interval_ms = 2'000;  // for those who wait for the name: nobody tells of them

std::string direct_name(const std::string& handler) {
  return std::string(manager) + "." + handler;
}

void must(int result, const std::string& what) {
  if (result < 0) throw Failure(-result, "cannot " + what + " on the system bus");
}

int answer_check(sd_bus_message* call, const HandlerDescription& handler) noexcept {
  const char* text = nullptr;
  if (const int result = ::sd_bus_message_read(call, "s", &text); result < 0) return result;
  // "HANDLER/CONFIG", as targetcli has it.
  const std::string_view whole = text;
  const auto slash = whole.find('/');
  const std::string config(slash == std::string_view::npos ? "" : whole.substr(slash + 1));
  std::string why;
  try {
    handler.check(config);
  } catch (const std::exception& error) {
    why = error.what();
  } catch (...) {
    why = "the handler refuses it without a word";
  }
  return ::sd_bus_reply_method_return(call, "bs", why.empty() ? 1 : 0, why.c_str());
}

}  // namespace

// NOLINTBEGIN: the initializers are sd-bus's.
const sd_bus_vtable Bus::Connection::own_interface[] = {
    SD_BUS_VTABLE_START(0), SD_BUS_METHOD("CheckConfig", "s", "bs", on_own_check, 0),
    SD_BUS_PROPERTY("ConfigDesc", "s", describe_own, 0, 0), SD_BUS_VTABLE_END};
const sd_bus_vtable Bus::Connection::guest_interface[] = {
    SD_BUS_VTABLE_START(0), SD_BUS_METHOD("CheckConfig", "s", "bs", on_guest_check, 0),
    SD_BUS_PROPERTY("ConfigDesc", "s", describe_guest, 0, 0), SD_BUS_VTABLE_END};
// NOLINTEND

Bus::Connection::Connection(const HandlerDescription& handler,
                            const std::function<void(const std::string&)>& report)
    : handler_(handler), report_(report) {
  sd_bus* bus = nullptr;
  if (const int result = ::sd_bus_open_system(&bus); result < 0)
    throw Failure(-result, "cannot reach the system bus", "Does dbus-daemon run?");
  bus_.reset(bus);
  export_objects();
  // The name by which those who take the handler in ask it.
  const int result = ::sd_bus_request_name(bus, direct_name(handler.name).c_str(), 0);
  if (result == -EEXIST) {
    throw Failure(EBUSY, "another process is the handler " + quoted(handler.name) + " on the system bus");
  }
  must(result, "have the name " + quoted(direct_name(handler.name)));
}

Bus::Connection::~Connection() = default;

void Bus::Connection::export_objects() {
  sd_bus* const bus = bus_.get();
  must(::sd_bus_add_object_manager(bus, nullptr, root), "show handlers");
  must(::sd_bus_add_object_vtable(bus, nullptr, (std::string(root) + "/" + handler_.name).c_str(), service,
                                  own_interface, this),
       "show the handler");
  // These two are not handlers of targetcli's, and so not for the object manager.
  must(::sd_bus_add_object(bus, nullptr, (std::string(manager_path) + "/" + handler_.name).c_str(),
                           on_direct_call, this),
       "answer");
  must(::sd_bus_add_object(bus, nullptr, manager_path, on_manager_call, this), "take handlers in");
  must(::sd_bus_add_match(bus, nullptr, names_of_ours, on_owner_changed, this), "listen");
}

short Bus::Connection::events() const noexcept {
  const int events = ::sd_bus_get_events(bus_.get());
  return events < 0 ? short{POLLIN} : static_cast<short>(events);
}

int Bus::Connection::timeout_ms() const noexcept {
  const int longest = owner_ ? looking_interval_ms : -1;
  u64 until_us = 0;
  if (::sd_bus_get_timeout(bus_.get(), &until_us) < 0 || until_us == UINT64_MAX) return longest;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const u64 now_us = static_cast<u64>(now.tv_sec) * 1'000'000 + static_cast<u64>(now.tv_nsec) / 1'000;
  const u64 left_ms = until_us > now_us ? (until_us - now_us) / 1'000 + 1 : 0;
  return static_cast<int>(std::min<u64>(left_ms, looking_interval_ms));
}

bool Bus::Connection::process() noexcept {
  try {
    int result = 0;
    do {
      result = ::sd_bus_process(bus_.get(), nullptr);
    } while (result > 0);
    if (result < 0) return false;
    if (std::exchange(unsettled_, false)) settle();
    make_way();
    return ::sd_bus_is_open(bus_.get()) > 0;
  } catch (const std::exception& error) {
    report_(error.what());
    return ::sd_bus_is_open(bus_.get()) > 0;
  }
}

void Bus::Connection::settle() {
  if (owner_) return;
  const int result = ::sd_bus_request_name(bus_.get(), service, 0);
  if (result == -EEXIST) return be_taken_in();
  must(result, std::string("have the name ") + service);
  owner_ = true;
  report_("targetcli finds the handler " + quoted(handler_.name) + " on the system bus");
}

void Bus::Connection::be_taken_in() {
  sd_bus_message* call = nullptr;
  must(::sd_bus_message_new_method_call(bus_.get(), &call, service, manager_path, manager, "RegisterHandler"),
       "make a call");
  const Message kept(call);
  must(::sd_bus_message_append(call, "ss", handler_.name.c_str(), handler_.description.c_str()),
       "make a call");
  ::sd_bus_message_set_auto_start(call, 0);
  sd_bus_error error{};
  sd_bus_message* answer = nullptr;
  const int result = ::sd_bus_call(bus_.get(), call, call_patience_us, &error, &answer);
  const Message kept_answer(answer);
  int taken = 0;
  const char* words = error.message != nullptr ? error.message : "";
  if (result >= 0) ::sd_bus_message_read(answer, "bs", &taken, &words);
  report_(taken != 0
              ? "who has the name " + std::string(service) + " on the system bus has taken the handler " +
                    quoted(handler_.name) + " in"
              : "who has the name " + std::string(service) + " on the system bus did not take the handler " +
                    quoted(handler_.name) + " in, so that targetcli does not find it: " + words);
  ::sd_bus_error_free(&error);
}

// Processes of this library do not wait for the name; so it is somebody who cannot be taken in.
void Bus::Connection::make_way() {
  if (!owner_ || queued_owners().size() < 2) return;
  owner_ = false;
  guests_.clear();
  must(::sd_bus_release_name(bus_.get(), service), "give a name up");
}

std::vector<std::string> Bus::Connection::queued_owners() const {
  std::vector<std::string> owners;
  sd_bus_message* answer = nullptr;
  const int result =
      ::sd_bus_call_method(bus_.get(), "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "ListQueuedOwners", nullptr, &answer, "s", service);
  const Message kept(answer);
  if (result < 0 || ::sd_bus_message_enter_container(answer, 'a', "s") < 0) return owners;
  const char* owner = nullptr;
  while (::sd_bus_message_read(answer, "s", &owner) > 0) owners.emplace_back(owner);
  return owners;
}

int Bus::Connection::on_own_check(sd_bus_message* call, void* self, sd_bus_error*) {
  return answer_check(call, static_cast<Connection*>(self)->handler_);
}

int Bus::Connection::on_direct_call(sd_bus_message* call, void* self, sd_bus_error*) {
  if (::sd_bus_message_is_method_call(call, service, "CheckConfig") <= 0) return 0;
  return answer_check(call, static_cast<Connection*>(self)->handler_);
}

int Bus::Connection::on_manager_call(sd_bus_message* call, void* self, sd_bus_error*) {
  if (::sd_bus_message_is_method_call(call, manager, "RegisterHandler") <= 0) return 0;
  return static_cast<Connection*>(self)->take_in(call);
}

int Bus::Connection::take_in(sd_bus_message* call) {
  const char* name = nullptr;
  const char* description = nullptr;
  if (const int result = ::sd_bus_message_read(call, "ss", &name, &description); result < 0) return result;
  if (!good_name(name) || name == handler_.name)
    return ::sd_bus_reply_method_return(call, "bs", 0, "there can be no handler of that name");
  Guest& guest = guests_[name];
  guest = {.connection = this, .name = name, .description = description};
  sd_bus_slot* slot = nullptr;
  const int result = ::sd_bus_add_object_vtable(bus_.get(), &slot, (std::string(root) + "/" + name).c_str(),
                                                service, guest_interface, &guest);
  if (result < 0) return result;
  guest.object.reset(slot);
  return ::sd_bus_reply_method_return(call, "bs", 1, "succeeded");
}

int Bus::Connection::on_guest_check(sd_bus_message* call, void* data, sd_bus_error*) {
  const Guest& guest = *static_cast<Guest*>(data);
  const char* config = nullptr;
  if (const int result = ::sd_bus_message_read(call, "s", &config); result < 0) return result;
  const std::string path = std::string(manager_path) + "/" + guest.name;
  const int result =
      ::sd_bus_call_method_async(guest.connection->bus_.get(), nullptr, direct_name(guest.name).c_str(),
                                 path.c_str(), service, "CheckConfig", on_guest_answer, call, "s", config);
  if (result >= 0) ::sd_bus_message_ref(call);
  return result < 0 ? result : 1;
}

int Bus::Connection::on_guest_answer(sd_bus_message* answer, void* data, sd_bus_error*) {
  const Message call(static_cast<sd_bus_message*>(data));
  if (const sd_bus_error* const error = ::sd_bus_message_get_error(answer))
    return ::sd_bus_reply_method_return(call.get(), "bs", 0, error->message);
  int good = 0;
  const char* why = nullptr;
  if (const int result = ::sd_bus_message_read(answer, "bs", &good, &why); result < 0) return result;
  return ::sd_bus_reply_method_return(call.get(), "bs", good, why);
}

int Bus::Connection::on_owner_changed(sd_bus_message* signal, void* data, sd_bus_error*) {
  auto& self = *static_cast<Connection*>(data);
  const char* name = nullptr;
  const char* before = nullptr;
  const char* now = nullptr;
  if (::sd_bus_message_read(signal, "sss", &name, &before, &now) < 0) return 0;
  const std::string changed = name;
  if (changed == service) self.unsettled_ = true;
  if (*now == '\0' && changed.starts_with(std::string(manager) + "."))
    self.guests_.erase(changed.substr(std::string(manager).size() + 1));
  return 0;
}

int Bus::Connection::describe_own(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                                  void* self, sd_bus_error*) {
  return ::sd_bus_message_append(reply, "s", static_cast<Connection*>(self)->handler_.description.c_str());
}

int Bus::Connection::describe_guest(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                                    void* guest, sd_bus_error*) {
  return ::sd_bus_message_append(reply, "s", static_cast<Guest*>(guest)->description.c_str());
}

}  // namespace tcmufs::attach
