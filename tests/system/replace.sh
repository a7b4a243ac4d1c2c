#!/bin/bash
# tcmufs --replace: another daemon for the same disks while they are used; and what it refuses, which harms nobody.
# vm: --timeout 400
. "$(dirname "$0")/lib.sh"

size=67108864
step "without a daemon it starts one"
start --replace
truncate -s $size "$mnt/v" "$mnt/w"
device=$(control v device)
mkfs.ext4 -q $links/w
mount $links/w "$work/mounted"

step "under I/O: the same disks, and nobody sees an error"
fio --name=load --filename="$device" --direct=1 --rw=randwrite --bsrange=4k-64k --ioengine=libaio --iodepth=8 --size=$size \
  --verify=crc32c --verify_backlog=64 --time_based --runtime=12 --verify_fatal=1 --minimal >"$work/fio.log" 2>&1 &
load=$!
for i in 1 2 3; do
  sleep 1
  old=$(daemons)
  start --replace -o direct
  [ "$(daemons)" != "$old" ] || fail "it is the old daemon still"
  must_be "how many daemons there are" "$(pgrep -xc tcmufs)" 1
  must_be "the device of v" "$(control v device)" "$device"
  must_be_ready w $size
  echo "$i" >>"$work/mounted/file"
  sync -f "$work/mounted/file"
done
wait $load || { cat "$work/fio.log"; fail "fio, with status $?"; }
must_be "what stands in the file" "$(tr '\n' ' ' <"$work/mounted/file")" "1 2 3 "
must_be "the default of the new daemon" "$(cat "$mnt/.ctl/defaults/direct")" 1

step "what is refused harms nobody"
pid=$(daemons)
must_exit 1 "served by process $pid already.*tcmufs --replace" tcmufs "$store" "$mnt"
must_exit 1 'cannot take the mount options' tcmufs --replace -o no_such_option "$store" "$mnt"
must_exit 1 'block_size' tcmufs --replace -o block_size=17 "$store" "$mnt"
mkdir "$work/elsewhere"
must_exit 1 "at '$mnt', and cannot be moved to '$work/elsewhere'" tcmufs --replace "$store" "$work/elsewhere"
must_exit 2 'excludes' tcmufs --cleanup --replace
# A lock that names a process which does not hold it: no reason to kill that.
sleep 100 &
sleeper=$!
other=$work/other
mkdir -p "$other/.tcmufs"
echo $sleeper >"$other/.tcmufs/lock"
timeout 300 tcmufs --replace "$other" "$work/elsewhere"
kill -0 $sleeper || fail "a process that has nothing to do with it was killed"
kill $sleeper
mountctl umount "$work/elsewhere"
must_be "the daemon" "$(daemons)" "$pid"
must_be_ready v $size

umount "$work/mounted"
e2fsck -fn $links/w >/dev/null || fail "e2fsck"
stop
nothing_left
