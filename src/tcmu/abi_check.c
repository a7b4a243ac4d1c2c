/* Compiles only if tcmu/abi.h has the layout and the numbers of the kernel's header. */

#include "tcmu/abi.h"

#include <linux/target_core_user.h>
#include <stddef.h>

#define SAME_PLACE(ours, our_field, theirs, their_field)                           \
  _Static_assert(offsetof(ours, our_field) == offsetof(theirs, their_field),       \
                 #ours "." #our_field " has another offset");                      \
  _Static_assert(sizeof(((ours*)0)->our_field) == sizeof(((theirs*)0)->their_field), \
                 #ours "." #our_field " has another size")
#define SAME_NUMBER(ours, theirs) _Static_assert((unsigned)(ours) == (unsigned)(theirs), #ours " has another value")

SAME_NUMBER(mailbox_version, TCMU_MAILBOX_VERSION);
SAME_NUMBER(mailbox_out_of_order, TCMU_MAILBOX_FLAG_CAP_OOOC);
SAME_NUMBER(mailbox_read_len, TCMU_MAILBOX_FLAG_CAP_READ_LEN);
SAME_NUMBER(mailbox_tmr, TCMU_MAILBOX_FLAG_CAP_TMR);
SAME_NUMBER(mailbox_keep_buf, TCMU_MAILBOX_FLAG_CAP_KEEP_BUF);

SAME_NUMBER(sizeof(struct Mailbox), sizeof(struct tcmu_mailbox));
SAME_PLACE(struct Mailbox, version, struct tcmu_mailbox, version);
SAME_PLACE(struct Mailbox, flags, struct tcmu_mailbox, flags);
SAME_PLACE(struct Mailbox, cmdr_off, struct tcmu_mailbox, cmdr_off);
SAME_PLACE(struct Mailbox, cmdr_size, struct tcmu_mailbox, cmdr_size);
SAME_PLACE(struct Mailbox, cmd_head, struct tcmu_mailbox, cmd_head);
SAME_PLACE(struct Mailbox, cmd_tail, struct tcmu_mailbox, cmd_tail);

SAME_NUMBER(op_pad, TCMU_OP_PAD);
SAME_NUMBER(op_command, TCMU_OP_CMD);
SAME_NUMBER(op_tmr, TCMU_OP_TMR);
SAME_NUMBER(op_mask, TCMU_OP_MASK);
SAME_NUMBER(uflag_unknown_op, TCMU_UFLAG_UNKNOWN_OP);
SAME_NUMBER(uflag_read_len, TCMU_UFLAG_READ_LEN);
SAME_NUMBER(uflag_keep_buf, TCMU_UFLAG_KEEP_BUF);

SAME_NUMBER(sizeof(struct EntryHeader), sizeof(struct tcmu_cmd_entry_hdr));
SAME_PLACE(struct EntryHeader, len_op, struct tcmu_cmd_entry_hdr, len_op);
SAME_PLACE(struct EntryHeader, cmd_id, struct tcmu_cmd_entry_hdr, cmd_id);
SAME_PLACE(struct EntryHeader, kflags, struct tcmu_cmd_entry_hdr, kflags);
SAME_PLACE(struct EntryHeader, uflags, struct tcmu_cmd_entry_hdr, uflags);

SAME_NUMBER(sizeof(struct DataPiece), sizeof(struct iovec));
SAME_PLACE(struct DataPiece, offset, struct iovec, iov_base);
SAME_PLACE(struct DataPiece, length_bytes, struct iovec, iov_len);

SAME_NUMBER(sizeof(struct Request), offsetof(struct tcmu_cmd_entry, req.iov));
SAME_PLACE(struct Request, hdr, struct tcmu_cmd_entry, hdr);
SAME_PLACE(struct Request, iov_cnt, struct tcmu_cmd_entry, req.iov_cnt);
SAME_PLACE(struct Request, iov_bidi_cnt, struct tcmu_cmd_entry, req.iov_bidi_cnt);
SAME_PLACE(struct Request, iov_dif_cnt, struct tcmu_cmd_entry, req.iov_dif_cnt);
SAME_PLACE(struct Request, cdb_off, struct tcmu_cmd_entry, req.cdb_off);

SAME_NUMBER(sense_size, TCMU_SENSE_BUFFERSIZE);
SAME_NUMBER(sizeof(struct Response), sizeof(struct tcmu_cmd_entry));
SAME_PLACE(struct Response, hdr, struct tcmu_cmd_entry, hdr);
SAME_PLACE(struct Response, scsi_status, struct tcmu_cmd_entry, rsp.scsi_status);
SAME_PLACE(struct Response, read_len, struct tcmu_cmd_entry, rsp.read_len);
SAME_PLACE(struct Response, sense_buffer, struct tcmu_cmd_entry, rsp.sense_buffer);
