#!/bin/bash
# run_iscsi_tests.sh FAMILY BLOCK PHYSICAL: the tests of one family of iscsi-test-cu against a disk in memory with these
# block sizes; judge_iscsi_tests.sh says what they must say. TCMUFS_SG_PRELOAD says what to preload.
set -u
family=$1 block=$2 physical=$3
device=/dev/sg99
command -v iscsi-test-cu >/dev/null || exit 77

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
TCMUFS_SG_PATH=$device TCMUFS_SG_BLOCK=$block TCMUFS_SG_PHYSICAL=$physical LD_PRELOAD=$TCMUFS_SG_PRELOAD \
  iscsi-test-cu -d -n -t "$family" "$device" >"$log" 2>&1
"$(dirname "$0")/judge_iscsi_tests.sh" "$log" "$family" native "$block/$physical"
