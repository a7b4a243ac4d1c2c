#include "attach/attachments.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "lio/config_text.h"
#include "support/fake_configfs.h"
#include "support/fake_doorbell.h"
#include "support/null_store.h"
#include "support/temporary_directory.h"
#include "sys/deadline.h"
#include "sys/error.h"
#include "volume/positional_engine.h"

namespace tcmufs::attach {
namespace {

using std::chrono_literals::operator""s;

/// Tells what the test says.
class FakeSource final : public NoticeSource {
 public:
  int fd() const noexcept override { return event_.number(); }
  std::vector<Notice> take() override {
    const std::lock_guard held(mutex_);
    clear_event(event_.number());
    return std::exchange(notices_, {});
  }
  void answer(const Notice& notice, int status) noexcept override {
    const std::lock_guard held(mutex_);
    if (notice.device_id) answers_[*notice.device_id].push_back(status);
  }
  void tell(Notice notice) {
    const std::lock_guard held(mutex_);
    notices_.push_back(std::move(notice));
    raise_event(event_.number());
  }
  std::vector<int> answers(u32 device_id) {
    const std::lock_guard held(mutex_);
    return answers_[device_id];
  }

 private:
  Fd event_ = make_event();
  std::mutex mutex_;
  std::vector<Notice> notices_;
  std::map<u32, std::vector<int>> answers_;
};

/// The test's own doorbell, for as long as it is used.
class Borrowed final : public volume::Doorbell {
 public:
  explicit Borrowed(test::FakeDoorbell& bell) : bell_(bell) {}
  std::span<std::byte> memory() noexcept override { return bell_.memory(); }
  int fd() const noexcept override { return bell_.fd(); }
  bool present(u32 events) const noexcept override { return bell_.present(events); }
  bool acknowledge() noexcept override { return bell_.acknowledge(); }
  bool notify() noexcept override { return bell_.notify(); }

 private:
  test::FakeDoorbell& bell_;
};

/// Tells when it is flushed. Can be made longer, if it `grows`.
class FlushedStore final : public test::NullStore {
 public:
  FlushedStore(u64 size_bytes, bool grows, std::function<void()> flushed)
      : NullStore(size_bytes), size_bytes_(size_bytes), grows_(grows), flushed_(std::move(flushed)) {}
  u64 size_bytes() const noexcept override { return size_bytes_; }
  std::error_code resize(u64 size_bytes) noexcept override {
    if (!grows_) return {ENOSPC, std::generic_category()};
    size_bytes_ = size_bytes;
    return {};
  }
  std::error_code flush() noexcept override {
    flushed_();
    return {};
  }

 private:
  std::atomic<u64> size_bytes_;
  const bool grows_;
  const std::function<void()> flushed_;
};

class AttachmentsTest : public testing::Test {
 protected:
  static constexpr u64 size = 65536;

