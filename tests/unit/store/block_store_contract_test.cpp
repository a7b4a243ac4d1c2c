#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <memory>
#include <ostream>
#include <thread>

#include "store/file_store.h"
#include "support/memory_store.h"
#include "support/temporary_directory.h"
#include "unit/store/buffers.h"

namespace tcmufs::test {
namespace {

using store::BlockStore;

constexpr u64 size = 64 * 1024;

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<BlockStore>(const TemporaryDirectory&)> make;
};

void PrintTo(const StoreKind& kind, std::ostream* out) {
  *out << kind.name;
}

std::unique_ptr<BlockStore> make_file_store(const TemporaryDirectory& directory) {
  Fd file = open_file(directory / "image", O_RDWR | O_CREAT, 0600);
  EXPECT_EQ(::ftruncate(file.number(), size), 0);
  return std::make_unique<store::FileStore>(std::move(file), directory / "image",
                                            Deadline::after(std::chrono::seconds(0)));
}

// Without holes and zeroed ranges, as some file systems are.
std::unique_ptr<BlockStore> make_simple_file_store(const TemporaryDirectory& directory) {
  Fd file = open_file(directory / "image", O_RDWR | O_CREAT, 0600);
  EXPECT_EQ(::ftruncate(file.number(), size), 0);
  store::FileCalls calls;
  calls.fallocate = [](int, int, off_t, off_t) {
    errno = EOPNOTSUPP;
    return -1;
  };
  return std::make_unique<store::FileStore>(std::move(file), directory / "image",
                                            Deadline::after(std::chrono::seconds(0)), calls);
}

std::unique_ptr<BlockStore> make_memory_store(const TemporaryDirectory&) {
  return std::make_unique<MemoryStore>(size);
}

class BlockStoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  TemporaryDirectory directory_;
  std::unique_ptr<BlockStore> store_ = GetParam().make(directory_);
};

TEST_P(BlockStoreContract, ANewStoreReadsAsZeros) {
  EXPECT_EQ(store_->size_bytes(), size);
  EXPECT_EQ(text_at(*store_, 0, size), zero_bytes(size));
}

TEST_P(BlockStoreContract, WhatWasWrittenInPiecesIsReadInOtherPieces) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  ASSERT_FALSE(write_text_at(*store_, 1000, text, 5));
  EXPECT_EQ(text_at(*store_, 1000, text.size(), 7), text);
  EXPECT_EQ(text_at(*store_, 999, 2), std::string("\0t", 2));
  EXPECT_EQ(text_at(*store_, 1000 + text.size() - 1, 2), std::string("g\0", 2));
}

TEST_P(BlockStoreContract, MoreBuffersThanASystemCallTakesAreFine) {
  std::string text(9000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 23);
  ASSERT_FALSE(write_text_at(*store_, 77, text, 2));
  EXPECT_EQ(text_at(*store_, 77, text.size(), 3), text);
}

TEST_P(BlockStoreContract, EmptyBuffersAmongOthersAreFine) {
  std::string a = "abc";
  std::string b = "def";
  const std::vector<iovec> buffers = {{nullptr, 0}, {a.data(), 3}, {nullptr, 0}, {b.data(), 3}, {nullptr, 0}};
  ASSERT_FALSE(store_->write(10, buffers));
  EXPECT_EQ(text_at(*store_, 10, 6), "abcdef");
  EXPECT_FALSE(store_->read(size, {}));
  EXPECT_FALSE(store_->write(size, {}));
}

TEST_P(BlockStoreContract, TheLastByteCanBeReachedAndTheOneBehindItCannot) {
  EXPECT_FALSE(write_text_at(*store_, size - 1, "z"));
  EXPECT_EQ(text_at(*store_, size - 1, 1), "z");
  EXPECT_EQ(write_text_at(*store_, size - 1, "zz").value(), EIO);
  EXPECT_EQ(text_at(*store_, size - 1, 2), "error " + std::to_string(EIO));
  EXPECT_EQ(write_text_at(*store_, size, "z").value(), EIO);
  EXPECT_EQ(store_->discard(size - 512, 513).value(), EIO);
  EXPECT_EQ(store_->zero(size - 512, 513).value(), EIO);
}

TEST_P(BlockStoreContract, OffsetsNearTheEndOfTheNumbersDoNotWrapAround) {
  for (const u64 offset : {~u64{0}, ~u64{0} - 7, u64{1} << 63}) {
    EXPECT_EQ(write_text_at(*store_, offset, "12345678").value(), EIO);
    EXPECT_EQ(text_at(*store_, offset, 8), "error " + std::to_string(EIO));
    EXPECT_EQ(store_->discard(offset, 8).value(), EIO);
    EXPECT_EQ(store_->zero(8, offset).value(), EIO);
  }
}

