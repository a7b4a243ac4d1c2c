#!/bin/bash
# Direct I/O on the image.
# vm: --disk 2G --timeout 900
. "$(dirname "$0")/lib.sh"

set_to() { echo "$3" >"$mnt/.ctl/vol/$1/$2"; } # VOLUME SETTING VALUE
last_error() { control "$1" last_error; }
cached_pages() { fincore --raw --noheadings --output PAGES "$store/$1"; } # VOLUME: of its image
verify() { # VOLUME FIO-OPTION...
  local node
  node=$(control "$1" device)
  shift
  fio --name=verify --filename="$node" --ioengine=libaio --direct=1 --size=64M --verify=crc32c --verify_fatal=1 \
    --output="$work/fio" "$@" || { cat "$work/fio"; fail "fio"; }
}
forget() {
  sync
  echo 3 >/proc/sys/vm/drop_caches
}

mkfs.ext4 -q /dev/vda
mount /dev/vda "$store"

step "-o direct: what is written and read does not stay in the page cache"
start -o direct
truncate -s 64M "$mnt/v"
must_be "direct" "$(control v direct)" 1
forget
verify v --rw=randrw --bs=4k --iodepth=32 --fsync=50
verify v --rw=write --bs=1m --iodepth=8
must_be "the pages of the image in the page cache" "$(cached_pages v)" 0
cmp "$(control v device)" "$store/v" || fail "the disk is not what the image is"

step "filesystem, discard and blocks of 512 bytes"
mkfs.ext4 -q $links/v
mount -o discard $links/v "$work/mounted"
cp -r /usr/include/asm-generic "$work/mounted/"
rm -r "$work/mounted/asm-generic"
cp -r /usr/include/asm-generic "$work/mounted/"
fstrim "$work/mounted"
umount "$work/mounted"
e2fsck -fn $links/v || fail "e2fsck"
mount $links/v "$work/mounted"
diff -r /usr/include/asm-generic "$work/mounted/asm-generic" || fail "the files"
umount "$work/mounted"
verify v --rw=randrw --bsrange=512-16k --iodepth=16

step "an idle disk changes over, with what it holds"
sum=$(sha256sum <$links/v)
set_to v direct 0
must_be "the contents" "$(sha256sum <$links/v)" "$sum"
[ "$(cached_pages v)" -gt 0 ] || fail "nothing is cached"
set_to v direct 1
must_be "the contents" "$(sha256sum <$links/v)" "$sum"

step "a daemon that is killed during direct writes loses none"
verify v --rw=randwrite --bs=4k --iodepth=16 --time_based --runtime=12 &
fio=$!
sleep 4
kill -9 $(daemons)
wait_until 60 no_daemon
start -o direct
wait $fio || fail "fio, across the death of the daemon"
if dmesg | grep -E 'I/O error'; then fail "the kernel has seen an error"; fi
stop

step "where the image's file system takes nothing below 4096 bytes, what is smaller goes through the page cache"
umount "$store"
modprobe loop
loop=$(losetup --find --show --sector-size 4096 /dev/vda)
mkfs.ext4 -q -F "$loop"
mount "$loop" "$store"
start -o direct
truncate -s 64M "$mnt/v"
verify v --rw=randrw --bsrange=512-16k --iodepth=16
verify v --rw=write --bs=64k --iodepth=8
mkfs.ext4 -q -F $links/v
e2fsck -fn $links/v || fail "e2fsck"
truncate -s $((64 * 1024 * 1024 + 512)) "$mnt/v"
printf end | dd of=$links/v bs=512 seek=131072 conv=notrunc,sync oflag=direct status=none
must_be "the last block" "$(tail -c 512 $links/v | tr -d '\0')" end
must_be "the size of the image" "$(stat -c %s "$store/v")" $((64 * 1024 * 1024 + 512))
stop
umount "$store"
losetup -d "$loop"

step "where it cannot be had it is refused in words" # on tmpfs
start
truncate -s 64M "$mnt/t"
must_fail 'Invalid argument' set_to t direct 1
must_match last_error "$(last_error t)" 'no O_DIRECT.*It is a disk again'
must_be_ready t 67108864

stop
nothing_left
