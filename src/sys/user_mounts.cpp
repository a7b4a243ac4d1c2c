#include "sys/user_mounts.h"

#include <libmount.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <sstream>

#include "sys/text_file.h"

namespace tcmufs {

namespace {

// Not the store's path: then mount(8) would take the entry for its own, and not write its options down.
constexpr const char* source = "fuse.tcmufs";
constexpr const char* option = "x-tcmufs";

struct Release {
  void operator()(libmnt_update* update) const { mnt_free_update(update); }
  void operator()(libmnt_fs* entry) const { mnt_unref_fs(entry); }
  void operator()(char* text) const { std::free(text); }
};

/// How many entries for `target` there are from the first one of ours on; `target` as it stands in the file.
long entries_from_ours(const std::string& text, const std::string& target) {
  long count = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" TARGET=" + target + " ") == std::string::npos) continue;
    if (count > 0 || line.starts_with("SRC=" + std::string(source) + " ")) ++count;
  }
  return count;
}

void remove_entries(const std::string& target) {
  const std::unique_ptr<libmnt_update, Release> update(mnt_new_update());
  const std::unique_ptr<char, Release> mangled(mnt_mangle(target.c_str()));
  if (!update || !mangled) return;
  const auto is_prepared = [&] { return mnt_update_set_fs(update.get(), 0, target.c_str(), nullptr) == 0; };
  if (!is_prepared() || !path_exists(mnt_update_get_filename(update.get()))) return;
  const std::string text = read_text(mnt_update_get_filename(update.get()));
  // Each update removes the last one.
  for (long left = entries_from_ours(text, mangled.get()); left > 0; --left) {
    if (!is_prepared() || mnt_update_table(update.get(), nullptr) != 0) return;
  }
}

void add_entry(const std::string& target) {
  const std::unique_ptr<libmnt_fs, Release> entry(mnt_new_fs());
  const std::unique_ptr<libmnt_update, Release> update(mnt_new_update());
  if (!entry || !update) return;
  const bool made = mnt_fs_set_source(entry.get(), source) == 0 &&
                    mnt_fs_set_target(entry.get(), target.c_str()) == 0 &&
                    mnt_fs_set_options(entry.get(), option) == 0;
  if (!made || mnt_update_set_fs(update.get(), 0, nullptr, entry.get()) != 0) return;
  static_cast<void>(mnt_update_table(update.get(), nullptr));
}

}  // namespace

// Whatever goes wrong in either: umount(8) works without, it does not wait for the daemon then.

void enter_user_mount(const std::string& target) noexcept {
  try {
    remove_entries(target);
    add_entry(target);
  } catch (const std::exception&) {
    return;
  }
}

void remove_user_mount(const std::string& target) noexcept {
  try {
    remove_entries(target);
  } catch (const std::exception&) {
    return;
  }
}

}  // namespace tcmufs
