#include "fuse/operations.h"

#include <fuse_lowlevel.h>
#include <poll.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <vector>

#include "ctlfs/tree.h"
#include "fuse/process.h"
#include "fuse/request.h"
#include "fuse/serve.h"
#include "fuse/stream_reads.h"

namespace tcmufs::fuse {

namespace {

using ctlfs::Tree;

constexpr unsigned kMaxWrite = 1U << 20;
constexpr unsigned kMaxBackground = 64;
constexpr std::size_t kMostToCopy = std::size_t{1} << 30;  // kernels ask for more than the reply can say

Tree& tree_of(fuse_req_t request) {
  return static_cast<Served*>(fuse_req_userdata(request))->tree;
}

StreamReads& streams_of(fuse_req_t request) {
  return static_cast<Served*>(fuse_req_userdata(request))->streams;
}

pid_t caller(fuse_req_t request) {
  return process_of(fuse_req_ctx(request)->pid);
}

ctlfs::Creation creation(fuse_req_t request, mode_t mode) {
  const fuse_ctx* context = fuse_req_ctx(request);
  return {mode & 07777U, context->uid, context->gid, process_of(context->pid)};
}

/// Nothing is cached by the kernel: volumes change behind its back. generation 0: inodes are never used
/// again.
fuse_entry_param parameters(const Tree::Entry& entry) {
  fuse_entry_param reply{};
  reply.ino = entry.inode;
  reply.attr = entry.attributes;
  return reply;
}

void reply_entry(fuse_req_t request, const Tree::Entry& entry) {
  Tree& tree = tree_of(request);
  const fuse_entry_param reply = parameters(entry);
  if (fuse_reply_entry(request, &reply) != 0) tree.forget(entry.inode, 1);  // the caller is gone
}

/// direct_io: what has reached the image is seen, and writes come as they were made. Nobody asks for the
/// FLUSH of a file that is only read.
void set_up(fuse_file_info& file, u64 handle) {
  file.fh = handle;
  file.direct_io = 1;
  file.noflush = (file.flags & O_ACCMODE) == O_RDONLY ? 1 : 0;
}

void release(Tree& tree, StreamReads& streams, u64 handle) {
  streams.released(handle);
  tree.release(handle);
}

void init(void* /*served*/, fuse_conn_info* connection) {
  connection->want &= ~unsigned{FUSE_CAP_SPLICE_READ | FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_READDIRPLUS};
  connection->want |= connection->capable & unsigned{FUSE_CAP_ATOMIC_O_TRUNC};
  connection->max_write = kMaxWrite;
  connection->max_background = kMaxBackground;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  serve(
      request, [&] { return tree_of(request).lookup(parent, name); },
      [&](const std::optional<Tree::Entry>& entry) {
        if (entry) {
          reply_entry(request, *entry);
        } else {
          fuse_reply_err(request, ENOENT);
        }
      });
}

void forget(fuse_req_t request, fuse_ino_t inode, u64 count) {
  tree_of(request).forget(inode, count);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgotten) {
  for (const auto& one : std::span(forgotten, count)) tree_of(request).forget(one.ino, one.nlookup);
  fuse_reply_none(request);
}

void getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info* /*file*/) {
  serve(
      request, [&] { return tree_of(request).attributes(inode); },
      [&](const struct stat& attributes) { fuse_reply_attr(request, &attributes, 0); });
}

timespec now() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

ctlfs::AttributeChange change_from(const struct stat& wanted, int which) {
  const auto asked = [&](int bit) { return (which & bit) != 0; };
  ctlfs::AttributeChange change;
  if (asked(FUSE_SET_ATTR_MODE)) change.permissions = wanted.st_mode & 07777U;
  if (asked(FUSE_SET_ATTR_UID)) change.uid = wanted.st_uid;
  if (asked(FUSE_SET_ATTR_GID)) change.gid = wanted.st_gid;
  if (asked(FUSE_SET_ATTR_ATIME)) change.accessed = asked(FUSE_SET_ATTR_ATIME_NOW) ? now() : wanted.st_atim;
  if (asked(FUSE_SET_ATTR_MTIME)) change.modified = asked(FUSE_SET_ATTR_MTIME_NOW) ? now() : wanted.st_mtim;
  return change;
}

void setattr(fuse_req_t request, fuse_ino_t inode, struct stat* wanted, int which, fuse_file_info* file) {
  serve(
      request,
      [&] {
        std::optional<u64> size;
        if ((which & FUSE_SET_ATTR_SIZE) != 0) size = static_cast<u64>(wanted->st_size);
        const std::optional<u64> handle = file != nullptr ? std::optional<u64>(file->fh) : std::nullopt;
        const pid_t process = size ? caller(request) : 0;
        return tree_of(request).change(inode, change_from(*wanted, which), size, handle, process);
      },
      [&](const struct stat& attributes) { fuse_reply_attr(request, &attributes, 0); });
}

void mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t /*device*/) {
  serve(
      request,
      [&] { return tree_of(request).make_node(parent, name, mode & S_IFMT, creation(request, mode)); },
      [&](const Tree::Entry& entry) { reply_entry(request, entry); });
}

void mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  serve(
      request, [&] { return tree_of(request).make_directory(parent, name, creation(request, mode)); },
      [&](const Tree::Entry& entry) { reply_entry(request, entry); });
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  serve(request, [&] { tree_of(request).unlink(parent, name); });
}

void rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  serve(request, [&] { tree_of(request).remove_directory(parent, name); });
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  serve(request, [&] { tree_of(request).rename(parent, name, new_parent, new_name, flags); });
}

void link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t new_parent, const char* new_name) {
  serve(request, [&] { tree_of(request).link(inode, new_parent, new_name); });
}

void symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  constexpr mode_t mode_of_links = 0777;
  serve(
      request,
      [&] { return tree_of(request).symlink(parent, name, target, creation(request, mode_of_links)); },
      [&](const Tree::Entry& entry) { reply_entry(request, entry); });
}

void readlink(fuse_req_t request, fuse_ino_t inode) {
  serve(
      request, [&] { return tree_of(request).readlink(inode); },
      [&](const std::string& target) { fuse_reply_readlink(request, target.c_str()); });
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* file) {
  Tree& tree = tree_of(request);
  serve(
      request, [&] { return tree.create(parent, name, file->flags, creation(request, mode)); },
      [&](const Tree::Created& created) {
        const fuse_entry_param reply = parameters(created.entry);
        set_up(*file, created.handle);
        if (fuse_reply_create(request, &reply, file) == 0) return;
        tree.release(created.handle);
        tree.forget(created.entry.inode, 1);
      });
}

void open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  Tree& tree = tree_of(request);
  StreamReads& streams = streams_of(request);
  const bool read_only = (file->flags & O_ACCMODE) == O_RDONLY && (file->flags & O_TRUNC) == 0;
  bool is_stream = false;
  serve(
      request,
      [&] {
        const u64 handle = tree.open(inode, file->flags, read_only ? 0 : caller(request));
        is_stream = tree.stream(handle) != nullptr;
        if (is_stream) streams.opened(handle);
        return handle;
      },
      [&](u64 handle) {
        set_up(*file, handle);
        const auto stream = opened_stream(handle);
        const int error =
            is_stream ? fuse_reply_buf(request, reinterpret_cast<const char*>(stream.data()), stream.size())
                      : fuse_reply_open(request, file);
        if (error != 0) release(tree, streams, handle);
      });
}

void read(fuse_req_t request, fuse_ino_t /*inode*/, std::size_t size, off_t offset, fuse_file_info* file) {
  if (auto stream = tree_of(request).stream(file->fh)) {
    return streams_of(request).read(request, file->fh, std::move(stream), size,
                                    (file->flags & O_NONBLOCK) != 0);
  }
  std::unique_ptr<std::byte[]> buffer;
  serve(
      request,
      [&] {
        buffer = std::make_unique_for_overwrite<std::byte[]>(size);
        return tree_of(request).read(file->fh, static_cast<u64>(offset), {buffer.get(), size});
      },
      [&](std::size_t length) {
        fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.get()), length);
      });
}

