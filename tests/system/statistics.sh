#!/bin/bash
# What is done to a disk is counted, exactly, and the counts outlive the disk; features says what is used here.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

mib=1048576
start
truncate -s 64M "$mnt/v"
disk=$(control v device)
echo 0 >"/sys/block/${disk##*/}/queue/read_ahead_kb"
udevadm settle 2>/dev/null || true

figure() { # OPERATION COLUMN
  control v stats | awk -v operation="$1" -v column="$2" '
    $1 == "OPERATION" { for (i = 1; i <= NF; ++i) at[$i] = i }
    $1 == operation { print $at[column] }'
}
line() { control v stats | sed -n "s/^$1: //p"; } # NAME
remember_figures() { # OPERATION: nobody looks at the disk any more
  local now
  until now="$(figure "$1" COMMANDS) $(figure "$1" BYTES)" && sleep 0.5 &&
    [ "$now" = "$(figure "$1" COMMANDS) $(figure "$1" BYTES)" ]; do :; done
  read -r commands bytes <<<"$now"
}
must_have_grown() { # OPERATION COMMANDS BYTES
  must_be "the commands ($1)" $(($(figure "$1" COMMANDS) - commands)) "$2"
  must_be "the bytes ($1)" $(($(figure "$1" BYTES) - bytes)) "$3"
}

step "known I/O gives exact counts and bytes"
remember_figures write
dd if=/dev/urandom of="$disk" bs=4k count=100 oflag=direct status=none
must_have_grown write 100 $((100 * 4096))
remember_figures read
dd if="$disk" of=/dev/null bs=64k count=50 iflag=direct status=none
must_have_grown read 50 $((50 * 65536))
remember_figures discard
blkdiscard --offset 4096 --length $((2 * mib)) "$disk"
must_have_grown discard 1 $((2 * mib))
remember_figures flush
dd if=/dev/zero of="$disk" bs=4k count=1 oflag=direct conv=fsync,notrunc status=none
must_have_grown flush 1 0
must_be "what is in flight" "$(line in_flight)" 0

step "the files agree with each other"
control v stats
control v latency
for operation in read write flush discard other; do
  must_be "the sum of the buckets ($operation)" \
    "$(control v latency | awk -v operation=$operation '$1 == operation { sum += $4 } END { print sum + 0 }')" \
    "$(figure $operation COMMANDS)"
  must_be "the commands in stats.json ($operation)" "$(control v stats.json | jq ".operations.$operation.commands")" \
    "$(figure $operation COMMANDS)"
done
awk 'NR > 1 && $3 != "inf" && !($2 < $3) { exit 1 }' < <(control v latency) || fail "a bucket has no width"
awk -v p50="$(figure read P50_US)" -v p99="$(figure read P99_US)" -v max="$(figure read MAX_US)" \
  'BEGIN { exit !(0 < p50 && p50 <= p99 && p99 <= max) }' || fail "the percentiles are in no order"

step "at depth, several commands share a kick"
batches=$(line batches) kicks=$(line kicks)
remember_figures read
fio --name=deep --filename="$disk" --ioengine=libaio --direct=1 --iodepth=32 --rw=randread --bs=4k --size=64M \
  --output="$work/deep" || { cat "$work/deep"; fail "fio"; }
must_be "the bytes" $(($(figure read BYTES) - bytes)) $((64 * mib))
read_now=$(($(figure read COMMANDS) - commands))
[ $(($(line batches) - batches)) -lt $read_now ] || fail "no batch had two commands"
[ $(($(line kicks) - kicks)) -lt $read_now ] || fail "no kick was shared"

step "an error is counted as one, and no bytes"
remember_figures read
errors=$(figure read ERRORS)
must_fail . sg_raw "$(control v sg)" 28 00 7f ff ff ff 00 00 01 00
must_be "the errors" "$(figure read ERRORS)" $((errors + 1))
must_have_grown read 1 0

step "the counts outlive the disk, and are not the disk's alone"
remember_figures write
echo 4096 >"$mnt/.ctl/vol/v/block_size"
must_be_ready v $((64 * mib))
[ "$(figure write COMMANDS)" -ge "$commands" ] && [ "$commands" -ge 101 ] || fail "the counts are gone"
truncate -s 16M "$mnt/w"
[ "$(awk '$1 == "write" { print $2 }' "$mnt/.ctl/vol/w/stats")" = 0 ] || fail "the counts of w are those of v"

step "features says what is used here"
cat "$mnt/.ctl/features"
feature() { awk -v name="$1" '$1 == name { print $2 }' "$mnt/.ctl/features"; }
must_be "the kernel" "$(feature kernel)" "$(uname -r)"
must_be "the engine" "$(feature engine)" io_uring
must_be "the engine of v" "$(control v status.json | jq -r .engine)" io_uring
must_be "whether it polls" "$(feature polling)" "$([ "$(nproc)" -gt 1 ] && echo yes || echo no)"
must_be "whether holes are made" "$(feature punch_hole)" yes
must_be "whether cached reads wait" "$(feature cached_reads)" "$(
  case $(stat -f -c %T "$store") in tmpfs | ramfs) echo always ;; *) echo yes ;; esac
)"
must_fail 'permission denied|read-only' sh -c "echo 1 >$mnt/.ctl/features"

stop
nothing_left
