#!/bin/bash
# The Debian package's service on a machine with systemd: installed, used, upgraded under I/O, its daemon killed, stopped.
# vm: --systemd --timeout 1200
. "$(dirname "$0")/package_lib.sh"
main_pid() { systemctl show --property=MainPID --value $service; }
is_active() { systemctl --quiet is-active $service; }

step "install: nothing runs yet, everything is where it is looked for"
dpkg -i "$packages"/tcmufs_*+1_*.deb
for file in /usr/sbin/{tcmufs,mountctl,umount.fuse.tcmufs} /etc/tcmufs/disks.conf /usr/share/man/man8/{tcmufs,mountctl}.8; do
  [ -e "$file" ] || fail "there is no $file"
done
no_daemon || fail "the installation started a daemon"
must_match "the conffiles" "$(dpkg-query -W -f '${Conffiles}' tcmufs)" '/etc/tcmufs/disks.conf'
systemd-analyze verify $service 2>&1 | { ! grep -i tcmufs; } || fail "systemd-analyze verify"

step "tcmufs-backstores: targetcli finds it, by the policy of the bus"
backstores_told() { journalctl -u tcmufs-backstores -o cat --no-pager | grep -q "$1"; }
backstores_pid() { systemctl show --property=MainPID --value tcmufs-backstores; }
times_served() { journalctl -u tcmufs-backstores -o cat --no-pager | grep -c 'disk.: is served'; }
cli() { timeout 120 targetcli "$@" || fail "targetcli $*"; }
modprobe -a target_core_user tcm_loop sd_mod iscsi_target_mod
mkdir -p /etc/target $target/iscsi # what targetcli makes, and leaves
remember
systemctl start tcmufs-backstores
wait_until 60 backstores_told 'targetcli finds the handler'
cli /backstores/user:tcmufs create name=disk size=64M cfgstring=/srv/disk.img
wait_until 60 backstores_told 'disk.: is served'
must_match "the journal" "$(systemctl show --property=ActiveState --value tcmufs-backstores)" '^active$'

step "without a store the service fails, in words"
rmdir $store 2>/dev/null || true
mkdir -p $mnt
must_fail 'failed' systemctl start $service
systemctl stop $service
must_match "the journal" "$(journalctl -u $service -o cat --no-pager)" 'the store .*cannot be used.*mkdir -p /var/lib/tcmufs'
systemctl reset-failed $service 2>/dev/null || true

step "start: returns when it is ready, and says what it does"
mkdir $store
truncate -s $size $store/v # a volume that comes up before the start returns
systemctl start $service
mountpoint -q $mnt || fail "there is no mount"
must_be "the state of v" "$(state v)" ready
must_be "the status" "$(systemctl show --property=StatusText --value $service)" "serving '$store' at '$mnt'"
must_be "the link" "$(mountctl create w 64M)" "$links/w"
echo ACME >$mnt/.ctl/vol/w/vendor # what the rule of udev does not depend on
mkfs.ext4 -q $links/w

step "udev: systemd knows the link, no desktop mounts the disk"
udevadm settle
known() { systemctl --quiet is-active dev-tcmufs-w.device; }
wait_until 60 known
must_match "what udev knows" "$(udevadm info -q property $links/w)" '^UDISKS_AUTO=0'

step "a line of fstab for a disk: systemd mounts it by its link, and unmounts it before the service stops"
mkdir -p /srv/w
cp /etc/fstab "$work/fstab"
echo "$links/w /srv/w ext4 nofail,x-systemd.after=$service 0 0" >>/etc/fstab
systemctl daemon-reload
systemctl start srv-w.mount
echo before >/srv/w/file

step "the daemon is killed under I/O: systemd has the next one there at once, nobody sees an error"
load() { # until there is the file "enough"
  until [ -e "$work/enough" ]; do
    fio --name=load --filename="$links/v" --direct=1 --rw=randwrite --bsrange=4k-64k --ioengine=libaio --iodepth=8 --size=$size \
      --verify=crc32c --verify_backlog=64 --time_based --runtime=5 --verify_fatal=1 --minimal >"$work/fio.log" 2>&1 || return
  done
}
load &
load=$!
sleep 3
for death in 1 2; do
  old=$(main_pid)
  began=$(date +%s%N)
  kill -9 "$old"
  another() { [ "$(main_pid)" != "$old" ] && [ "$(main_pid)" != 0 ] && is_active; }
  wait_until 60 another
  echo "death $death: the next daemon was ready after $((($(date +%s%N) - began) / 1000000)) ms"
  must_be "the state of v" "$(state v)" ready
