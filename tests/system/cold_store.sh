#!/bin/bash
# A store on a disk, whose images are not in the page cache: reads of the medium, many at a time, and what was written is there.
# vm: --disk 1G --timeout 900
. "$(dirname "$0")/lib.sh"

mkfs.ext4 -q /dev/vda
mount /dev/vda "$store"
start
truncate -s 128M "$mnt/v"
disk=$(control v device)
must_match "the scheduler" "$(cat "/sys/block/${disk##*/}/queue/scheduler")" '\[none\]'
verify() { # NAME FIO-OPTION...
  local name=$1
  shift
  fio --name="$name" --filename="$disk" --ioengine=libaio --direct=1 --iodepth=32 --size=128M \
    --verify=crc32c --verify_fatal=1 --output="$work/$name" "$@" || { cat "$work/$name"; fail "fio $name"; }
}
forget() {
  sync
  echo 3 >/proc/sys/vm/drop_caches
}

step "what was written is read from the medium, in any order, at depth 32"
verify write --rw=write --bs=64k --do_verify=0 --end_fsync=1
sum=$(sha256sum <"$disk")
forget
verify again --rw=read --bs=64k
must_be "the image" "$(sha256sum <"$store/v")" "$sum"

step "64 cold reads at a time"
forget
fio --name=cold --filename="$disk" --ioengine=libaio --direct=1 --iodepth=64 --rw=randread --bs=4k --size=128M --number_ios=4000 \
  --output="$work/cold" || { cat "$work/cold"; fail "fio cold"; }

step "reads, writes and flushes, mixed, while the cache is emptied again and again"
while sleep 1; do echo 1 >/proc/sys/vm/drop_caches; done &
emptier=$!
verify mixed --rw=randrw --bs=4k --io_size=16M --fdatasync=20
kill "$emptier"

stop
nothing_left
umount "$store"
