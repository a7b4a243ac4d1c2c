#!/bin/bash
# ext4, XFS and btrfs on a volume keep a tree of files over an unmount, the end of the daemon and a remount of the store.
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

tree=$work/tree
mkdir "$tree"
cp -r /usr/include/linux /usr/include/asm-generic "$tree/"
head -c 20000000 /dev/urandom >"$tree/large"
truncate -s 50M "$tree/sparse"
ln -s large "$tree/link"
sums() { (cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum && find . -type l -printf '%p %l\n' | sort); }
sums "$tree" >"$work/sums"
wc -l <"$work/sums"

file_systems="ext4 xfs btrfs"
check() { # FILE SYSTEM, DEVICE
  case $1 in
    ext4) e2fsck -fn "$2" ;;
    xfs) xfs_repair -n "$2" ;;
    btrfs) btrfs check --readonly "$2" ;;
  esac >"$work/check" 2>&1 || fail "the check of $1: $(cat "$work/check")"
}

start
for type in $file_systems; do
  step "$type: copy a tree in"
  truncate -s 512M "$mnt/$type"
  "mkfs.$type" $links/$type >/dev/null 2>"$work/mkfs" || fail "mkfs.$type: $(cat "$work/mkfs")"
  mount -t "$type" $links/$type "$work/mounted"
  cp -a "$tree/." "$work/mounted/"
  sync -f "$work/mounted"
  umount "$work/mounted"
done
for type in $file_systems; do
  control "$type" uuid
done >"$work/uuids"

step "stop the daemon"
stop
nothing_left
ls -ls "$store"

step "mount the store again: every volume is back when the command returns"
start
for type in $file_systems; do
  must_be_ready "$type" $((512 * 1024 * 1024))
  control "$type" uuid
done >"$work/uuids.now"
cmp "$work/uuids" "$work/uuids.now" || fail "the volumes have other uuids"
for type in $file_systems; do
  step "$type: check it, and compare the files"
  check "$type" $links/$type
  mount -t "$type" -o ro $links/$type "$work/mounted"
  sums "$work/mounted" | cmp - "$work/sums" || fail "the files on $type are not what was copied"
  umount "$work/mounted"
  rm "$mnt/$type"
done

step "grow a mounted ext4 online"
truncate -s 64M "$mnt/grow"
mkfs.ext4 -q $links/grow
mount $links/grow "$work/mounted"
cp "$tree/large" "$work/mounted/"
truncate -s 128M "$mnt/grow"
must_be_ready grow $((128 * 1024 * 1024))
resize2fs $links/grow >/dev/null 2>&1 || fail "resize2fs"
[ "$(df --output=size -k "$work/mounted" | tail -n 1)" -gt 100000 ] || fail "the file system has not grown"
cmp "$tree/large" "$work/mounted/large"
umount "$work/mounted"
check ext4 $links/grow
rm "$mnt/grow"

stop
nothing_left
