#!/bin/bash
# Whatever ends a volume or the daemon, nothing is left; and what the status files say is well-formed.
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

foreground() { # sets daemon
  tcmufs -f "$store" "$mnt" >>"$work/foreground.log" 2>&1 &
  daemon=$!
  wait_until 120 mountpoint -q "$mnt"
  wait_until 120 all_ready
}
all_ready() { [ -e "$mnt/status" ] && [ -z "$(awk 'NR > 1 && $2 !~ /ready|pending/' "$mnt/status")" ]; }
volumes() { # two, one of them in a directory
  truncate -s 64M "$mnt/v"
  [ -d "$mnt/web" ] || mkdir "$mnt/web"
  truncate -s 64M "$mnt/web/disk0"
  must_be_ready v 67108864
  must_be_ready web/disk0 67108864
}

step "what belongs to others is there before, and stays"
modprobe target_core_file
modprobe -a tcm_loop sd_mod
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
mkdir -p $target/core/fileio_0/foreign
truncate -s 32M "$work/foreign"
echo "fd_dev_name=$work/foreign,fd_dev_size=33554432" >$target/core/fileio_0/foreign/control
echo 1 >$target/core/fileio_0/foreign/enable
mkdir -p $target/loopback/naa.5001405000000001/tpgt_1/lun/lun_0
echo naa.5001405000000002 >$target/loopback/naa.5001405000000001/tpgt_1/nexus
ln -s $target/core/fileio_0/foreign $target/loopback/naa.5001405000000001/tpgt_1/lun/lun_0/foreign
settled() { [ -n "$(ls /sys/block | grep '^sd')" ]; }
wait_until 60 settled
remember

step "the status files"
start
volumes
touch "$mnt/empty"
cat "$mnt/status"
must_be "the first line" "$(head -n 1 "$mnt/status" | awk '{$1 = $1; print}')" 'NAME STATE SIZE DEVICE LINK'
must_be "the line of v" "$(grep '^v ' "$mnt/status" | awk '{$1 = $1; print}')" "v ready 67108864 $(control v device) $links/v"
must_match "the line of empty" "$(grep '^empty ' "$mnt/status")" '^empty +pending +0'
must_match "the line of web/disk0" "$(grep '^web/disk0 ' "$mnt/status")" "ready +67108864 +/dev/sd.* +$links/web/disk0"
must_match "web/status" "$(cat "$mnt/web/status")" 'disk0 +ready +67108864'
cmp "$mnt/status" "$mnt/.ctl/status" || fail "status and .ctl/status differ"
jq -e . "$mnt/.ctl/status.json" >/dev/null || fail "status.json is no JSON: $(cat "$mnt/.ctl/status.json")"
must_be "the format" "$(jq -r .format "$mnt/.ctl/status.json")" 1
for v in v web/disk0 empty; do
  must_match "the first line of $v's status" "$(control $v status | head -n 1)" '^format: *1$'
  must_be "state in the JSON of $v" "$(control $v status.json | jq -r .state)" "$(state $v)"
  must_be "size in the JSON of $v" "$(control $v status.json | jq -r .size)" "$(control $v size)"
  must_be "uuid in the JSON of $v" "$(control $v status.json | jq -r .uuid)" "$(control $v uuid)"
  must_match "uuid of $v" "$(control $v uuid)" '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
done
must_match "wwn of v" "$(control v wwn)" '6001405[0-9a-f]{25}'
must_match "device of v" "$(control v device)" '^/dev/sd[a-z]+$'
must_be "what an unprivileged look at the mount's root shows" "$(ls -A "$mnt" | tr '\n' ' ')" "empty status v web "
mountctl status
mountctl status v
mountctl list
mountctl list --json | jq -e 'map(.name) | sort == ["empty", "v", "web/disk0"]' >/dev/null || fail "mountctl list --json"