void poll(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file, fuse_pollhandle* notified) {
  if (auto stream = tree_of(request).stream(file->fh)) {
    return streams_of(request).poll(request, file->fh, stream, notified);
  }
  // All other files are always ready, as regular files are.
  if (notified != nullptr) fuse_pollhandle_destroy(notified);
  fuse_reply_poll(request, POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
}

void write(fuse_req_t request, fuse_ino_t /*inode*/, const char* bytes, std::size_t size, off_t offset,
           fuse_file_info* file) {
  serve(
      request,
      [&] {
        tree_of(request).write(file->fh, static_cast<u64>(offset), std::as_bytes(std::span(bytes, size)),
                               recent_process_of(fuse_req_ctx(request)->pid));
        return size;
      },
      [&](std::size_t length) { fuse_reply_write(request, length); });
}

void flush(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file) {
  serve(request, [&] { tree_of(request).flush(file->fh, caller(request)); });
}

void release(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file) {
  serve(request, [&] { release(tree_of(request), streams_of(request), file->fh); });
}

void fsync(fuse_req_t request, fuse_ino_t /*inode*/, int /*data_only*/, fuse_file_info* file) {
  serve(request, [&] { tree_of(request).sync(file->fh); });
}

void opendir(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  Tree& tree = tree_of(request);
  serve(
      request, [&] { return tree.open_directory(inode); },
      [&](u64 handle) {
        file->fh = handle;
        if (fuse_reply_open(request, file) != 0) tree.release(handle);
      });
}

void readdir(fuse_req_t request, fuse_ino_t /*inode*/, std::size_t size, off_t offset, fuse_file_info* file) {
  std::vector<char> buffer;
  serve(
      request,
      [&] {
        buffer.resize(size);
        const auto listed = tree_of(request).list(file->fh);
        const auto& names = *listed;
        std::size_t used = 0;
        for (auto at = static_cast<std::size_t>(offset); at < names.size(); ++at) {
          struct stat attributes {};
          attributes.st_ino = names[at].inode;
          attributes.st_mode = names[at].type;
          const std::size_t length =
              fuse_add_direntry(request, buffer.data() + used, size - used, names[at].name.c_str(),
                                &attributes, static_cast<off_t>(at + 1));
          if (length > size - used) break;
          used += length;
        }
        return used;
      },
      [&](std::size_t used) { fuse_reply_buf(request, buffer.data(), used); });
}

void statfs(fuse_req_t request, fuse_ino_t /*inode*/) {
  serve(
      request, [&] { return tree_of(request).space(); },
      [&](const struct statvfs& space) { fuse_reply_statfs(request, &space); });
}

void access(fuse_req_t request, fuse_ino_t inode, int mask) {
  serve(request, [&] { tree_of(request).access(inode, mask); });
}

void fallocate(fuse_req_t request, fuse_ino_t /*inode*/, int mode, off_t offset, off_t length,
               fuse_file_info* file) {
  serve(request, [&] {
    tree_of(request).allocate(file->fh, mode, static_cast<u64>(offset), static_cast<u64>(length),
                              caller(request));
  });
}

void lseek(fuse_req_t request, fuse_ino_t /*inode*/, off_t offset, int whence, fuse_file_info* file) {
  serve(
      request, [&] { return tree_of(request).seek(file->fh, static_cast<u64>(offset), whence); },
      [&](u64 found) { fuse_reply_lseek(request, static_cast<off_t>(found)); });
}

void copy_file_range(fuse_req_t request, fuse_ino_t /*from*/, off_t from_offset, fuse_file_info* from,
                     fuse_ino_t /*to*/, off_t to_offset, fuse_file_info* to, std::size_t length,
                     int /*flags*/) {
  serve(
      request,
      [&] {
        return tree_of(request).copy(from->fh, static_cast<u64>(from_offset), to->fh,
                                     static_cast<u64>(to_offset), std::min(length, kMostToCopy),
                                     recent_process_of(fuse_req_ctx(request)->pid));
      },
      [&](u64 copied) { fuse_reply_write(request, copied); });
}

}  // namespace

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops all = [] {
    fuse_lowlevel_ops ops{};
    ops.init = init;
    ops.lookup = lookup;
    ops.forget = forget;
    ops.forget_multi = forget_multi;
    ops.getattr = getattr;
    ops.setattr = setattr;
    ops.mknod = mknod;
    ops.mkdir = mkdir;
    ops.unlink = unlink;
    ops.rmdir = rmdir;
    ops.rename = rename;
    ops.link = link;
    ops.symlink = symlink;
    ops.readlink = readlink;
    ops.create = create;
    ops.open = open;
    ops.read = read;
    ops.poll = poll;
    ops.write = write;
    ops.flush = flush;
    ops.release = release;
    ops.fsync = fsync;
    ops.opendir = opendir;
    ops.readdir = readdir;
    ops.releasedir = release;
    ops.statfs = statfs;
    ops.access = access;
    ops.fallocate = fallocate;
    ops.lseek = lseek;
    ops.copy_file_range = copy_file_range;
    return ops;
  }();
  return all;
}

}  // namespace tcmufs::fuse
