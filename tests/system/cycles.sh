#!/bin/bash
# close() means ready and unlink() means gone, with udev looking at every disk: a hundred times without a sleep.
# vm: --udev --timeout 1900
. "$(dirname "$0")/lib.sh"

start
cd "$mnt"
step "truncate -s 64M v && mkfs.ext4 -q /dev/tcmufs/v && rm v"
for i in $(seq 100); do
  truncate -s 64M v && mkfs.ext4 -q $links/v && rm v || fail "in round $i"
  must_not_be_a_disk v
  [ $((i % 20)) != 0 ] || echo "$i rounds, $SECONDS s"
done
udevadm settle
as_before || fail "something is left of the volumes"
cd /
stop
nothing_left