  void make(const std::string& name, u32 minor, const std::string& dev_config = "tcmufs//a") {
    if (!tree_.exists("core/user_7")) tree_.make_directory("core/user_7");
    tree_.make_directory("core/user_7/" + name);
    tree_.write("core/user_7/" + name + "/control",
                "dev_config=" + dev_config + ",dev_size=65536,hw_block_size=512");
    tree_.write("core/user_7/" + name + "/enable", "1");
    tree_.listen();
    tree_.write("core/user_7/" + name + "/attrib/emulate_write_cache", "1");
    const std::string directory = sys_ / ("class/uio/uio" + std::to_string(minor));
    std::filesystem::create_directories(directory);
    std::ofstream(directory + "/name") << uio_name(name, dev_config) << "\n";
  }
  /// What the kernel does after it has told of it.
  void change_config(const std::string& dev_config) {
    tree_.write("core/user_7/disk/attrib/dev_config", dev_config);
    std::ofstream(sys_ / "class/uio/uio0/name") << uio_name("disk", dev_config) << "\n";
  }
  std::string attribute(const std::string& name) {
    return lio::read_value(tree_, "core/user_7/disk/attrib/" + name);
  }
  static std::string uio_name(const std::string& name, const std::string& dev_config = "tcmufs//a") {
    return "tcm-user/7/" + name + "/" + dev_config;
  }
  Notice notice(Notice::Kind kind, u32 minor, const std::string& name = "disk") {
    return {.kind = kind, .minor = minor, .name = uio_name(name), .device_id = ++last_id_};
  }
  int answer() {
    EXPECT_TRUE(eventually([&] { return !source_.answers(last_id_).empty(); }));
    return source_.answers(last_id_).at(0);
  }
  static bool eventually(const std::function<bool()>& condition) {
    return poll_until(Deadline::after(60s), condition);
  }
  bool has_opened(const std::string& config) {
    const std::lock_guard held(mutex_);
    return !opened_.empty() && opened_.back() == config;
  }
  u8 write_cache() {
    const std::array<u8, 6> caching{0x1a, 0x08, 0x08, 0, 64, 0};
    while (status_of(caching, 64) != 0) continue;  // unit attentions
    return last_.data_in.at(6) & 4;
  }
  void begin() { attachments_.emplace("tcmufs", source_, surroundings_, sys_.path()); }
  std::size_t served() const { return attachments_->served().size(); }

  u8 status_of(std::span<const u8> cdb, std::size_t data_in_bytes = 0) {
    bell_.send(cdb, {}, data_in_bytes);
    const auto completions = bell_.wait_for(1);
    last_ = completions.at(0);
    return last_.status;
  }
  u64 capacity_blocks() {
    const std::array<u8, 10> cdb{0x25};
    while (status_of(cdb, 8) != 0) continue;  // unit attentions
    u64 last = 0;
    for (std::size_t i = 0; i < 4; ++i) last = last << 8 | last_.data_in.at(i);
    return last + 1;
  }

  /// There is a disk, and it answers.
  void serve() {
    make("disk", 0);
    begin();
    EXPECT_EQ(capacity_blocks(), store_size_ / 512);
  }
  /// The kernel tells of a change of it; what is answered.
  int change(const std::function<void(Notice&)>& set = [](Notice&) {}) {
    Notice changed = notice(Notice::Kind::reconfigured, 0);
    set(changed);
    source_.tell(changed);
    return answer();
  }
  int set_config(const std::string& dev_config) {
    return change([&](Notice& changed) { changed.dev_config = dev_config; });
  }
  int set_size(u64 size_bytes) {
    return change([&](Notice& changed) { changed.size = size_bytes; });
  }
  /// The kernel has told of a new one, of that number.
  int add(u32 minor) {
    source_.tell(notice(Notice::Kind::added, minor));
    return answer();
  }

