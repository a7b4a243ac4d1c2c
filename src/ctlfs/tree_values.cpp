// Values that are written to control files. They are taken or refused in write(2): the close() of a shell's
// redirection tells nobody anything.

#include <cerrno>
#include <string_view>

#include "ctlfs/tree.h"
#include "sys/error.h"
#include "sys/size_text.h"

namespace tcmufs::ctlfs {

namespace {

constexpr std::size_t kLongestValue = 4096;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

/// Of the disk: the file of a link is as long as the path that it holds.
u64 present_size_bytes(Volume& volume) {
  if (volume.link_target().empty()) return volume.attributes().size_bytes;
  return size_from_text(std::string(trimmed(volume.control("size"))));
}

}  // namespace

/// As truncate(2).
void Tree::set_size(const Place& place, Volume& volume, const std::string& value) {
  u64 size_bytes = 0;
  try {
    size_bytes = size_change_from_text(value).applied_to(present_size_bytes(volume));
  } catch (const BadSize& error) {
    Lock lock(mutex_);
    refuse(lock, EINVAL, "cannot set " + quoted(place.path()) + ": " + error.what());
  }
  {
    const Lock lock(mutex_);
    ++place.node->changes;
  }
  resize(place, size_bytes, std::nullopt, 0);
}

void Tree::write_value(TextHandle& file, u64 offset, std::span<const std::byte> bytes) {
  const std::string_view written(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string value(trimmed(written));
  Claims::Held claim(claims_);
  Lock lock(mutex_);
  if (!file.written) refuse(lock, EBADF, "a control file is not open for writing");
  const Place place = *file.written;
  const std::string what = "cannot set " + quoted(place.path());
  const bool new_line = offset == file.end && file.line_ended;
  const auto done = [&] {
    file.end = offset + bytes.size();
    file.line_ended = written.ends_with('\n');
  };
  if (offset != 0 && value.empty()) return done();
  if (offset != 0 && !new_line) {
    refuse(lock, EINVAL, what + " by a write at offset " + std::to_string(offset),
           "Write the whole value at once, at the beginning");
  }
  if (value.size() > kLongestValue) {
    refuse(lock, EINVAL, what + " to a value of " + std::to_string(value.size()) + " bytes",
           "No value is longer than " + std::to_string(kLongestValue));
  }
  const auto must_exist = [&] {
    if (place.node->removed) refuse(lock, ENOENT, what + ": its volume has been removed");
  };
  if (place.node->volume || place.node->removed) {
    // The volume keeps its name, and the store's record of it its place, until the value is kept.
    claim.take(lock, [&] {
      must_exist();
      return std::vector{place.node->path()};
    });
  }
  const std::shared_ptr<Volume> volume = place.node->volume;
  lock.unlock();
  if (volume && place.control_name() == "size") {
    set_size(place, *volume, value);
  } else if (volume) {
    volume->set_control(place.control_name(), value);
  } else {
    backend_.set_control(place.control_name(), value);
  }
  auto now = std::make_shared<const std::string>(rendered(place));
  lock.lock();
  file.text = std::move(now);
  done();
}

}  // namespace tcmufs::ctlfs
