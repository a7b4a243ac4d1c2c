#!/bin/bash
# Others on the same kernel: tcmu-runner, targetcli, multipathd, a second tcmufs. Nobody notices the others.
# $TCMUFS_ROUNDS disks are made and removed on each side, 10 unless said otherwise:
# TCMUFS_ROUNDS=100 tests/system/in_vm tests/system/neighbours.sh build/debug/bin --env TCMUFS_ROUNDS --timeout 1200
# vm: --udev --timeout 300
. "$(dirname "$0")/lib.sh"

rounds=${TCMUFS_ROUNDS:-10}
size=33554432

# Nothing here may hang.
ours() { timeout 60 "$@" || fail "took too long, or failed: $*"; }
since=$SECONDS
lap() { echo "$((SECONDS - since)) s: $*" && since=$SECONDS; }

# A backstore of tcmu-runner's qcow handler, as targetcli makes it.
theirs=$target/core/user_7
images=$work/images
mkdir -p "$images"
their_image() { [ -e "$images/$1" ] || qemu-img create -q -f qcow2 "$images/$1" $size; }
make_theirs() { # NAME
  ours mkdir -p "$theirs/$1"
  ours bash -c "echo 'dev_config=qcow/$images/$1,dev_size=$size' >$theirs/$1/control && echo 1 >$theirs/$1/enable"
}
remove_theirs() { ours rmdir "$theirs/$1"; } # NAME
has_bus_name() {
  busctl --system call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s \
    org.kernel.TCMUService1 | grep -q true
}

step "tcmu-runner, with its bus, and a target of others"
mkdir -p /run/dbus /etc/target
dbus-daemon --system --fork --nopidfile
modprobe -a target_core_user target_core_file tcm_loop sd_mod dm_multipath
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
tcmu-runner >"$work/runner.log" 2>&1 &
runner=$!
mkdir -p $target/core/fileio_0/foreign
truncate -s $size "$work/foreign"
echo "fd_dev_name=$work/foreign,fd_dev_size=$size" >$target/core/fileio_0/foreign/control
echo 1 >$target/core/fileio_0/foreign/enable
echo 12345678-1234-4123-8123-123456789abc >$target/core/fileio_0/foreign/wwn/vpd_unit_serial
mkdir -p $target/loopback/naa.5001405000000001/tpgt_1/lun/lun_0
echo naa.5001405000000002 >$target/loopback/naa.5001405000000001/tpgt_1/nexus
ln -s $target/core/fileio_0/foreign $target/loopback/naa.5001405000000001/tpgt_1/lun/lun_0/foreign
foreign_disk() { compgen -G '/sys/block/sd*' >/dev/null; }
wait_until 60 foreign_disk
foreign=$(basename /sys/block/sd*)
dd if=/dev/urandom of="$work/data" bs=1M count=4 status=none
dd if="$work/data" of="/dev/$foreign" oflag=direct bs=1M status=none
wait_until 60 has_bus_name
remember
lap "the neighbours are there"

step "$rounds disks on each side, at the same time"
start
for v in kept lost mounted; do truncate -s $size "$mnt/$v"; done
their_image kept
make_theirs kept
dd if="$work/data" of=$links/kept oflag=direct bs=1M status=none
rounds_of_theirs() {
  local i
  their_image a
  for ((i = 0; i < rounds; ++i)); do
    make_theirs a
    remove_theirs a
  done
}
rounds_of_theirs &
theirs_at_work=$!
for ((i = 0; i < rounds; ++i)); do
  ours truncate -s $size "$mnt/a$i"
  must_be_ready "a$i" $size
  ours rm "$mnt/a$i"
done
lap "ours"
wait $theirs_at_work || fail "the backstores of tcmu-runner"
lap "then theirs"
kill -0 $runner || fail "tcmu-runner is dead"
must_be "whether the kernel waits for tcmu-runner's answers" "$(cat $theirs/kept/attrib/nl_reply_supported)" 1
must_be_ready kept $size

