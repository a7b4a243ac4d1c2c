/// The shared memory of a TCMU device: mailbox, then command ring, then data area. Same layout as
/// <linux/target_core_user.h>, which does not compile as C++; abi_check.c compares the two. Valid C and C++.
#pragma once

#include <stdint.h>  // NOLINT: this header is C as well

#ifdef __cplusplus
namespace tcmufs::tcmu::abi {
#endif

enum { mailbox_version = 2 };

enum MailboxFlag {
  mailbox_out_of_order = 0x1,
  mailbox_read_len = 0x2,
  mailbox_tmr = 0x4,
  mailbox_keep_buf = 0x8,
};

/// At offset 0. The kernel writes all but cmd_tail; both indices are bytes from cmdr_off on, below cmdr_size.
struct Mailbox {
  uint16_t version;
  uint16_t flags;
  uint32_t cmdr_off;   // bytes from the start of the mapping
  uint32_t cmdr_size;  // bytes, not a power of two
  uint32_t cmd_head;   // where the kernel puts its next entry
  uint8_t unused_1[48];
  uint32_t cmd_tail;  // the first entry that has not been given back
  uint8_t unused_2[60];
};

enum Operation { op_pad = 0, op_command = 1, op_tmr = 2 };
enum { op_mask = 0x7 };

enum UserFlag {
  uflag_unknown_op = 0x01,
  uflag_read_len = 0x02,
  uflag_keep_buf = 0x04,
};

struct EntryHeader {
  uint32_t len_op;  // low three bits: Operation; the rest: length in bytes, a multiple of 8
  uint16_t cmd_id;
  uint8_t kflags;
  uint8_t uflags;
};

/// An address is an offset from the start of the mapping.
struct DataPiece {
  uint64_t offset;
  uint64_t length_bytes;
};

/// A command before it is answered; DataPieces (iov_cnt out or in, then iov_bidi_cnt in) follow, then the
/// CDB.
struct Request {
  struct EntryHeader hdr;
  uint32_t iov_cnt;
  uint32_t iov_bidi_cnt;
  uint32_t iov_dif_cnt;
  uint32_t unused_1;
  uint64_t cdb_off;  // from the start of the mapping
  uint64_t unused_2[2];
};

enum { sense_size = 96 };

/// The same command once it is answered: over the request.
struct Response {
  struct EntryHeader hdr;
  uint8_t scsi_status;
  uint8_t unused_1;
  uint16_t unused_2;
  uint32_t read_len;
  uint8_t sense_buffer[sense_size];
};

#ifdef __cplusplus
}  // namespace tcmufs::tcmu::abi
#endif
