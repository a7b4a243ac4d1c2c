#pragma once

#include <system_error>

#include "tcmufs/async_block_store.h"

TCMUFS_BEGIN

/// What waits for the end of one operation. `ended` is called once, in whatever thread ends it.
struct Completion::Operation {
  Operation() = default;
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  virtual ~Operation() = default;

  virtual void ended(std::error_code error) noexcept = 0;
};

struct CompletionParts {
  using Operation = Completion::Operation;
  static Completion make(Operation& operation) noexcept { return Completion(operation); }
};

TCMUFS_END