TEST_P(BlockStoreContract, DiscardLeavesZerosInTheRangeAndNowhereElse) {
  for (const auto& [offset, length] :
       {std::pair<u64, u64>{4096, 8192}, {512, 512}, {5000, 20001}, {0, size}, {9, 0}}) {
    ASSERT_FALSE(write_text_at(*store_, 0, std::string(size, 'x')));
    ASSERT_FALSE(store_->discard(offset, length));
    const std::string expected =
        std::string(offset, 'x') + zero_bytes(length) + std::string(size - offset - length, 'x');
    EXPECT_TRUE(text_at(*store_, 0, size) == expected) << offset << "+" << length;
  }
}

TEST_P(BlockStoreContract, ZeroLeavesZerosInTheRangeAndNowhereElse) {
  for (const auto& [offset, length] :
       {std::pair<u64, u64>{4096, 8192}, {512, 512}, {5000, 20001}, {0, size}, {9, 0}}) {
    ASSERT_FALSE(write_text_at(*store_, 0, std::string(size, 'x')));
    ASSERT_FALSE(store_->zero(offset, length));
    const std::string expected =
        std::string(offset, 'x') + zero_bytes(length) + std::string(size - offset - length, 'x');
    EXPECT_TRUE(text_at(*store_, 0, size) == expected) << offset << "+" << length;
  }
}

TEST_P(BlockStoreContract, ResizeMovesTheEndAndNewBytesAreZeros) {
  ASSERT_FALSE(write_text_at(*store_, 0, std::string(size, 'x')));
  ASSERT_FALSE(store_->resize(1000));
  EXPECT_EQ(store_->size_bytes(), 1000U);
  EXPECT_EQ(text_at(*store_, 1000, 1), "error " + std::to_string(EIO));
  ASSERT_FALSE(store_->resize(3000));
  EXPECT_EQ(text_at(*store_, 0, 3000), std::string(1000, 'x') + zero_bytes(2000));
  EXPECT_FALSE(write_text_at(*store_, 2999, "y"));
}

TEST_P(BlockStoreContract, ExtentsCoverTheStoreAndHolesReadAsZeros) {
  ASSERT_FALSE(write_text_at(*store_, 16384, std::string(4096, 'x')));
  u64 offset = 0;
  bool data_mapped = false;
  while (offset < size) {
    BlockStore::Extent extent{};
    ASSERT_FALSE(store_->extent(offset, extent));
    ASSERT_GT(extent.length_bytes, 0U);
    ASSERT_LE(extent.length_bytes, size - offset);
    if (!extent.mapped) {
      EXPECT_TRUE(text_at(*store_, offset, extent.length_bytes) == zero_bytes(extent.length_bytes));
    }
    data_mapped |= extent.mapped && offset <= 16384 && offset + extent.length_bytes >= 20480;
    offset += extent.length_bytes;
  }
  EXPECT_EQ(offset, size);
  EXPECT_TRUE(data_mapped);
  BlockStore::Extent extent{};
  EXPECT_EQ(store_->extent(size, extent).value(), EIO);
}

TEST_P(BlockStoreContract, ExtentInTheMiddleOfDataReachesToItsEnd) {
  ASSERT_FALSE(write_text_at(*store_, 0, std::string(size, 'x')));
  BlockStore::Extent extent{};
  ASSERT_FALSE(store_->extent(100, extent));
  EXPECT_TRUE(extent.mapped);
  EXPECT_EQ(extent.length_bytes, size - 100);
}

TEST_P(BlockStoreContract, TheAllocationUnitIsAPowerOfTwo) {
  EXPECT_TRUE(std::has_single_bit(store_->allocation_unit_bytes()));
  EXPECT_LE(store_->allocation_unit_bytes(), 1U << 20);
}

TEST_P(BlockStoreContract, WhatIsWrittenTakesUpSpace) {
  BlockStore::Space space{};
  ASSERT_FALSE(write_text_at(*store_, 0, std::string(size, 'x')));
  ASSERT_FALSE(store_->flush());
  ASSERT_FALSE(store_->space(space));
  EXPECT_GE(space.used_bytes, size);
}

TEST_P(BlockStoreContract, SeveralThreadsWorkAtOnce) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      const std::string mine(500, static_cast<char>('a' + i));
      for (int round = 0; round < 50; ++round) {
        EXPECT_FALSE(write_text_at(*store_, i * 1000, mine, 100));
        EXPECT_EQ(text_at(*store_, i * 1000, 500), mine);
        if (round % 10 == 0) {
          EXPECT_FALSE(store_->flush());
        }
        EXPECT_FALSE(store_->discard(i * 1000, 500));
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

INSTANTIATE_TEST_SUITE_P(Stores, BlockStoreContract,
                         testing::Values(StoreKind{"FileStore", make_file_store},
                                         StoreKind{"FileStoreWithoutFallocate", make_simple_file_store},
                                         StoreKind{"MemoryStore", make_memory_store}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace tcmufs::test
