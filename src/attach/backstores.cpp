#include "tcmufs/backstores.h"

#include "attach/handler_service.h"
#include "device/brought.h"
#include "device/checked_options.h"
#include "device/errors.h"
#include "device/user_store.h"
#include "lio/kernel.h"

TCMUFS_BEGIN

namespace {

attach::Opened opened_with(const Served& served, const Backstore& backstore) {
  device::Brought brought = served.async_store ? device::Brought::asynchronous(served.async_store)
                                               : device::Brought{.store = served.store};
  brought.handler = served.handler;
  brought.threads = served.threads;
  if (brought.nothing()) device::refuse("the handler has opened nothing", "Return a store, or a handler");
  if (served.async_store && (served.store || served.handler)) {
    device::refuse("an asynchronous store is served alone, without a handler and another store",
                   "Return one of them");
  }
  device::check_threads(served.threads);
  // A store without a size of its own has that of the backstore.
  const u64 size = brought.store ? brought.store->size() : 0;
  return {.store = std::make_unique<device::UserStore>(brought.store, size == 0 ? backstore.size : size,
                                                       brought.one_at_a_time()),
          .make_engine =
              [=](scsi::LogicalUnit& unit, store::BlockStore& over) {
                return device::make_engine(brought, {unit, over, backstore.name, backstore.block_size});
              },
          .write_cache = brought.has_write_cache(),
          .thin = brought.can_discard(),
          .read_only = served.read_only};
}

}  // namespace

BackstoreHandler::~BackstoreHandler() = default;

void BackstoreHandler::check(const std::string&) {}

struct Backstores::State {
  State(const BackstoresOptions& options, const std::shared_ptr<BackstoreHandler>& handler)
      : service({.handler = {.name = options.handler,
                             .description = options.description,
                             .check = [handler](const std::string& config) { handler->check(config); }},
                 .open_store =
                     [handler](const Backstore& backstore) {
                       return opened_with(handler->open(backstore), backstore);
                     },
                 .report =
                     [on_event = options.on_event](const std::string& sentence) noexcept {
                       if (on_event) static_cast<void>(device::attempt([&] { on_event(sentence); }));
                     },
                 .bus = options.bus}) {}

  attach::HandlerService service;
};

Backstores::Backstores(std::unique_ptr<State> state) : state_(std::move(state)) {}
Backstores::Backstores(Backstores&& other) noexcept = default;
Backstores& Backstores::operator=(Backstores&& other) noexcept = default;
Backstores::~Backstores() = default;

Backstores Backstores::open(const BackstoresOptions& options, std::shared_ptr<BackstoreHandler> handler) {
  return device::as_error([&] {
    if (!attach::Bus::good_name(options.handler)) {
      device::refuse("a handler cannot have the name " + quoted(options.handler),
                     "Use letters, digits and '_', up to 64, and no digit first");
    }
    if (!handler) device::refuse("there is nobody to handle " + quoted(options.handler), "Give a handler");
    if (const std::string trouble = lio::prepare_kernel(); !trouble.empty() && options.on_event)
      options.on_event(trouble);
    return Backstores(std::make_unique<State>(options, handler));
  });
}

std::vector<Backstore> Backstores::served() const {
  return state_->service.served();
}

TCMUFS_END
