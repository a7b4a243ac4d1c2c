#!/bin/bash
# The daemon dies with its disks in use and is wanted no more: mountctl cleanup removes all of it, and nothing of others.
# vm: --timeout 300
. "$(dirname "$0")/lib.sh"

size=67108864
volumes="v1 v2 v3 v4 v5 v6 web/a web/b"

die() {
  kill -9 "$(daemons)"
  wait_until 60 no_daemon
}
waiting() { # processes in D state: a kernel thread may be in it for a moment
  cat /proc/[0-9]*/stat 2>/dev/null | sed 's/^\([0-9]*\) (\(.*\)) \(.\) .*/\1 \2 \3/' | awk '$NF == "D" && $2 !~ /^kworker/' || true
}
is_waiting() { waiting | grep -q "^$1 "; } # PID
nobody_waits() { [ -z "$(waiting)" ]; }
quiet_kernel() { # about what is more than I/O errors, which there must be
  if dmesg | grep -E 'BUG:|WARNING:|Oops|hung_task|blocked for more than'; then fail "the kernel complains"; fi
  dmesg -C
}
count() { # WHAT REGEX EXPECTED: lines of the last cleanup
  must_be "lines about $1" "$(grep -Ec -e "$2" "$work/said" || true)" "$3"
}

step "what belongs to others"
modprobe -a target_core_file target_core_user tcm_loop sd_mod
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
mkdir -p $target/core/fileio_0/foreign $target/core/user_77/foreign $target/core/user_77/image
truncate -s 32M "$work/foreign"
echo "fd_dev_name=$work/foreign,fd_dev_size=33554432" >$target/core/fileio_0/foreign/control
echo 1 >$target/core/fileio_0/foreign/enable
echo "dev_size=4096,dev_config=other/thing,nl_reply_supported=-1" >$target/core/user_77/foreign/control
# What tcmufs-backstores serves, if it runs.
echo "dev_size=4096,dev_config=tcmufs//srv/image,nl_reply_supported=-1" >$target/core/user_77/image/control
mkdir -p $target/loopback/naa.5001405000000001/tpgt_1/lun/lun_0
echo naa.5001405000000002 >$target/loopback/naa.5001405000000001/tpgt_1/nexus
ln -s $target/core/fileio_0/foreign $target/loopback/naa.5001405000000001/tpgt_1/lun/lun_0/foreign
wait_until 60 test -n "$(ls /sys/block | grep '^sd')"
foreign=/dev/$(ls /sys/block | grep '^sd')
mkdir -p $target/loopback/naa.5001405000000005/tpgt_1 # without a LUN, and not ours
remember

step "eight disks: one mounted, some written to, when the daemon dies"
start
mkdir "$mnt/web"
for v in $volumes; do truncate -s $size "$mnt/$v"; done
mkfs.ext4 -q $links/v1
mount $links/v1 "$work/mounted"
cp /bin/bash "$work/mounted/synced"
sync -f "$work/mounted/synced"
dd if=/dev/urandom of="$work/data" bs=1M count=4 status=none
dd if="$work/data" of=$links/v4 oflag=direct bs=1M status=none
chown 1234 "$mnt/v5" # udev is told whose it is
[ -n "$(ls /run/tcmufs/nodes)" ] || fail "udev has not been told anything"
cp /bin/bash "$work/mounted/lost"
die
dd if=/dev/zero of=$links/v2 oflag=direct bs=64k count=16 status=none 2>/dev/null &
direct=$!
dd if=/dev/zero of=$links/web/a bs=64k count=64 conv=fsync status=none 2>/dev/null &
buffered=$!
sync -f "$work/mounted/lost" 2>/dev/null &
syncing=$!
for pid in $direct $buffered $syncing; do wait_until 30 is_waiting $pid; done
waiting

