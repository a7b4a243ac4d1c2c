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

tree=/usr/include/linux/netfilter
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
  cp -r "$tree" "$work/mounted/copy$i" &
  sleep "0.$((RANDOM % 10))"
  die "0.$((RANDOM % 8))"
  must_fail 'Transport endpoint' ls "$mnt"
  start
  wait $!
  must_be "the device of v after death $i" "$(control v device)" "$device"
done
wait $fio || { cat "$work/fio.log"; fail "fio, with status $?"; }
for i in $(seq $deaths); do diff -r "$tree" "$work/mounted/copy$i" || fail "copy $i"; done
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

step "mounted disks that were moved before the death are taken over where they are"
mkdir "$mnt/web"
truncate -s 64M "$mnt/web/a" "$mnt/web/b"
for v in a b; do
  mkfs.ext4 -q $links/web/$v
  mkdir -p "$work/on_$v"
  mount $links/web/$v "$work/on_$v"
  echo before >"$work/on_$v/file"
done
mv "$mnt/web/a" "$mnt/a"
mv "$mnt/web/b" "$mnt/web/b.tmp"
devices="$(control a device) $(control web/b.tmp device)"
die
start
must_be "the devices" "$(control a device) $(control web/b.tmp device)" "$devices"
must_be_ready a 67108864
for v in a b; do
  echo after >>"$work/on_$v/file"
  sync -f "$work/on_$v/file"
  must_be "what stands in the file on $v" "$(tr '\n' ' ' <"$work/on_$v/file")" "before after "
done
must_fail 'busy' rm "$mnt/a"
must_fail 'busy' umount -i "$mnt"
umount "$work/on_a" "$work/on_b"
rm "$mnt/a" "$mnt/web/b.tmp"
rmdir "$mnt/web"

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
