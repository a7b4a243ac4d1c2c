#!/bin/bash
# The write cache is what its switches say, seen in the daemon's system calls; so are descriptor sense data and the software
# write protection. Malformed commands get their sense data, and change nothing.
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

start
truncate -s 16M "$mnt/v"
disk=$(control v device)
name=${disk##*/}
head -c 1048576 /dev/urandom >"$work/data"
cache_type=$(echo "/sys/block/$name/device/scsi_disk/"*/cache_type)

# What the daemon makes stable, from now to the end. The store is on tmpfs, whose reads are done at once: all that is given to
# io_uring is flushes, one at a time.
must_be "the file system of the store" "$(stat -f -c %T "$store")" tmpfs
strace -f -qq -e trace=fsync,fdatasync,pwritev2,io_uring_enter -o "$work/trace" -p "$(daemons)" &
tracer=$!
syncs() { grep -cE '(fsync|fdatasync|io_uring_enter)\(|RWF_D?SYNC' "$work/trace" || true; }
is_traced() { [ -e "$work/trace" ] && sg_sync "$disk" && [ "$(syncs)" != 0 ]; }
wait_until 60 is_traced
must_sync() { # TIMES COMMAND...
  local times=$1 before
  shift
  before=$(syncs)
  "$@" || fail "$*"
  must_be "how often '$*' makes the daemon sync" $(($(syncs) - before)) "$times"
  echo "$times times: $*"
}
write_blocks() { dd if="$work/data" of="$disk" bs=4096 count=10 oflag=direct conv=notrunc status=none; }

must_have_cache() { # 1 | 0: sdparm, sysfs and the block layer agree
  local words="write through"
  [ "$1" = 0 ] || words="write back"
  must_match "what sdparm says" "$(sdparm --get=WCE "$disk" | tail -n 1)" "^WCE +$1 "
  must_be "cache_type" "$(cat "$cache_type")" "$words"
  must_be "the block layer's write_cache" "$(cat "/sys/block/$name/queue/write_cache")" "$words"
}
cache_on() {
  must_have_cache 1
  must_sync 0 write_blocks
  must_sync 1 sg_sync "$disk"
  must_sync 1 sync "$disk"
  must_sync 1 dd if="$work/data" of="$disk" bs=4096 count=10 oflag=direct conv=notrunc,fsync status=none
}
cache_off() {
  must_have_cache 0
  must_sync 10 write_blocks
  must_sync 1 sg_sync "$disk"
  must_sync 0 sync "$disk" # the kernel knows that there is nothing to flush
}
rescan() { echo 1 >"/sys/block/$name/device/rescan"; }

step "the write cache is on at first"
cache_on
step "sdparm switches it off and on"
must_sync 1 sdparm -q --set=WCE=0 "$disk"
rescan
cache_off
sdparm -q --set=WCE=1 "$disk"
rescan
cache_on
step "so does cache_type in sysfs"
echo "write through" >"$cache_type"
cache_off
echo "write back" >"$cache_type"
cache_on
must_hold v <(head -c 40960 "$work/data")

step "software write protection: writes fail, and work again"
sdparm -q --set=SWP=1 "$disk"
must_match "what sdparm says" "$(sdparm --get=SWP "$disk" | tail -n 1)" '^SWP +1 '
dd if="$disk" of="$work/was" iflag=direct bs=1M status=none
must_fail 'error|protect' dd if=/dev/zero of="$disk" bs=4096 count=1 oflag=direct conv=notrunc status=none
must_fail 'error|protect|only|permitted' blkdiscard "$disk"
dd if="$disk" of="$work/is" iflag=direct bs=1M status=none
cmp "$work/was" "$work/is" || fail "the disk has changed"
dmesg | grep -i 'sense key' | tail -n 3
dmesg | grep -q 'Sense Key : Data Protect' || fail "the kernel has not seen DATA PROTECT"
dmesg -C
sdparm -q --set=SWP=0 "$disk"
rescan
write_blocks

step "descriptor sense data: the kernel and sg_raw understand it"
sense() { sg_raw "$@" 2>&1 || true; }
must_match "fixed sense data" "$(sense "$disk" c1 0 0 0 0 0)" 'Fixed format, current'
sdparm -q --set=D_SENSE=1 "$disk"
must_match "descriptor sense data" "$(sense "$disk" c1 0 0 0 0 0)" 'Descriptor format, current'
sdparm -q --set=SWP=1 "$disk"
must_fail 'error|protect' dd if=/dev/zero of="$disk" bs=4096 count=1 oflag=direct conv=notrunc status=none
dmesg | grep -q 'Sense Key : Data Protect \[current\] \[descriptor\]' || fail "the kernel does not understand descriptor sense data: $(dmesg)"
dmesg -C
sdparm -q --set=SWP=0 "$disk"
sdparm -q --set=D_SENSE=0 "$disk"
must_match "fixed sense data" "$(sense "$disk" c1 0 0 0 0 0)" 'Fixed format, current'
rescan

step "malformed commands"
head -c 65536 /dev/zero | tr '\0' z >"$work/z"
cp "$store/v" "$work/was"
answers() { # REGEX WORDS OF SG_RAW...: status, sense data and number of bytes on one line; the disk is ready after it
  local regex=$1 said
  shift
  said=$({ sg_raw "$@" 2>&1 || true; } | sed '/^ [0-9a-f]* .*[0-9a-f][0-9a-f]  /d' | tr -s '\n ' ' ')
  echo "${*##*/} | $said"
  must_match "the answer to '$*'" "$said" "$regex"
  sg_turs "$disk" >/dev/null || fail "the disk is not ready after $*"
}
out() { echo "--send=$1 --infile=$work/z"; }
no_such_command='Illegal Request.*Invalid command operation code'
invalid_field='Illegal Request.*Invalid field in cdb'
invalid_list='Illegal Request.*Invalid field in parameter list'
list_length='Illegal Request.*Parameter list length error'
out_of_range='Illegal Request.*Logical block address out of range'
answers "$no_such_command" "$disk" c1 0 0 0 0 0
answers "$no_such_command" "$disk" ff ff ff ff ff ff
answers "$no_such_command" "$disk" 7f 0 0 0 0 0 0 18 0 9 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1
answers "$no_such_command" "$disk" 9e 1f 0 0 0 0 0 0 0 0 0 0 0 0 0 0
answers "$invalid_field.*byte 1" "$disk" 0 1 0 0 0 0
answers "$invalid_field.*byte 1" -r 512 "$disk" 28 e0 0 0 0 0 0 0 1 0
answers "$invalid_field.*byte 2" -r 96 "$disk" 12 0 83 0 60 0
answers "$invalid_field.*byte 2" -r 96 "$disk" 12 1 7e 0 60 0
answers "$out_of_range" -r 512 "$disk" 28 0 ff ff ff ff 0 0 1 0
answers "$out_of_range" -r 512 "$disk" 88 0 ff ff ff ff ff ff ff ff ff ff ff ff 0 0
# A CDB that is too short, no data, less, more: to write and to read.
answers 'Result=0x0 ' "$disk" 28 0 0 0 0 0 # sg_raw takes it for a command of NVMe's
answers "$invalid_field" "$disk" 2a 0 0 0 0 0 0 0 1 0
answers "$invalid_field" $(out 512) "$disk" 2a 0 0 0 0 0 0 0 8 0
answers "$invalid_field" $(out 1024) "$disk" 93 0 0 0 0 0 0 0 0 0 0 0 0 8 0 0
answers "$invalid_field" $(out 1536) "$disk" 89 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0
answers 'Good.*Received 512 bytes' -r 4096 "$disk" 28 0 0 0 0 0 0 0 1 0
answers 'Good.*Received 512 bytes' -r 512 "$disk" 28 0 0 0 0 0 0 0 8 0
answers 'Good.*Received 5 bytes' -r 5 "$disk" 12 0 0 0 5 0
# Lists that are cut, wrong, or for another page.
answers "$list_length" $(out 4) "$disk" 42 0 0 0 0 0 0 0 4 0
answers "$list_length" $(out 2) "$disk" 15 10 0 0 2 0
answers "$invalid_list" $(out 24) "$disk" 15 10 0 0 18 0
answers "$invalid_field" $(out 24) "$disk" 15 11 0 0 18 0
blockdev --flushbufs "$disk"
cmp "$store/v" "$work/was" || fail "a malformed command has changed the disk"
# One block, of 8 that are there to be written: the rest is ignored.
answers 'Good' $(out 4096) "$disk" 2a 0 0 0 10 0 0 0 1 0
dd if="$work/z" of="$work/was" bs=512 count=1 seek=4096 conv=notrunc status=none
sg_sync "$disk"
cmp "$store/v" "$work/was" || fail "a write of one block has not written one block"
must_be_ready v 16777216
if dmesg | grep -vE 'sd .*(Write Protect|Mode Sense|Write cache|Preferred minimum|Optimal transfer)'; then
  fail "the kernel complains"
fi

kill $tracer
wait $tracer || true
stop
nothing_left
