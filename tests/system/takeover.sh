#!/bin/bash
# The daemon is killed under load, again and again, and started anew: nobody sees an error, and no byte is lost.
# vm: --timeout 1200
. "$(dirname "$0")/lib.sh"

deaths=12
size=134217728

die() { # [SECONDS]: kill -9, and no daemon for so long
  local pid
  pid=$(daemons)
  kill -9 "$pid"
  wait_until 60 no_daemon
  sleep "${1-0}"
}

start
truncate -s $size "$mnt/v" "$mnt/w"
device=$(control v device)
uuid=$(control v uuid)

step "$deaths deaths while fio writes and verifies, ext4 on the second volume"
mkfs.ext4 -q $links/w
mount $links/w "$work/mounted"
fio --name=load --filename="$device" --direct=1 --rw=randwrite --bsrange=512-64k --ioengine=libaio --iodepth=16 --size=$size \
  --verify=crc32c --verify_backlog=64 --time_based --runtime=$((deaths * 3)) --verify_fatal=1 --group_reporting \
  --minimal >"$work/fio.log" 2>&1 &
fio=$!
for i in $(seq $deaths); do
  cp -r /usr/include/linux "$work/mounted/copy$i" &
  sleep "0.$((RANDOM % 10))"
  die "0.$((RANDOM % 8))"
  must_fail 'Transport endpoint' ls "$mnt"
  start
  wait $!
  must_be "the device of v after death $i" "$(control v device)" "$device"
done
wait $fio || { cat "$work/fio.log"; fail "fio, with status $?"; }
for i in $(seq $deaths); do diff -r /usr/include/linux "$work/mounted/copy$i" || fail "copy $i"; done
umount "$work/mounted"
e2fsck -fn $links/w || fail "e2fsck"
must_be "the uuid of v" "$(control v uuid)" "$uuid"

step "a death and a long outage with commands waiting"
die
dd if=/dev/urandom of="$work/data" bs=1M count=8 status=none
dd if="$work/data" of="$device" oflag=direct bs=64k status=none &
writer=$!
sleep 15
kill -0 $writer || fail "the writer did not wait"
start
wait $writer || fail "the writer"
must_hold v "$work/data"

step "a volume whose image went away meanwhile: its disk goes, the other stays"
die
rm "$store/w"
start
must_not_be_a_disk w
must_be_ready v $size
must_be "the table" "$(awk 'NR > 1 { print $1 }' "$mnt/status")" v

rm "$mnt/v"
stop
nothing_left