  test::TemporaryDirectory sys_;
  test::FakeConfigfs tree_;
  FakeSource source_;
  test::FakeDoorbell bell_{{}};
  std::mutex mutex_;
  std::vector<std::string> opened_;   // guarded by mutex_
  std::vector<std::string> flushed_;  // of the attachment's thread, until that has answered
  std::atomic<int> refusal_ = 0;
  u64 store_size_ = size;
  bool grows_ = true;
  Surroundings surroundings_{
      .tree = tree_,
      .name_of = [this](u32 minor) { return uio_name_of(minor, sys_.path()); },
      .open_doorbell = [this](const std::string&) { return std::make_unique<Borrowed>(bell_); },
      .open_store =
          [this](const Backstore& backstore) {
            if (refusal_ != 0) throw Failure(refusal_, "cannot open " + backstore.config);
            const std::lock_guard held(mutex_);
            opened_.push_back(backstore.config);
            return Opened{
                .store = std::make_unique<FlushedStore>(
                    store_size_, grows_, [this, config = backstore.config] { flushed_.push_back(config); }),
                .make_engine = [](scsi::LogicalUnit& unit, store::BlockStore& store) {
                  return std::make_unique<volume::PositionalEngine>(unit, store);
                }};
          },
      .answer = [this](const Notice& notice, int status) { source_.answer(notice, status); },
      .report = [](const std::string&) {}};
  u32 last_id_ = 0;
  test::FakeKernelRing::Completion last_;
  std::optional<Attachments> attachments_;
};

TEST_F(AttachmentsTest, WhatIsThereIsServedAndWhatIsOthersIsNot) {
  make("disk", 0);
  make("foreign", 1, "qcow//b");
  make("volume", 2, "tcmufs/99999999-2222-4333-8444-555555555555/volume");
  begin();
  ASSERT_TRUE(eventually([&] { return served() == 1; }));
  EXPECT_EQ(attachments_->served().at(0).name, "disk");
  EXPECT_EQ(capacity_blocks(), size / 512);
  attachments_.reset();  // whatever has been begun is done
  EXPECT_EQ(opened_, (std::vector<std::string>{"/a"}));
}

TEST_F(AttachmentsTest, WhatIsAddedIsServedFromItsFirstCommandOn) {
  begin();
  make("disk", 3);
  EXPECT_EQ(add(3), 0);
  EXPECT_EQ(served(), 1U);
  // Only now, as targetcli does it.
  tree_.write("core/user_7/disk/wwn/vpd_unit_serial", "12345678-9abc");
  const std::array<u8, 6> serial{0x12, 1, 0x80, 0, 64, 0};
  EXPECT_EQ(status_of(serial, 64), 0);
  EXPECT_EQ(std::string(last_.data_in.begin() + 4, last_.data_in.begin() + 17), "12345678-9abc");
}

TEST_F(AttachmentsTest, AStoreThatCannotBeOpenedIsTheAnswer) {
  begin();
  make("disk", 3);
  refusal_ = EACCES;
  EXPECT_EQ(add(3), EACCES);
  EXPECT_EQ(served(), 0U);
}

TEST_F(AttachmentsTest, ForOthersNothingIsAnswered) {
  begin();
  Notice foreign = notice(Notice::Kind::added, 4);
  foreign.name = "tcm-user/7/x/qcow//b";
  source_.tell(foreign);
  Notice volume = notice(Notice::Kind::added, 5);
  volume.name = "tcm-user/7/x/tcmufs/99999999-2222-4333-8444-555555555555/x";
  source_.tell(volume);
  make("disk", 3);
  EXPECT_EQ(add(3), 0);
  attachments_.reset();  // whatever has been begun is done
  EXPECT_TRUE(source_.answers(last_id_ - 1).empty());
  EXPECT_TRUE(source_.answers(last_id_ - 2).empty());
}

TEST_F(AttachmentsTest, TheSizeIsChangedWhileItIsServed) {
  serve();
  EXPECT_EQ(set_size(2 * size), 0);
  EXPECT_EQ(capacity_blocks(), 2 * size / 512);
  EXPECT_EQ(set_size(size + 1), EINVAL);
  EXPECT_EQ(capacity_blocks(), 2 * size / 512);
}

TEST_F(AttachmentsTest, AnotherConfigIsOpenedBeforeTheFirstIsLetGo) {
  serve();
  refusal_ = ENOENT;
  EXPECT_EQ(set_config("tcmufs//b"), ENOENT);
  EXPECT_EQ(capacity_blocks(), size / 512);
  refusal_ = 0;
  EXPECT_EQ(set_config("tcmufs//b"), 0);
  EXPECT_EQ(capacity_blocks(), size / 512);
  EXPECT_EQ(opened_, (std::vector<std::string>{"/a", "/b"}));
}

// Nobody can ask for that any more.
TEST_F(AttachmentsTest, AConfigThatIsLetGoIsFlushed) {
  serve();
  EXPECT_EQ(set_config("tcmufs//b"), 0);
  EXPECT_EQ(flushed_, (std::vector<std::string>{"/a"}));
}

TEST_F(AttachmentsTest, TheSameConfigIsNotOpenedTwice) {
  serve();
  EXPECT_EQ(set_config("tcmufs//a"), 0);
  EXPECT_EQ(opened_, (std::vector<std::string>{"/a"}));
}

// The notice of the removal may come before the thread has begun.
TEST_F(AttachmentsTest, WhatIsRemovedAtOnceIsLetGo) {
  make("disk", 0);
  for (int i = 0; i < 200; ++i) {
    Attachment attachment(surroundings_, {0, *UioName::parse(uio_name("disk"))}, std::nullopt);
    attachment.post(notice(Notice::Kind::removed, 0));
    ASSERT_TRUE(eventually([&] { return attachment.ended(); }));
  }
}

// Of one that was refused there is no notice.
TEST_F(AttachmentsTest, WhatHasGoneWithoutANoticeIsLetGo) {
  make("disk", 0);
  refusal_ = EACCES;
  Attachment attachment(surroundings_, {0, *UioName::parse(uio_name("disk"))},
                        notice(Notice::Kind::added, 0));
  EXPECT_EQ(answer(), EACCES);
  std::filesystem::remove_all(sys_ / "class/uio/uio0");
  EXPECT_TRUE(eventually([&] { return attachment.ended(); }));
}

TEST_F(AttachmentsTest, WithoutWriteCacheTheModePageSaysSo) {
  make("disk", 0);
  begin();
  EXPECT_EQ(write_cache(), 4);
  EXPECT_EQ(change([](Notice& off) { off.write_cache = false; }), 0);
  EXPECT_EQ(write_cache(), 0);
}

// Also over a death: whoever comes next goes by the same.
TEST_F(AttachmentsTest, TheWriteCacheIsAsTheAttributeSays) {
  make("disk", 0);
  tree_.write("core/user_7/disk/attrib/emulate_write_cache", "0");
  begin();
  EXPECT_EQ(write_cache(), 0);
  EXPECT_EQ(set_config("tcmufs//b"), 0);
  EXPECT_EQ(write_cache(), 0);
}

TEST_F(AttachmentsTest, WhatCannotBeOpenedIsTriedAgain) {
  make("disk", 0);
  refusal_ = EBUSY;
  begin();
  EXPECT_EQ(served(), 0U);
  refusal_ = 0;
  EXPECT_TRUE(eventually([&] { return served() == 1; }));
}

// It may have been cut off, and would read as zeros.
TEST_F(AttachmentsTest, WhatWasThereBeforeIsNotMadeLonger) {
  store_size_ = size / 2;
  serve();
  EXPECT_EQ(set_size(size), 0);
  EXPECT_EQ(capacity_blocks(), size / 512);
}

TEST_F(AttachmentsTest, NorByALookAtWhatHasBeenMissed) {
  store_size_ = size / 2;
  serve();
  source_.tell({.kind = Notice::Kind::missed});
  EXPECT_EQ(change(), 0);  // it is after that
  EXPECT_EQ(capacity_blocks(), size / 2 / 512);
}

// Nor the other way round: the attribute keeps what is known of the size.
TEST_F(AttachmentsTest, WhatIsMissingIsNotForgotten) {
  store_size_ = size / 2;
  grows_ = false;
  serve();
  EXPECT_EQ(set_size(size), ENOSPC);
  EXPECT_EQ(change(), 0);  // it is after that
  EXPECT_EQ(attribute("dev_size"), std::to_string(size));
}

TEST_F(AttachmentsTest, WhatIsNewIsMadeAsLongAlsoAtTheSecondTry) {
  begin();
  make("disk", 3);
  store_size_ = 0;
  refusal_ = EAGAIN;
  EXPECT_EQ(add(3), EAGAIN);
  refusal_ = 0;
  EXPECT_TRUE(eventually([&] { return served() == 1; }));
  EXPECT_EQ(capacity_blocks(), size / 512);
}

// Of one that was refused the kernel does not say that it has gone.
TEST_F(AttachmentsTest, WhatWasRefusedCanBeMadeOnceMore) {
  begin();
  make("disk", 3);
  refusal_ = EACCES;
  EXPECT_EQ(add(3), EACCES);
  refusal_ = 0;
  EXPECT_EQ(add(3), 0);
}

TEST_F(AttachmentsTest, WhatIsLeftIsFlushed) {
  serve();
  attachments_.reset();
  EXPECT_EQ(flushed_, (std::vector<std::string>{"/a"}));
}

TEST_F(AttachmentsTest, WhatIsNewIsMadeAsLongAsItIsToBe) {
  begin();
  make("disk", 3);
  store_size_ = 0;
  EXPECT_EQ(add(3), 0);
  EXPECT_EQ(capacity_blocks(), size / 512);
}

TEST_F(AttachmentsTest, WhatIsRefusedIsTakenBack) {
  serve();
  refusal_ = ENOENT;
  EXPECT_EQ(set_config("tcmufs//b"), ENOENT);
  change_config("tcmufs//b");
  EXPECT_TRUE(eventually([&] { return attribute("dev_config") == "tcmufs//a"; }));
  EXPECT_EQ(set_size(size + 1), EINVAL);
  tree_.write("core/user_7/disk/attrib/dev_size", std::to_string(size + 1));
  EXPECT_TRUE(eventually([&] { return attribute("dev_size") == std::to_string(size); }));
}

TEST_F(AttachmentsTest, TheConfigOfAnotherHandlerIsRefused) {
  serve();
  EXPECT_EQ(set_config("/srv/a"), EINVAL);
  EXPECT_EQ(capacity_blocks(), size / 512);
}

TEST_F(AttachmentsTest, WhatIsNotServedIsTriedWithItsNewConfig) {
  make("disk", 0);
  refusal_ = ENOENT;
  begin();
  EXPECT_EQ(set_config("tcmufs//b"), 0);
  change_config("tcmufs//b");
  refusal_ = 0;
  EXPECT_TRUE(eventually([&] { return has_opened("/b"); }));
  EXPECT_EQ(capacity_blocks(), size / 512);
}

TEST_F(AttachmentsTest, NoticesThatWereMissedTakeNothingAwayThatHasBeenChanged) {
  serve();
  EXPECT_EQ(set_config("tcmufs//b"), 0);
  change_config("tcmufs//b");
  source_.tell({.kind = Notice::Kind::missed});
  EXPECT_EQ(change(), 0);  // it is after that
  EXPECT_EQ(capacity_blocks(), size / 512);
  const std::lock_guard held(mutex_);
  EXPECT_EQ(opened_, (std::vector<std::string>{"/a", "/b"}));
}

TEST_F(AttachmentsTest, WhatIsRemovedIsServedNoMoreAndItsNumberCanComeAgain) {
  make("disk", 0);
  begin();
  ASSERT_TRUE(eventually([&] { return served() == 1; }));
  source_.tell(notice(Notice::Kind::removed, 0));
  EXPECT_EQ(answer(), 0);
  EXPECT_EQ(served(), 0U);
  make("next", 0);
  source_.tell(notice(Notice::Kind::added, 0, "next"));
  EXPECT_EQ(answer(), 0);
  EXPECT_EQ(attachments_->served().at(0).name, "next");
}

TEST_F(AttachmentsTest, WhatNoticesWereMissedOfIsFound) {
  make("gone", 0);
  begin();
  ASSERT_TRUE(eventually([&] { return served() == 1; }));
  std::filesystem::remove_all(sys_ / "class/uio/uio0");
  make("disk", 1);
  source_.tell({.kind = Notice::Kind::missed});
  EXPECT_TRUE(eventually([&] {
    const auto now = attachments_->served();
    return now.size() == 1 && now.at(0).name == "disk";
  }));
}

}  // namespace
}  // namespace tcmufs::attach
