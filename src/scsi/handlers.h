#pragma once

#include "scsi/handler.h"

/// What the rows of the opcode table point to; each in the file that is named for it.
namespace tcmufs::scsi {

// inquiry.cpp
Answer inquiry(const Request& request);
// unit_ready.cpp
Answer test_unit_ready(const Request& request);
Answer request_sense(const Request& request);
Answer start_stop_unit(const Request& request);
Answer prevent_allow_medium_removal(const Request& request);
// capacity.cpp
Answer read_capacity_10(const Request& request);
Answer read_capacity_16(const Request& request);
// lba_status.cpp
Answer get_lba_status(const Request& request);
// mode_sense.cpp
Answer mode_sense_6(const Request& request);
Answer mode_sense_10(const Request& request);
// mode_select.cpp
Answer mode_select_6(const Request& request);
Answer mode_select_10(const Request& request);
// read_write.cpp
Answer read(const Request& request);
Answer write(const Request& request);
Answer synchronize_cache(const Request& request);
Answer pre_fetch(const Request& request);
// verify.cpp
Answer verify(const Request& request);
Answer write_and_verify(const Request& request);
// compare_and_write.cpp
Answer compare_and_write(const Request& request);
// orwrite.cpp
Answer orwrite(const Request& request);
// unmap.cpp
Answer unmap(const Request& request);
// write_same.cpp
Answer write_same(const Request& request);
// defect_data.cpp
Answer read_defect_data_10(const Request& request);
Answer read_defect_data_12(const Request& request);
// log_sense.cpp
Answer log_sense(const Request& request);
// supported_commands.cpp
Answer report_luns(const Request& request);
Answer report_supported_operation_codes(const Request& request);
Answer report_supported_task_management_functions(const Request& request);

}  // namespace tcmufs::scsi
