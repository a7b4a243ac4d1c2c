#!/bin/bash
# cp inside the mount: where the store can (XFS) the copy shares the blocks of what is copied, holes stay holes, and it is a
# disk of its own.
# vm: --timeout 300
. "$(dirname "$0")/lib.sh"

modprobe loop
truncate -s 600M "$work/xfs"
mkfs.xfs -q -m reflink=1 "$work/xfs"
mount -o loop "$work/xfs" "$store"
start

shares() { filefrag -s -v "$store/$1" | grep -q shared; } # VOLUME

step "a copy shares its blocks"
truncate -s 16M "$mnt/a"
dd if=/dev/urandom of=$links/a bs=1M count=16 conv=fsync status=none
cp "$mnt/a" "$mnt/b"
must_be_ready b 16777216
cmp $links/a $links/b
shares b || fail "b has blocks of its own: $(filefrag -v "$store/b")"
[ "$(control a uuid)" != "$(control b uuid)" ] || fail "a and b have the same identity"

step "and is another disk all the same"
sum=$(cksum <$links/a)
dd if=/dev/zero of=$links/b bs=1M seek=4 count=1 conv=fsync status=none
must_be "what is on a" "$(cksum <$links/a)" "$sum"
must_fail 'differ' cmp $links/a $links/b

step "holes stay holes, whoever copies"
truncate -s 64M "$mnt/s"
dd if=/dev/urandom of=$links/s bs=1M seek=16 count=8 conv=fsync status=none
cp "$mnt/s" "$mnt/by_cp"
xfs_io -f -c "copy_range $mnt/s" "$mnt/by_range" # all of it in a single request
for copy in by_cp by_range; do
  must_be_ready $copy 67108864
  cmp $links/s $links/$copy
  sync -f "$store"
  must_match "the extents of $copy" "$(filefrag -v "$store/$copy")" '^ *0: +4096\.\. +6143:'
done
shares by_range || fail "by_range has blocks of its own: $(filefrag -v "$store/by_range")"

step "over another disk, which nobody uses"
truncate -s 64M "$mnt/c"
cp "$mnt/a" "$mnt/c"
must_be_ready c 16777216
cmp $links/a $links/c

step "sharing, or else nothing: that cannot be asked for through FUSE"
must_fail 'Operation not supported' cp --reflink=always "$mnt/a" "$mnt/d"
rm -f "$mnt/d"

step "of a disk in use: what has been flushed is there"
mkfs.ext4 -q $links/c
mount $links/c "$work/mounted"
cp /bin/bash "$work/mounted/kept"
sync -f "$work/mounted"
cp "$mnt/c" "$mnt/e"
umount "$work/mounted"
e2fsck -p $links/e || [ $? = 1 ] || fail "e2fsck"
mount $links/e "$work/mounted"
cmp /bin/bash "$work/mounted/kept" || fail "the copy has not what was flushed"
umount "$work/mounted"

stop
nothing_left
umount "$store"
