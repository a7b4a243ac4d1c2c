#include "device/user_store.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <stdexcept>

#include "tcmufs/error.h"

namespace tcmufs::device {
namespace {

constexpr u64 store_bytes = 1 << 20;

class Plain : public BlockStore {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data) override {
    if (fault) fault();
    std::copy_n(&bytes[offset], data.size(), data.begin());
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    if (fault) fault();
    std::copy(data.begin(), data.end(), &bytes[offset]);
  }

  std::vector<std::byte> bytes = std::vector<std::byte>(store_bytes, std::byte{0xee});
  std::function<void()> fault;
};

class UserStoreTest : public testing::Test {
 protected:
  int error_of_reading(u64 offset = 0) {
    std::array<std::byte, 512> block{};
    const iovec piece{block.data(), block.size()};
    return store_.read(offset, {&piece, 1}).value();
  }

  std::shared_ptr<Plain> plain_ = std::make_shared<Plain>();
  UserStore store_{plain_, store_bytes, true};
};

TEST_F(UserStoreTest, PiecesOfABufferFollowEachOther) {
  std::array<std::byte, 512> one{};
  std::array<std::byte, 1024> other{};
  other.back() = std::byte{7};
  const std::array<iovec, 2> pieces{iovec{one.data(), one.size()}, iovec{other.data(), other.size()}};
  EXPECT_FALSE(store_.write(4096, pieces));
  EXPECT_EQ(plain_->bytes[4096 + 512 + 1023], std::byte{7});
  other.back() = std::byte{};
  EXPECT_FALSE(store_.read(4096, pieces));
  EXPECT_EQ(other.back(), std::byte{7});
}

TEST_F(UserStoreTest, WhatIsThrownBecomesAnErrno) {
  EXPECT_EQ(error_of_reading(), 0);
  plain_->fault = [] { throw Error(ENOSPC, "full"); };
  EXPECT_EQ(error_of_reading(), ENOSPC);
  plain_->fault = [] { throw std::system_error(EROFS, std::system_category()); };
  EXPECT_EQ(error_of_reading(), EROFS);
  plain_->fault = [] { throw std::bad_alloc(); };
  EXPECT_EQ(error_of_reading(), ENOMEM);
  plain_->fault = [] { throw std::runtime_error("no errno"); };
  EXPECT_EQ(error_of_reading(), EIO);
  plain_->fault = [] { throw 42; };
  EXPECT_EQ(error_of_reading(), EIO);
}

TEST_F(UserStoreTest, ARangeBeyondTheEndIsNotAskedFor) {
  plain_->fault = [] { FAIL() << "asked"; };
  EXPECT_EQ(error_of_reading(store_bytes - 511), EIO);
  EXPECT_EQ(error_of_reading(~u64{0}), EIO);
}

TEST_F(UserStoreTest, ZeroesByWritingUnlessTheStoreKnowsBetter) {
  EXPECT_FALSE(store_.zero(512, 512 << 10));
  EXPECT_EQ(plain_->bytes[511], std::byte{0xee});
  EXPECT_EQ(plain_->bytes[512], std::byte{});
  EXPECT_EQ(plain_->bytes[512 + (512 << 10) - 1], std::byte{});
  EXPECT_EQ(plain_->bytes[512 + (512 << 10)], std::byte{0xee});
  EXPECT_FALSE(store_.discard(0, 512));
  EXPECT_EQ(plain_->bytes[0], std::byte{});
}

TEST_F(UserStoreTest, CannotBeResizedUnlessTheStoreCan) {
  EXPECT_EQ(store_.resize(2 * store_bytes).value(), ENOTSUP);
  EXPECT_EQ(store_.size_bytes(), store_bytes);
}

TEST_F(UserStoreTest, AFlushIsNotPretended) {
  EXPECT_FALSE(store_.flush()) << "nothing is kept back";
  class Promising final : public Plain {
   public:
    bool has_write_cache() const override { return true; }
  };
  UserStore promising(std::make_shared<Promising>(), store_bytes, true);
  EXPECT_EQ(promising.flush().value(), ENOTSUP);
}

TEST_F(UserStoreTest, WithoutAStoreEveryTransferFails) {
  UserStore none(nullptr, store_bytes, false);
  std::array<std::byte, 512> block{};
  const iovec piece{block.data(), block.size()};
  EXPECT_EQ(none.read(0, {&piece, 1}).value(), EIO);
}

// A handler that answers all commands itself has what size it says.
TEST_F(UserStoreTest, WithoutAStoreThereIsNothingToFlushAndAnySize) {
  UserStore none(nullptr, store_bytes, false);
  EXPECT_FALSE(none.flush());
  EXPECT_FALSE(none.resize(2 * store_bytes));
  EXPECT_EQ(none.size_bytes(), 2 * store_bytes);
}

}  // namespace
}  // namespace tcmufs::device
