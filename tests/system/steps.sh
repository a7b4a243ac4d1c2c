#!/bin/bash
# The daemon is killed in the midst of making and removing disks: the next one goes on, and who uses the others sees nothing.
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

start
truncate -s 64M "$mnt/other"
mkfs.ext4 -q $links/other
mount $links/other "$work/mounted"

for round in $(seq 0 ${ROUNDS-14}); do
  for what in create remove; do
    dd if=/dev/urandom of="$work/mounted/f$round" bs=64k count=20 conv=fsync status=none &
    writer=$!
    if [ $what = create ]; then
      truncate -s 64M "$mnt/v" 2>/dev/null &
    else
      rm "$mnt/v" 2>/dev/null &
    fi
    job=$!
    sleep "0.$(printf %03d $((round * 15)))"
    pid=$(daemons)
    kill -9 $pid
    begin=$(date +%s%N)
    start
    echo "$what, killed after $((round * 15)) ms: up again after $((($(date +%s%N) - begin) / 1000000)) ms"
    wait $job || true
    wait $writer
    if [ $what = create ]; then
      [ -e "$mnt/v" ] || touch "$mnt/v"
      truncate -s 64M "$mnt/v"
      must_be_ready v 67108864
    elif [ -e "$mnt/v" ]; then
      must_be_ready v 67108864
      rm "$mnt/v"
    else
      must_not_be_a_disk v
    fi
    must_be "processes that go on errands" "$(pgrep -xc tcmufs-errands)" 1
  done
done
umount "$work/mounted"
e2fsck -fn $links/other >/dev/null || fail "e2fsck"
rm "$mnt/other"
stop
nothing_left
