#!/bin/bash
# Eight threads make and change volumes and directories at random, with real disks; each call must give what the model says.
# (10,000 of them, with the kernel's FUSE but disks without a kernel, are the unit test Whole.)
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

start
random_operations "$mnt" --operations 400 >"$work/out" 2>&1 || { cat "$work/out"; fail "see above"; }
cat "$work/out"
must_be "what is in the mount" "$(ls -A "$mnt")" status
must_be "what is in the store" "$(ls -A "$store")" .tcmufs
stop
nothing_left
