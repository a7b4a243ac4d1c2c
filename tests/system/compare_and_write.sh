#!/bin/bash
# COMPARE AND WRITE is a lock: who counts up in another block while holding it loses nothing, whatever the number of threads,
# processes and ways to the disk. The number of times may be given as an argument.
# vm: --timeout 1800
. "$(dirname "$0")/lib.sh"
times=${1:-3000}

start
truncate -s 1M "$mnt/v"
disk=$(readlink -f $links/v)
modprobe sg
generic=/dev/$(ls "/sys/block/${disk##*/}/device/scsi_generic")
counter() { count_under_lock "$disk"; }
must_be "the counter of a new disk" "$(counter)" 0

step "8 threads of one process count to $times"
count_under_lock "$disk" "$times"
must_be "the counter" "$(counter)" "$times"

step "two processes of 8 threads, one of them through $generic, count on by $((times / 4)) each"
count_under_lock "$disk" $((times / 4)) &
first=$!
count_under_lock "$generic" $((times / 4)) &
second=$!
wait $first || fail "the process on $disk"
wait $second || fail "the process on $generic"
must_be "the counter" "$(counter)" $((times + times / 4 * 2))

rm "$mnt/v"
stop
nothing_left
