#!/bin/bash
# ln -s attaches in place what exists, a regular file or a block device: what it is refused for, what a remount, a missing
# target and a dead daemon do to it.
# vm: --disk 64M --timeout 600
. "$(dirname "$0")/lib.sh"

modprobe loop
img=$work/img
mkdir -p "$img"
golden() { head -c 1M /dev/urandom >"$img/g.raw" && truncate -s 64M "$img/g.raw"; }
golden
refused() { # ERROR SENTENCE TARGET [NAME]: no disk, no link, nothing of a link
  must_fail "$1" ln -s "$3" "$mnt/${4-x}"
  must_match last_error "$(cat "$mnt/.ctl/last_error")" "$2"
  [ ! -e "$mnt/.ctl/vol/x" ] && [ ! -L "$mnt/x" ] && [ ! -L "$store/x" ] || fail "something is left of a link to $3"
  [ ! -e "$store/.tcmufs/records/x" ] || fail "the record of a link to $3 is left"
}
start -o allow_other

step "a regular file"
ln -s "$img/g.raw" "$mnt/golden"
must_be "its state" "$(state golden)" ready
must_be "the size of the disk" "$(blockdev --getsize64 $links/golden)" 67108864
must_be "where it leads" "$(readlink "$mnt/golden")" "$img/g.raw"
must_match "ls -l" "$(ls -l "$mnt/golden")" "^lrwxrwxrwx.* $(printf %s "$img/g.raw" | wc -c) .*golden -> $img/g.raw\$"
must_match "status" "$(control golden status)" "^target: $img/g.raw\$"
must_be "status.json" "$(control golden status.json | jq -r .target)" "$img/g.raw"
must_match "mountctl list" "$(mountctl list)" "^golden .* $img/g.raw\$"
cmp "$img/g.raw" $links/golden
echo written | dd of=$links/golden conv=sync,fsync oflag=direct status=none
must_be "what the file begins with" "$(head -c 7 "$img/g.raw")" written
uuid=$(control golden uuid)

step "what is refused"
ln "$img/g.raw" "$img/hard.raw"
mkdir "$img/bind" && touch "$img/bind/g.raw" && mount --bind "$img/g.raw" "$img/bind/g.raw"
ln -s "$img/g.raw" "$img/soft.raw"
for name in g.raw hard.raw soft.raw bind/g.raw; do
  refused 'resource busy' "is the image of 'golden' already" "$img/$name"
done
umount "$img/bind/g.raw"
refused 'Invalid argument' 'no absolute path' img/g.raw
refused 'Invalid argument' 'neither a regular file nor a block device' "$img"
refused 'Invalid argument' 'neither a regular file nor a block device' /dev/null
refused 'No such file' "cannot find '$img/none'" "$img/none"
refused 'not supported' "no engine serves 'nbd'" nbd://host/export
truncate -s 1000 "$img/odd.raw"
refused 'Invalid argument' 'no multiple of its block size' "$img/odd.raw"
: >"$img/empty.raw"
refused 'Invalid argument' 'has no size' "$img/empty.raw"
truncate -s 16M "$mnt/own"
ln -s "$mnt/own" "$img/way.raw"
for inside in "$mnt/own" "$mnt/none" "$mnt" "$img/way.raw" "$mnt/../disks/own"; do
  refused 'levels of symbolic links' 'leads into a mount of tcmufs' "$inside"
done
refused 'resource busy' 'lies in the store' "$store/own"
refused 'resource busy' 'lies in the store' "$store/.tcmufs/uuid"
refused 'levels of symbolic links' "is the disk of 'own'" "$links/own"
truncate -s 16M "$img/looped.raw"
loop=$(losetup --find --show "$img/looped.raw")
refused 'resource busy' "lies under '$loop'" "$img/looped.raw"
truncate -s 16M "$img/locked.raw"
(
  flock 9
  exec sleep 600
) 9<"$img/locked.raw" &
locker=$!
locked() { ! flock -n "$img/locked.raw" true; }
wait_until 20 locked
refused 'resource busy' 'is locked by another' "$img/locked.raw"
kill $locker
mkfs.ext4 -q "$loop"
mount "$loop" "$work/mounted"
refused 'resource busy' "is in use: mounted on '$work/mounted'" "$loop"
umount "$work/mounted"
chmod 777 "$mnt"
must_fail 'not permitted' setpriv --reuid 65534 --clear-groups ln -s "$img/looped.raw" "$mnt/x"
must_fail 'File exists' ln -s "$img/looped.raw" "$mnt/golden"
must_fail 'not permitted' ln "$mnt/golden" "$mnt/x"

step "a block device"
ln -s "$loop" "$mnt/device"
must_be "its state" "$(state device)" ready
e2fsck -fn $links/device
mount $links/device "$work/mounted"
cp /bin/bash "$work/mounted/kept"
must_fail 'resource busy' rm "$mnt/device"
umount "$work/mounted"
must_fail 'busy|already mounted' mount "$loop" "$work/mounted"
refused 'resource busy' 'in use|already' "$loop"
ln -s /dev/vda "$mnt/vda"
must_be "the size of vda" "$(control vda size)" 67108864

