#!/bin/bash
# Every mistake gets the right error and a sentence that says what and why, and nothing is lost or left over.
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

busy='Device or resource busy'
last_error() { cat "$mnt/.ctl/last_error"; }

step "no module: one sentence that names it, exit status 1"
mount -t tmpfs tmpfs /lib/modules
must_exit 1 'target_core_user' tcmufs "$store" "$mnt"
umount /lib/modules
nothing_left

step "no root"
chmod 777 "$store" "$mnt"
must_exit 1 'root' setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$(command -v tcmufs)" "$store" "$mnt"
chmod 755 "$store" "$mnt"
nothing_left

step "store and mount point"
must_exit 1 "$work/nowhere.*No such file|No such file.*$work/nowhere|$work/nowhere.*ENOENT" tcmufs "$work/nowhere" "$mnt"
must_exit 1 "$work/nowhere" tcmufs "$store" "$work/nowhere"
touch "$work/file"
must_exit 1 "$work/file.*(directory|ENOTDIR)" tcmufs "$work/file" "$mnt"
must_exit 1 "$work/file.*(directory|ENOTDIR)" tcmufs "$store" "$work/file"
mkdir -p "$store/inside"
must_exit 1 "inside" tcmufs "$store" "$store/inside"
rmdir "$store/inside"
must_exit 2 '.' tcmufs
must_exit 2 '.' tcmufs --no-such-option "$store" "$mnt"
must_exit 2 '.' mountctl
must_exit 1 'mount' mountctl list
must_exit 1 "$work/nowhere" mountctl mount "$work/nowhere" "$mnt"
nothing_left

start
step "a store that is served already, a mount point in use"
mkdir -p "$work/store2" "$work/disks2"
must_exit 1 "$store.*(served|in use|another)" tcmufs "$store" "$work/disks2"
must_exit 1 "$mnt.*(mounted|in use|mount)" tcmufs "$work/store2" "$mnt"
mountpoint -q "$mnt" || fail "the mount is gone"
must_be "the number of daemons" "$(daemons | wc -l)" 1
rmdir "$work/disks2"

cd "$mnt"
truncate -s 64M v
mkfs.ext4 -q $links/v

step "size not a multiple of the block size"
must_fail 'Invalid argument' truncate -s 1000 odd
must_match last_error "$(control odd last_error)" '512'
must_not_be_a_disk odd
rm -f odd
must_fail 'Invalid argument' truncate -s 67109000 v
must_match last_error "$(control v last_error)" '512'
must_be_ready v $((64 * 1024 * 1024))
head -c 1000 /dev/urandom >"$work/odd"
must_fail 'Invalid argument' cp "$work/odd" odd
must_match last_error "$(control odd last_error)" '512'
must_not_be_a_disk odd
must_match "the state of odd" "$(state odd)" 'failed|pending'
truncate -s 1024 odd
must_be_ready odd 1024
rm odd

step "a name that is too long, reserved names"
long=$(printf '%0300d' 0)
must_fail 'File name too long' truncate -s 1M "$long"
must_fail 'File name too long' mkdir "$long"
must_fail 'not permitted|Is a directory' truncate -s 1M .ctl
must_fail 'not permitted|File exists' mkdir .ctl
must_fail 'not permitted|File exists|Is a directory|cannot overwrite' mv -T v .ctl
must_fail 'not permitted|Permission denied|busy' rm -r .ctl
must_fail 'not permitted|Permission denied' truncate -s 1M status
must_fail 'not permitted|Permission denied' rm -f status
mkdir web
must_fail 'not permitted' truncate -s 1M web/.ctl
must_fail 'not permitted' mv v web/.ctl
rmdir web
must_fail '.' truncate -s 1M .ctl/vol/new
must_fail 'denied|not permitted' bash -c "echo ready > .ctl/vol/v/state"

step "a second name for a disk"
must_fail 'not permitted' ln v w
must_match last_error "$(last_error)" '.+'
[ ! -e w ] || fail "there is a w"

step "writing to a volume that is a disk"
must_fail "$busy" dd if=/dev/zero of=v bs=4096 count=1 conv=notrunc status=none
must_match last_error "$(control v last_error)" '/dev/|device|disk'
must_fail "$busy|Operation not supported" fallocate -p -o 0 -l 4096 v
e2fsck -fn $links/v >/dev/null 2>&1 || fail "the refused write has reached the disk"

step "a volume that is mounted: not removed, shrunk, replaced or renamed over"
mount $links/v "$work/mounted"
cp /bin/bash "$work/mounted/kept"
truncate -s 32M w
must_fail "$busy" rm v
must_match last_error "$(control v last_error)" "mounted|$work/mounted"
must_fail "$busy" truncate -s 32M v
must_fail "$busy" cp "$work/odd" v
must_fail "$busy" mv w v
must_fail "$busy" bash -c ': > v'
must_exit 1 "mounted" mountctl rm v
must_exit 1 "mounted" mountctl umount "$mnt"
cd /
must_fail 'busy' umount -i "$mnt"
cd "$mnt"
must_be_ready v $((64 * 1024 * 1024))
must_be_ready w $((32 * 1024 * 1024))
cmp /bin/bash "$work/mounted/kept" || fail "the file on the mounted volume is damaged"
umount "$work/mounted"
e2fsck -fn $links/v >/dev/null 2>&1 || fail "the file system is damaged"

step "a volume that is swap, or below device-mapper"
dmsetup create holder --table "0 $(blockdev --getsz $links/w) linear $links/w 0"
must_fail "$busy" rm w
must_match last_error "$(control w last_error)" 'holder|dm-0'
dmsetup remove --retry holder
mkswap $links/w >/dev/null
swapon $links/w
must_fail "$busy" rm w
must_match last_error "$(control w last_error)" 'swap'
swapoff $links/w
rm w

step "what is not there"
must_fail 'No such file' rm nothing
must_exit 1 'nothing' mountctl rm nothing
must_exit 1 'nothing' mountctl status nothing
must_exit 2 '.' mountctl create x 12parsecs
must_exit 1 '512|Invalid' mountctl create odd 1000
must_exit 1 'exists' mountctl create v 64M
must_be "what is in the mount" "$(ls -A | grep -v '^status$')" v

rm v
cd /
stop
nothing_left