step "multipathd, which takes all it can get, does not take ours"
mkdir -p /etc/multipath/conf.d
printf 'defaults {\n find_multipaths no\n user_friendly_names yes\n}\n' >/etc/multipath.conf
cp "$(dirname "$0")/../../contrib/multipath/tcmufs.conf" /etc/multipath/conf.d/
multipathd -d -s >"$work/multipathd.log" 2>&1 &
multipathd=$!
taken_by_multipath() { [ -n "$(ls "/sys/block/$1/holders")" ]; } # sdX
wait_until 60 taken_by_multipath "$foreign"
mapper=/dev/mapper/$(cat /sys/block/$foreign/holders/*/dm/name)
wait_until 60 test -b "$mapper"
truncate -s $size "$mnt/later"
must_be_ready later $size
sleep 1
for v in kept later; do must_be "who has $v" "$(ls "/sys/block/$(basename "$(control $v device)")/holders")" ""; done
ours rm "$mnt/later"
must_match "the doctor" "$(mountctl doctor 2>&1)" 'multipathd runs, and is told to leave the disks alone'
must_match "the doctor" "$(mountctl doctor 2>&1)" 'tcmu-runner is running'

step "tcmu-runner hangs: so do its backstores, and not our disks"
kill -STOP $runner
their_image stuck
make_theirs stuck &
stuck=$!
ours truncate -s $size "$mnt/b"
must_be_ready b $size
ours truncate -s $((2 * size)) "$mnt/b"
must_be_ready b $((2 * size))
ours rm "$mnt/b"
kill -0 $stuck || fail "the backstore of tcmu-runner does not wait for it"
stop
start
must_be_ready kept $size
kill -CONT $runner
wait $stuck || fail "the backstore that waited for tcmu-runner"
remove_theirs stuck
lap "tcmu-runner had hung"

step "tcmu-runner is killed, and started anew"
kill -KILL $runner
wait $runner || true
ours truncate -s $size "$mnt/c"
must_be_ready c $size
tcmu-runner >>"$work/runner.log" 2>&1 &
runner=$!
wait_until 60 has_bus_name
ours rm "$mnt/c"
remove_theirs kept
ours rmdir "$theirs"
lap "tcmu-runner had died"

step "a second tcmufs with another store, and one with the same"
mkdir "$work/other" "$work/others" "$work/third"
timeout 60 tcmufs "$work/other" "$work/others" || fail "the second daemon did not start"
ours truncate -s $size "$work/others/other"
must_be_ready kept $size
must_match "its disk" "$(cat "$work/others/status")" 'other +ready'
must_fail 'served by|in use' tcmufs "$store" "$work/third"
ours rm "$work/others/other"
ours mountctl umount "$work/others"
must_be_ready kept $size
lap "a second tcmufs"

step "targetcli shows ours with the others"
timeout 120 targetcli >"$work/targetcli.log" 2>&1 <<COMMANDS || fail "targetcli: $(cat "$work/targetcli.log")"
ls
saveconfig $work/saved.json
exit
COMMANDS
uuid=$(control kept uuid)
grep -q "foreign" "$work/targetcli.log" || fail "targetcli does not show its own backstore"
jq -e --arg name "$uuid" '.storage_objects[] | select(.name == $name)' "$work/saved.json" >/dev/null ||
  fail "ours is not in what targetcli saved"
must_be_ready kept $size
cmp -n 4194304 "$work/data" "$mapper" || fail "targetcli's disk has other contents"
lap "targetcli"

step "targetcli's clearconfig takes all away, ours too: the volumes fail in words, and are removed or made anew"
kill $multipathd
wait $multipathd || true
dmsetup remove "${mapper#/dev/mapper/}"
mkfs.ext4 -q $links/mounted
mount $links/mounted "$work/mounted"
timeout 120 targetcli clearconfig confirm=True
has_failed() { [ "$(state "$1")" = failed ] && [ -z "$(control "$1" device)" ]; } # VOLUME
for v in kept lost mounted; do
  wait_until 10 has_failed $v
  must_match "why" "$(control $v last_error)" 'removed by somebody else; the image is kept'
  must_not_be_a_disk $v
done
ours truncate -s $size "$mnt/next" # it gets a node and an address that a lost one had
must_be_ready next $size
ours rm "$mnt/lost"
ours umount "$work/mounted"
ours mountctl attach kept
ours mountctl attach mounted
must_be_ready kept $size
must_be_ready mounted $size
must_be_ready next $size
cmp -n 4194304 "$work/data" $links/kept || fail "kept has lost its contents"
dmesg -C # a file system has lost its disk
lap "clearconfig"

step "the end"
stop
must_be "which backstores are left" "$(find $target/core -mindepth 1 -maxdepth 1 ! -name alua)" ""
must_be "which targets are left" "$(find $target/loopback -mindepth 1 -maxdepth 1 -name 'naa.*')" ""
remember
nothing_left