step "mountctl create, resize, rm"
must_match "what create prints" "$(mountctl create c 32M)" "$links/c|/dev/sd"
must_be_ready c 33554432
mountctl resize c +32M
must_be_ready c 67108864
mountctl resize c 32M
must_be_ready c 33554432
mountctl rm c
must_not_be_a_disk c
[ ! -e "$mnt/c" ] || fail "c is still there"

step "mountctl umount"
stop
nothing_left

step "umount, as it is: done in the background, but done"
start
must_be_ready v 67108864
must_be_ready web/disk0 67108864
must_be "the state of empty" "$(state empty)" pending
umount -i "$mnt"
nothing_left

step "-o ro: the mount and every disk are write-protected"
start -o ro
must_be_ready v 67108864
must_be "whether v is read-only" "$(blockdev --getro $links/v)" 1
must_fail 'read-only|not permitted' dd if=/dev/zero of=$links/v bs=512 count=1 oflag=direct status=none
must_fail 'read-only' touch "$mnt/new"
umount -i "$mnt"
nothing_left

step "SIGTERM in the background"
start
must_be_ready v 67108864
kill -TERM "$(daemons)"
nothing_left

step "-f: stays in the foreground, logs to standard error, ends with status 0 on SIGTERM, SIGINT and umount"
for how in TERM INT umount; do
  foreground
  must_be_ready v 67108864
  kill -0 "$daemon" || fail "the daemon is not in the foreground"
  case $how in
    umount) umount -i "$mnt" ;;
    *) kill -$how "$daemon" ;;
  esac
  status=0
  wait "$daemon" || status=$?
  must_be "the exit status after $how" "$status" 0
  nothing_left
done

step "umount -l while somebody is in the mount"
start
(cd "$mnt" && exec sleep 600) &
sleeper=$!
wait_until 30 test "$(readlink /proc/$sleeper/cwd)" = "$mnt"
must_fail 'busy' umount -i "$mnt"
must_be_ready v 67108864
umount -i -l "$mnt"
nothing_left
kill $sleeper

step "umount while another mount namespace has a copy of the mount"
start
must_be_ready v 67108864
unshare --mount --propagation private sleep 600 &
sleeper=$!
apart() { [ "$(readlink /proc/$sleeper/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ] && grep -q " $mnt " /proc/$sleeper/mounts; }
wait_until 30 apart
umount -i "$mnt"
nothing_left
grep -q " $mnt " /proc/$sleeper/mounts || fail "there is no copy of the mount any more"
kill $sleeper

step "SIGTERM while a volume is mounted: it is flushed, then taken down"
start
mkfs.ext4 -q $links/v
mount $links/v "$work/mounted"
cp /bin/bash "$work/mounted/kept"
kill -TERM "$(daemons)"
wait_until 300 no_daemon
umount "$work/mounted" 2>/dev/null || umount -l "$work/mounted" || true
sleep 1
as_before || fail "something is left: $(kernel_objects | sort | diff "$work/before" -)"
dmesg -C
start
e2fsck -fy $links/v >/dev/null 2>&1 || [ $? = 1 ] || fail "e2fsck"
mount $links/v "$work/mounted"
cmp /bin/bash "$work/mounted/kept" || fail "what had been written was lost"
umount "$work/mounted"

step "a link in the way: the attach fails and says so, and nothing is left of it"
rm "$mnt/v" "$mnt/web/disk0" "$mnt/empty"
mkdir -p $links
echo precious >$links/taken
remember
must_fail 'File exists' truncate -s 64M "$mnt/taken"
must_match last_error "$(control taken last_error)" "$links/taken"
must_be "the state" "$(state taken)" failed
must_be "the file in the way" "$(cat $links/taken)" precious
as_before || fail "something is left of the failed attach: $(kernel_objects | sort | diff "$work/before" -)"
rm $links/taken
truncate -s 64M "$mnt/taken"
must_be_ready taken 67108864
rm "$mnt/taken"
rmdir "$mnt/web"
stop
if [ -d $links ]; then rmdir $links; fi
remember
nothing_left

step "the foreign disk still works"
cmp -n 33554432 /dev/zero "/dev/$(ls /sys/block | grep '^sd')" || fail "it cannot be read"
