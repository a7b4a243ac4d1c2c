#!/bin/bash
# What the disk's pages promise is what the kernel and the image's file system do: the largest transfer, the unit of unmapping,
# the space that is used, and the block that cannot be read.
# vm: --udev --timeout 600
. "$(dirname "$0")/lib.sh"

start
truncate -s 64M "$mnt/v"
udevadm settle
disk=$(readlink -f $links/v)
queue=/sys/block/${disk#/dev/}/queue
image=$store/v
modprobe sg
sg=/dev/$(ls "/sys/block/${disk#/dev/}/device/scsi_generic")
wait_until 60 test -c "$sg"

step "unmapping gives back blocks of the image's file system"
unit=$(stat -f -c %s "$store")
must_be "the granularity" "$(cat "$queue/discard_granularity")" $((unit > 4096 ? unit : 4096))

step "the largest transfer is one that the ring has room for"
must_fail 'Invalid argument' bash -c "echo 8196 >'$queue/max_sectors_kb'"
must_be "max_sectors_kb" "$(cat "$queue/max_sectors_kb")" 1024
echo 8192 >"$queue/max_sectors_kb"
must_be "max_sectors_kb" "$(cat "$queue/max_sectors_kb")" 8192
dd if=/dev/urandom of="$work/data" bs=8M count=1 status=none
dd if="$work/data" of="$disk" bs=8M oflag=direct status=none
cmp "$work/data" <(dd if="$disk" bs=8M count=1 iflag=direct status=none) || fail "8 MiB at once are read otherwise"
must_fail 'Invalid field in cdb' sg_raw -r 8192 "$sg" 88 00 00 00 00 00 00 00 00 00 00 00 40 01 00 00

step "the log page counts the blocks of the image"
sync "$image"
used=$(sg_logs -p 0x0c "$sg" | sed -n 's/.*Used LBA mapping.*: //p')
must_be "the used blocks" "$used" "$(stat -c %b "$image")"

step "a block that cannot be read is named"
truncate -s $((2000 * 512)) "$image"
must_fail 'Medium Error' sg_raw -r 8192 "$sg" 28 00 00 00 07 c8 00 00 10 00
sg_raw -vv -r 8192 "$sg" 28 00 00 00 07 c8 00 00 10 00 2>&1 | tee "$work/sense" || true
grep -q 'Info fld=0x7d0' "$work/sense" || fail "the sense data does not name block 2000"
dmesg -C
must_fail 'No data available|Input/output error' dd if="$disk" of=/dev/null bs=16K skip=62 count=1 iflag=direct
wait_until 60 bash -c "dmesg | grep -qE 'critical medium error.*sector 2000'"
dmesg | grep 'medium error'
truncate -s 64M "$image"

stop
