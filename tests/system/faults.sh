#!/bin/bash
# What can go wrong below the disks and beside them: images changed behind the daemon's back, a medium that fails, resets, no
# descriptors left, clocks that jump. Each harms the one disk that it hits, in words.
# vm: --disk 64M --timeout 600
. "$(dirname "$0")/lib.sh"

size=67108864
sectors=$((1 << 17)) # of 512 bytes
die() {
  kill -9 "$(daemons)"
  wait_until 60 no_daemon
}
wrote() { dd if="$work/data" of=$links/"$1" bs=1M oflag=direct status=none "${@:2}"; } # VOLUME DD-OPTION...
head -c 4M /dev/urandom >"$work/data"

start
for v in v w; do truncate -s $size "$mnt/$v"; done
device=$(control v device)

step "an image that was shortened while its disk had no daemon: not served, not made smaller; put back, it goes on"
wrote v
dd if="$work/data" of="$device" bs=1M oflag=direct conv=fsync status=none &
writer=$!
wait $writer
die
truncate -s 32M "$store/v"
start
must_be "the state of v" "$(state v)" failed
must_match "the sentence" "$(control v last_error)" "has 33554432 bytes, but its disk, still in the kernel, has $size.*ESTALE"
must_be "the size of the disk" "$(blockdev --getsize64 "$device")" $size
must_be_ready w $size
dd if="$device" of=/dev/null bs=64k count=1 iflag=direct status=none &
reader=$!
sleep 1
kill -0 $reader || fail "what is read does not wait"
truncate -s $size "$store/v"
echo attach >"$mnt/.ctl/vol/v/ctl"
wait $reader || fail "the reader"
must_be_ready v $size
must_be "the device" "$(control v device)" "$device"
must_hold v "$work/data"

step "an image that was replaced while its disk had no daemon: the same"
die
mv "$store/v" "$work/aside"
truncate -s $size "$store/v"
start
must_be "the state of v" "$(state v)" failed
must_match "the sentence" "$(control v last_error)" "another file than the one of which the disk of 'v', still in the kernel, was made"
must_be_ready w $size
mv "$work/aside" "$store/v"
echo attach >"$mnt/.ctl/vol/v/ctl"
must_be_ready v $size
must_hold v "$work/data"

step "an image that is shortened under a disk: what is gone is an error, the rest is there"
sync "$store/v"
truncate -s 2M "$store/v"
dd if="$device" bs=1M count=2 iflag=direct status=none | cmp -n 2097152 - "$work/data" || fail "what is there"
must_fail 'Input/output error|No data available' dd if="$device" of=/dev/null bs=64k skip=64 count=1 iflag=direct status=none
truncate -s $size "$store/v"
dmesg -C

step "a medium that fails: errors, and a flush that has failed once goes on to fail; no other disk has any of it"
modprobe dm_mod
table() { # TARGET: what the device "medium" does from now on
  dmsetup suspend --noflush medium
  echo "$1" | dmsetup load medium
  dmsetup resume medium
}
echo "0 $sectors linear /dev/vda 0" | dmsetup create medium
dmsetup mknodes medium
ln -s /dev/mapper/medium "$mnt/m"
must_be "the state of m" "$(state m)" ready
wrote m conv=fsync
echo 3 >/proc/sys/vm/drop_caches
table "0 $sectors error"
must_fail 'Input/output error|No data' dd if=$links/m of=/dev/null bs=64k count=1 iflag=direct status=none
must_fail 'Input/output error' dd if=/dev/zero of=$links/m bs=64k count=1 oflag=direct conv=fsync status=none
wrote v conv=fsync
table "0 $sectors linear /dev/vda 0"
must_fail 'Input/output error' dd if=/dev/zero of=$links/m bs=64k seek=99 count=1 oflag=direct conv=fsync status=none
must_hold v "$work/data"
must_fail 'Input/output error' rm "$mnt/m"
must_match "the sentence" "$(control m last_error)" 'would be lost.*once more'
rm "$mnt/m"
must_not_be_a_disk m
ln -s /dev/mapper/medium "$mnt/m"
wrote m conv=fsync
must_hold m "$work/data"
rm "$mnt/m"
dmsetup remove medium
dmesg -C

step "resets of the device, the target, the bus and the host while fio verifies: no error"
fio --name=load --filename="$device" --direct=1 --rw=randrw --bsrange=4k-64k --ioengine=libaio --iodepth=8 --size=32M --io_size=24M \
  --verify=crc32c --verify_backlog=64 --verify_fatal=1 --minimal >"$work/fio.log" 2>&1 &
load=$!
resets=0
while kill -0 $load 2>/dev/null; do
  for what in -d -t -b -H; do
    timeout 60 sg_reset $what "$device" && resets=$((resets + 1))
  done
  sleep 0.2
done
wait $load || { cat "$work/fio.log"; fail "fio, with status $?"; }
echo "$resets resets"
[ $resets -ge 4 ] || fail "hardly any"
must_be_ready v $size

step "the clock jumps forth and back: disks come, work and go as ever"
now=$(date +%s)
for jump in 400000 -800000; do
  date -s "@$((now + jump))" >/dev/null
  timeout 60 truncate -s $size "$mnt/y"
  must_be_ready y $size
  dd if="$work/data" of=$links/y bs=1M oflag=direct conv=fsync status=none
  must_hold y "$work/data"
  timeout 60 rm "$mnt/y"
done
date -s "@$now" >/dev/null

step "no descriptors left: no new disk, in words; the others work; with some again, it comes"
pid=$(daemons)
open=$(ls "/proc/$pid/fd" | wc -l)
prlimit --pid "$pid" --nofile=$((open + 1)):1048576
must_fail 'Too many open files' truncate -s $size "$mnt/y"
must_match "the sentence" "$(cat "$mnt/.ctl/last_error")" 'EMFILE'
wrote v conv=fsync
must_hold v "$work/data"
prlimit --pid "$pid" --nofile=1048576:1048576
rm -f "$mnt/y"
truncate -s $size "$mnt/y"
must_be_ready y $size

stop
nothing_left
