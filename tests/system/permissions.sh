#!/bin/bash
# The mode of a volume's file and its disk.
# vm: --timeout 300
. "$(dirname "$0")/lib.sh"

of_kernel() { cat "/sys/block/$(basename "$(control t device)")/$1"; }

start
truncate -s 64M "$mnt/t"
echo precious | dd of=$links/t conv=sync status=none oflag=direct

step "no write bit at all: write-protected"
chmod a-w "$mnt/t"
must_be "mode" "$(stat -c %a "$mnt/t")" 444
must_be "the kernel's view" "$(of_kernel ro)" 1
must_fail 'not permitted|Read-only' dd if=/dev/zero of=$links/t bs=512 count=1 oflag=direct
must_be "what is on it" "$(head -c 8 $links/t)" precious

step "root still gives it another size"
truncate -s 128M "$mnt/t"
must_be_ready t 134217728
must_be "the kernel's view" "$(of_kernel ro)" 1

step "it stays so over a remount"
stop
start
must_be "the kernel's view" "$(of_kernel ro)" 1

step "a write bit: writable again"
chmod u+w "$mnt/t"
must_be "the kernel's view" "$(of_kernel ro)" 0
mkfs.ext4 -q -F $links/t

step "a disk in use is refused"
mount $links/t "$work/mounted"
must_fail 'Device or resource busy' chmod a-w "$mnt/t"
must_match last_error "$(control t last_error)" "$work/mounted"
must_be "mode" "$(stat -c %a "$mnt/t")" 644
chmod go-r "$mnt/t" # no other disk is needed for that
must_be "mode" "$(stat -c %a "$mnt/t")" 600
touch "$work/mounted/file"
umount "$work/mounted"

step "a file that comes with such a mode"
truncate -s 8M "$work/image"
chmod 0440 "$work/image"
cp -a "$work/image" "$mnt/u"
must_be_ready u 8388608
must_fail 'not permitted|Read-only' dd if=/dev/zero of=$links/u bs=512 count=1 oflag=direct
stop
nothing_left
