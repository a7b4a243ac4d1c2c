#include "attach/netlink.h"

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include <array>
#include <cerrno>

#include "attach/netlink_abi.h"
#include "sys/error.h"

namespace tcmufs::attach {

namespace {

constexpr auto family_name = "TCM-USER";
constexpr auto group_name = "config";
constexpr u8 version = 2;
constexpr int buffer_bytes = 1 << 20;  // some thousand notices

[[noreturn]] void refuse(const std::string& what, int nl_error) {
  // libnl has numbers of its own; two of them matter to users.
  const int error = nl_error == -NLE_OBJ_NOTFOUND ? ENOENT : nl_error == -NLE_PERM ? EPERM : EIO;
  throw Failure(error, what + " (" + ::nl_geterror(nl_error) + ")",
                error == ENOENT  ? "Load the module target_core_user"
                : error == EPERM ? "Only root can do this"
                                 : "");
}

std::optional<Notice::Kind> kind_of(u8 command) {
  switch (command) {
    case netlink_added:
      return Notice::Kind::added;
    case netlink_removed:
      return Notice::Kind::removed;
    case netlink_reconfigured:
      return Notice::Kind::reconfigured;
    default:
      return std::nullopt;
  }
}

u8 answer_to(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::added:
      return netlink_added_done;
    case Notice::Kind::removed:
      return netlink_removed_done;
    default:
      return netlink_reconfigured_done;
  }
}

std::array<nla_policy, netlink_attribute_last + 1> make_policy() {
  std::array<nla_policy, netlink_attribute_last + 1> policy{};
  policy[netlink_attribute_device].type = NLA_STRING;
  policy[netlink_attribute_minor].type = NLA_U32;
  policy[netlink_attribute_dev_config].type = NLA_STRING;
  policy[netlink_attribute_dev_size].type = NLA_U64;
  policy[netlink_attribute_write_cache].type = NLA_U8;
  policy[netlink_attribute_device_id].type = NLA_U32;
  return policy;
}

std::optional<Notice> notice_of(nl_msg* message) {
  static std::array<nla_policy, netlink_attribute_last + 1> policy = make_policy();
  nlmsghdr* const header = ::nlmsg_hdr(message);
  const auto* const generic = static_cast<const genlmsghdr*>(::nlmsg_data(header));
  std::array<nlattr*, netlink_attribute_last + 1> found{};
  if (::genlmsg_parse(header, 0, found.data(), netlink_attribute_last, policy.data()) < 0)
    return std::nullopt;
  const auto kind = kind_of(generic->cmd);
  if (!kind || found[netlink_attribute_device] == nullptr || found[netlink_attribute_minor] == nullptr)
    return std::nullopt;
  Notice notice{.kind = *kind,
                .minor = ::nla_get_u32(found[netlink_attribute_minor]),
                .name = ::nla_get_string(found[netlink_attribute_device])};
  if (nlattr* const id = found[netlink_attribute_device_id]) notice.device_id = ::nla_get_u32(id);
  if (nlattr* const size = found[netlink_attribute_dev_size]) notice.size = ::nla_get_u64(size);
  if (nlattr* const cache = found[netlink_attribute_write_cache])
    notice.write_cache = ::nla_get_u8(cache) != 0;
  if (nlattr* const config = found[netlink_attribute_dev_config]) {
    notice.dev_config = ::nla_get_string(config);
    // As it was written to the attribute: with the end of the line that echo makes.
    while (notice.dev_config->ends_with('\n')) notice.dev_config->pop_back();
  }
  return notice;
}

int keep(nl_msg* message, void* to) {
  if (auto notice = notice_of(message)) static_cast<std::vector<Notice>*>(to)->push_back(std::move(*notice));
  return NL_OK;
}

}  // namespace

void Netlink::Free::operator()(nl_sock* socket) const noexcept {
  ::nl_socket_free(socket);
}

Netlink::Socket Netlink::connect() {
  Socket socket(::nl_socket_alloc());
  if (!socket) throw Failure(ENOMEM, "cannot make a netlink socket");
  if (const int error = ::genl_connect(socket.get()); error < 0)
    refuse("cannot connect to the kernel", error);
  return socket;
}

Netlink::Netlink() : notices_(connect()), answers_(connect()) {
  family_ = ::genl_ctrl_resolve(answers_.get(), family_name);
  if (family_ < 0) refuse("the kernel tells nothing of TCMU devices", family_);
  const int group = ::genl_ctrl_resolve_grp(answers_.get(), family_name, group_name);
  if (group < 0) refuse("the kernel tells nothing of TCMU devices", group);
  ::nl_socket_disable_seq_check(notices_.get());
  ::nl_socket_set_buffer_size(notices_.get(), buffer_bytes, 0);
  if (const int error = ::nl_socket_set_nonblocking(notices_.get()); error < 0)
    refuse("cannot set up a netlink socket", error);
  if (const int error = ::nl_socket_add_membership(notices_.get(), group); error < 0)
    refuse("cannot listen to what the kernel tells of TCMU devices", error);
}

int Netlink::fd() const noexcept {
  return ::nl_socket_get_fd(notices_.get());
}

std::vector<Notice> Netlink::take() {
  std::vector<Notice> notices;
  ::nl_socket_modify_cb(notices_.get(), NL_CB_VALID, NL_CB_CUSTOM, keep, &notices);
  for (;;) {
    const int error = ::nl_recvmsgs_default(notices_.get());
    if (error >= 0) continue;
    // Everything but "nothing more now" may have swallowed something (ENOBUFS is NLE_NOMEM).
    if (error != -NLE_AGAIN) notices.push_back({.kind = Notice::Kind::missed});
    return notices;
  }
}

void Netlink::answer(const Notice& notice, int status) noexcept {
  if (!notice.device_id) return;
  nl_msg* const message = ::nlmsg_alloc();
  if (message == nullptr) return;
  const bool complete = ::genlmsg_put(message, NL_AUTO_PORT, NL_AUTO_SEQ, family_, 0, 0,
                                      answer_to(notice.kind), version) != nullptr &&
                        ::nla_put_s32(message, netlink_attribute_command_status, -status) == 0 &&
                        ::nla_put_u32(message, netlink_attribute_device_id, *notice.device_id) == 0;
  if (!complete) return ::nlmsg_free(message);
  const std::lock_guard held(mutex_);
  // Frees the message. The kernel refuses an answer that it does not wait for, which is no matter.
  static_cast<void>(::nl_send_sync(answers_.get(), message));
}

}  // namespace tcmufs::attach
