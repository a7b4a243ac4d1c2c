#!/bin/bash
# A daemon takes over what another one left, wherever it has got to meanwhile. tests/system/deaths.sh is about the moment of death.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

size=134217728

die() {
  kill -9 "$(daemons)"
  wait_until 60 no_daemon
}

start
truncate -s $size "$mnt/v" "$mnt/w"
device=$(control v device)
uuid=$(control v uuid)

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
must_be "the device of v" "$(control v device)" "$device"
must_be "the uuid of v" "$(control v uuid)" "$uuid"

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