done
journalctl -u $service -o short-monotonic --no-pager -n 16

step "upgrade under I/O: a daemon of the new version, the same disks"
device=$(control v device)
old=$(main_pid)
old_backstores=$(backstores_pid)
served_before=$(times_served)
dpkg -i "$packages"/tcmufs_*+2_*.deb
is_active || fail "the service is not active after the upgrade"
[ "$(main_pid)" != "$old" ] || fail "the daemon of the old version runs still"
served_again() { [ "$(times_served)" -gt "$served_before" ]; }
wait_until 60 served_again
[ "$(backstores_pid)" != "$old_backstores" ] || fail "the old version of tcmufs-backstores runs still"
must_be "the installed version" "$(dpkg-query -W -f '${Version}' tcmufs | sed 's/.*+//')" 2
must_be "the program that runs" "$(readlink "/proc/$(main_pid)/exe")" /usr/sbin/tcmufs
must_be "the device of v" "$(control v device)" "$device"
echo after >>/srv/w/file
sync -f /srv/w/file
touch "$work/enough"
wait $load || { cat "$work/fio.log" && fail "fio"; }
must_be "what stands in the file" "$(tr '\n' ' ' </srv/w/file)" "before after "

step "umount: by its helper; refused while a disk is in use, with who; -r makes it read-only then"
must_match "what userspace knows of the mount" "$(grep -c " TARGET=$mnt " /run/mount/utab)" '^1$'
must_exit 32 "w is mounted on '/srv/w'" umount $mnt
must_exit 32 "read-only now" umount -r $mnt
must_match "the options" "$(findmnt -n -o OPTIONS $mnt)" '^ro,'
must_be_ready v $size
mount -i -o remount,rw $mnt

step "removal: refused while a disk is in use"
must_fail "only tcmufs-backstores serves these backstores of targetcli: disk" dpkg -r tcmufs
cli /backstores/user:tcmufs delete disk
wait_until 60 backstores_told 'disk.: was removed'
must_fail "w is mounted on '/srv/w'" dpkg -r tcmufs
systemctl --quiet is-active tcmufs-backstores || fail "the refused removal stopped tcmufs-backstores"
systemctl stop tcmufs-backstores
must_be "the result of tcmufs-backstores" "$(systemctl show --property=Result --value tcmufs-backstores)" success
is_active || fail "the refused removal stopped the service"
must_be "what stands in the file" "$(tr '\n' ' ' </srv/w/file)" "before after "
dpkg --configure -a

step "stopped together, as at shutdown: the file system on the disk goes first; started together, it comes last"
# One transaction for both, which two units on a command line are not.
cat >/run/systemd/system/the-end.target <<UNIT
[Unit]
Conflicts=$service srv-w.mount
After=$service srv-w.mount
UNIT
systemctl daemon-reload
systemctl start the-end.target
! mountpoint -q /srv/w || fail "/srv/w is still mounted"
! is_active || fail "the service has not been stopped"
nothing_left
systemctl start srv-w.mount $service
mountpoint -q /srv/w || fail "/srv/w is not mounted"
must_be "what stands in the file" "$(tr '\n' ' ' </srv/w/file)" "before after "
systemctl stop srv-w.mount

step "umount takes all down before it returns, and the service has ended, not failed"
strace -f -e trace=execve -o "$work/execve" umount -v $mnt
must_match "what umount ran" "$(cat "$work/execve")" '/umount.fuse.tcmufs'
no_daemon || fail "umount returned before the daemon had ended"
wait_until 30 eval '! is_active'
must_be "the result of the service" "$(systemctl show --property=Result --value $service)" success
nothing_left
no_entry || fail "an entry of the mount is left in /run/mount/utab"
