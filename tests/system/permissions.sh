#!/bin/bash
# Owner and mode of a volume's file, and its disk.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; } # UID COMMAND...
nobody=65534 other=1001
nodes() { # VOLUME: owner, group and mode of its nodes, which must be the same
  local block generic
  block=$(stat -c '%u:%g %a' "$(control "$1" device)")
  generic=$(stat -c '%u:%g %a' "$(control "$1" sg)")
  [ "$block" = "$generic" ] || fail "the nodes of $1 differ: $block, $generic"
  echo "$block"
}
of_kernel() { cat "/sys/block/$(basename "$(control t device)")/$1"; }

modprobe sg
start -o allow_other
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
start -o allow_other
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

mkdir "$mnt/web"
chown $nobody "$mnt/web"
own=$links/web/own
the_system_gives=$(nodes t)
echo "the system gives disks $the_system_gives"

# With udev and without; whatever udev may do after an event has been done when this returns.
settled() { ! pgrep -x systemd-udevd >/dev/null || udevadm settle; }
owners() {
  step "whose file, whose disk: an ordinary user uses it, and nobody else's"
  as $nobody bash -c "umask 022; truncate -s 16M '$mnt/web/own'; dd if=/dev/zero of=$own bs=1M count=1 oflag=direct status=none"
  settled
  must_be "the nodes of own" "$(nodes web/own)" "$nobody:$nobody 640"
  as $nobody dd if=/dev/zero of=$own bs=1M count=1 oflag=direct status=none
  as $nobody sg_inq "$(control web/own sg)" >/dev/null || fail "sg_inq by the owner"
  must_fail 'Permission denied' as $other head -c 1 $own
  must_fail 'Permission denied' as $nobody head -c 1 $links/t
  must_fail 'Permission denied' as $nobody sg_inq "$(control t sg)"
  must_be "the nodes of t" "$(nodes t)" "$the_system_gives"

  step "chmod and chown hold at once, and for whatever event comes later"
  as $nobody chmod 666 "$mnt/web/own"
  must_be "the nodes of own" "$(nodes web/own)" "$nobody:$nobody 660"
  must_fail 'Permission denied' as $other head -c 1 $own
  chgrp $other "$mnt/web/own"
  as $other head -c 1 $own >/dev/null
  chown $other "$mnt/web/own"
  must_fail 'Permission denied' as $nobody head -c 1 $own
  as $other chmod 600 "$mnt/web/own"
  if pgrep -x systemd-udevd >/dev/null; then udevadm trigger --settle --action=change; fi
  must_be "the nodes of own" "$(nodes web/own)" "$other:$other 600"
  chown 0:0 "$mnt/web/own"
  must_fail 'Permission denied' as $other head -c 1 $own
  settled
  must_be "the nodes of own" "$(nodes web/own)" "$the_system_gives"
  chown $nobody:0 "$mnt/web/own"
  settled
  must_be "the nodes of own" "$(nodes web/own)" "$nobody:$(cut -d : -f 2 <<<"${the_system_gives% *}") 600"
  chown $nobody:$nobody "$mnt/web/own"

  step "one that cannot take the disk over leaves udev with what it was told"
  pkill -9 -x tcmufs
  wait_until 30 no_daemon
  ln -sfn /dev/null $own
  start -o allow_other
  must_be "state" "$(control web/own state)" failed
  must_match "what udev is told" "$(cat /run/tcmufs/nodes/*)" "^TCMUFS_OWNER=$nobody$"
  rm $own
  echo attach >"$mnt/.ctl/vol/web/own/ctl"
  must_be "the nodes of own" "$(nodes web/own)" "$nobody:$nobody 600"

  step "the next daemon gives them to who owns the file then"
  pkill -9 -x tcmufs
  wait_until 30 no_daemon
  chown $other:$other "$store/web/own"
  start -o allow_other
  settled
  must_be "the nodes of own" "$(nodes web/own)" "$other:$other 600"
  chown $nobody:$nobody "$mnt/web/own"

  step "who gets the name of a disk that is gone gets nothing of its owner"
  local device
  device=$(control web/own device)
  as $nobody rm "$mnt/web/own"
  truncate -s 16M "$mnt/next"
  must_be "the device of next" "$(control next device)" "$device"
  must_fail 'Permission denied' as $nobody head -c 1 "$device"
  settled
  must_be "the nodes of next" "$(nodes next)" "$the_system_gives"
  rm "$mnt/next"
  [ -z "$(ls -A /run/tcmufs/nodes)" ] || fail "/run/tcmufs/nodes has $(ls -A /run/tcmufs/nodes)"
}
owners

step "with udev"
mkdir -p /run/udev/rules.d
cp "$(dirname "$0")/../../contrib/udev/59-tcmufs.rules" /run/udev/rules.d
/lib/systemd/systemd-udevd --daemon
udevadm trigger --settle --action=add --subsystem-match=block --subsystem-match=scsi_generic
the_system_gives=$(nodes t)
must_match "what udev gives disks" "$the_system_gives" '^0:[1-9][0-9]* 660$'
owners

step "udev does not look at what a user has written"
truncate -s 16M "$mnt/good" "$mnt/open"
chmod o+w "$mnt/open"
as $nobody truncate -s 16M "$mnt/web/own"
good=11111111-1111-1111-1111-111111111111 evil=22222222-2222-2222-2222-222222222222 open=33333333-3333-3333-3333-333333333333
mkfs.ext4 -q -U $good $links/good
mkfs.ext4 -q -U $open $links/open
as $nobody mkfs.ext4 -q -U $evil $own
udevadm trigger --settle --action=change --subsystem-match=block
[ -b /dev/disk/by-uuid/$good ] || fail "udev does not look at root's either"
[ ! -e /dev/disk/by-uuid/$evil ] || fail "udev has made a link for what a user has written"
[ ! -e /dev/disk/by-uuid/$open ] || fail "udev has made a link for what anybody could have written"
for disk in good:yes web/own:; do
  must_be "links of ${disk%:*} in by-id" "$(find /dev/disk/by-id -lname "*/$(basename "$(control "${disk%:*}" device)")" -printf 'yes\n' | sort -u)" "${disk#*:}"
done
stop
nothing_left