step "what a link has of a file, and what it has not"
must_fail 'not permitted' chown -h 65534 "$mnt/golden"
touch -h -d @1000000000 "$mnt/golden"
must_be "its time" "$(stat -c %Y "$mnt/golden")" 1000000000
must_be "as find sees it" "$(find "$mnt" -type l | sort | xargs)" "$mnt/device $mnt/golden $mnt/vda"
mkdir "$mnt/web"
mv "$mnt/golden" "$mnt/web/g"
must_be "the uuid" "$(control web/g uuid)" "$uuid"
cmp "$img/g.raw" $links/web/g
mv "$mnt/web/g" "$mnt/golden"
rmdir "$mnt/web"

step "growing the file, and then the disk"
truncate -s 80M "$img/g.raw"
must_be "the size of the disk" "$(blockdev --getsize64 $links/golden)" 67108864
echo attach >"$mnt/.ctl/vol/golden/ctl"
must_be "the size of the disk" "$(blockdev --getsize64 $links/golden)" 83886080
must_be "the size in .ctl" "$(control golden size)" 83886080
echo 100663296 >"$mnt/.ctl/vol/golden/size"
must_be "the sizes of file and disk" "$(stat -c %s "$img/g.raw") $(blockdev --getsize64 $links/golden)" "100663296 100663296"
must_fail 'Invalid argument' bash -c "echo 16777216 >'$mnt/.ctl/vol/vda/size'"

step "detach lets go of it, attach takes it again"
echo detach >"$mnt/.ctl/vol/device/ctl"
mount "$loop" "$work/mounted"
must_fail 'resource busy' bash -c "echo attach >'$mnt/.ctl/vol/device/ctl'"
must_match last_error "$(control device last_error)" "'$loop' is in use: mounted on '$work/mounted'"
umount "$work/mounted"
echo attach >"$mnt/.ctl/vol/device/ctl"
must_be "its state" "$(state device)" ready

step "a temporary name is attached when it is renamed"
truncate -s 16M "$img/t.raw"
ln -s "$img/t.raw" "$mnt/t.tmp"
must_be "its state" "$(state t.tmp)" pending
mv "$mnt/t.tmp" "$mnt/t"
must_be "its state" "$(state t)" ready
rm "$mnt/t"
[ "$(stat -c %s "$img/t.raw")" = 16777216 ] || fail "what the link led to is gone with it"

step "what somebody puts into the store by hand is no way to anything"
ln -s /etc/passwd "$store/evil"
ln -s "$img/t.raw" "$store/t"
stop
nothing_left
start
must_be "what there is" "$(ls -A "$mnt" | xargs)" "device golden own status vda"
rm "$store/evil" "$store/t"

step "a remount brings them back"
must_be "the uuid" "$(control golden uuid)" "$uuid"
must_be "the size of golden" "$(blockdev --getsize64 $links/golden)" 100663296
cmp "$img/g.raw" $links/golden
must_be "the size of device" "$(blockdev --getsize64 $links/device)" 16777216
stop

step "what is missing at a remount"
mv "$img/g.raw" "$img/away.raw"
start
must_be "its state" "$(state golden)" failed
must_match last_error "$(control golden last_error)" "cannot find '$img/g.raw'.*No such file"
must_be "where it leads" "$(readlink "$mnt/golden")" "$img/g.raw"
mv "$img/away.raw" "$img/g.raw"
echo attach >"$mnt/.ctl/vol/golden/ctl"
must_be "its state" "$(state golden)" ready
must_be "the uuid" "$(control golden uuid)" "$uuid"
stop
mv "$img/g.raw" "$img/away.raw"
start
rm "$mnt/golden"
must_be "what there is" "$(ls -A "$mnt" | xargs)" "device own status vda"
mv "$img/away.raw" "$img/g.raw"

step "a daemon that was killed"
ln -s "$img/g.raw" "$mnt/golden"
kill -9 "$(daemons)"
wait_until 60 no_daemon
start
must_be "their states" "$(state golden) $(state device)" "ready ready"
cmp "$img/g.raw" $links/golden
for delay in 0.2 0.5 1; do
  ln -s "$img/t.raw" "$mnt/killed" 2>/dev/null &
  sleep $delay
  kill -9 "$(daemons)"
  wait_until 60 no_daemon
  wait $! && made=yes || made=
  start
  if [ -L "$store/killed" ]; then
    must_be "killed after $delay s: its state" "$(state killed)" ready
    rm "$mnt/killed"
  elif [ -n "$made" ]; then
    fail "the link was there when the daemon was killed, after $delay s, and is not now"
  fi
  must_not_be_a_disk killed
  [ ! -e "$store/.tcmufs/records/killed" ] || fail "killed after $delay s: its record is left"
  must_be "what it led to" "$(stat -c %s "$img/t.raw")" 16777216
done

rm "$mnt"/{golden,device,vda,own}
stop
nothing_left
losetup -d "$loop"