step "--dry-run says what would be, and changes nothing"
kernel_objects | sort >"$work/during"
mountctl cleanup --dry-run | tee "$work/said"
count "what would be" '^would remove ' 8
count v1 "^would remove 'v1' \(/dev/sd.\); what is not synced would be lost: mounted on '$work/mounted'.* writes? waited" 1
count v2 "^would remove 'v2' .* lost: open in process $direct \(dd\); [0-9]+ writes? waited" 1
count v3 "^would remove 'v3' \(/dev/sd.\); nobody uses it" 1
count "the mount" "^would unmount '$mnt'" 1
kernel_objects | sort | cmp -s - "$work/during" || fail "--dry-run has changed something"
is_waiting $direct || fail "nobody waits any more"

step "cleanup"
begin=$(date +%s%N)
mountctl cleanup | tee "$work/said"
took_ms=$((($(date +%s%N) - begin) / 1000000))
echo "eight disks were removed in $took_ms ms"
[ $took_ms -lt 10000 ] || fail "cleanup took $took_ms ms"
wait_until 5 nobody_waits
count "what was removed" '^removed ' 8
count v1 "^removed 'v1' .*; what was not synced is lost: mounted on '$work/mounted'" 1
count web/b "^removed 'web/b' .*; nobody used it" 1
count "the mount" "^unmounted '$mnt', whose daemon is dead" 1
for pid in $direct $buffered $syncing; do
  if wait $pid; then fail "process $pid was not told"; fi
done
umount "$work/mounted"
quiet_kernel
nothing_left
[ -z "$(ls -A /run/tcmufs/nodes)" ] || fail "udev is told of: $(ls -A /run/tcmufs/nodes)"
[ ! -e $links ] || fail "$links is left"
cmp -n 33554432 /dev/zero "$foreign" || fail "the disk of others cannot be read"

step "again: nothing is left"
must_be "what it says" "$(mountctl cleanup)" "nothing is left"

step "what had been synced is there when the store is mounted again"
start
must_hold v4 "$work/data"
e2fsck -fy $links/v1 >/dev/null 2>&1 || [ $? = 1 ] || fail "e2fsck"
mount $links/v1 "$work/mounted"
cmp /bin/bash "$work/mounted/synced" || fail "what had been synced is lost"
umount "$work/mounted"

step "what a living daemon serves is left, and refused when it is named"
mountctl cleanup >"$work/said" 2>&1
cat "$work/said"
count "the store" "^tcmufs: the store $(cat "$store/.tcmufs/uuid") is served by process $(daemons) \(tcmufs\): left as it is: '.*\. 'mountctl umount'" 1
must_exit 1 "served by process $(daemons)" mountctl cleanup --store "$store"
must_exit 1 "served by process $(daemons)" mountctl cleanup --store "$(cat "$store/.tcmufs/uuid")"
must_exit 1 "neither the uuid of a store" mountctl cleanup --store "$work"
kill -STOP "$(daemons)"
must_exit 1 "served by process" mountctl cleanup --store "$store"
kill -CONT "$(daemons)"
for v in $volumes; do must_be_ready $v $size; done
for v in v3 v4 v5 v6 web/a web/b; do rm "$mnt/$v"; done # the others will do
quiet_kernel

step "of another store nothing is removed"
die
other=$work/other
mkdir -p "$other/.tcmufs"
echo 12345678-1234-4123-8123-123456789abc >"$other/.tcmufs/uuid"
must_be "what it says" "$(mountctl cleanup --store "$other")" "nothing is left"
grep -q " $mnt " /proc/self/mountinfo || fail "the dead mount is gone"
mountctl cleanup --store "$store" >"$work/said"
count "what was removed" '^removed ' 2
quiet_kernel
nothing_left

step "deaths while disks are made and removed"
for i in 1 2; do
  start
  (
    truncate -s $size "$mnt/x$i"
    rm "$mnt/v$i" "$mnt/x$i"
  ) 2>/dev/null &
  sleep "0.$((RANDOM % 4))"
  die
  mountctl cleanup >"$work/said" 2>&1 || fail "cleanup: $(cat "$work/said")"
  wait $! || true
  wait_until 5 nobody_waits
  quiet_kernel
  nothing_left
done
