#!/bin/bash
# A daemon takes over a disk that is mounted, makes another, removes it, and dies in the midst of it, while its second process
# is on an errand (src/sys/errands.h): at each errand in turn with TCMUFS_STEPS=all, which takes minutes, otherwise at some, by
# TCMUFS_SEED. The next daemon goes on; nothing is left over or lost, and who uses the other disk sees nothing.
# vm: --timeout 2400 --env TCMUFS_STEPS --env TCMUFS_SEED
. "$(dirname "$0")/lib.sh"

seed=${TCMUFS_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "TCMUFS_SEED=$seed"
stride() { [ "${TCMUFS_STEPS-}" = all ] && echo 1 || echo $((RANDOM % 13 + 6)); }
size=67108864

start
truncate -s $size "$mnt/other"
mkfs.ext4 -q $links/other
mount $links/other "$work/mounted"
device=$(control other device)
kill -9 "$(daemons)"
wait_until 60 no_daemon

live() { # STEP: prints how far it got
  local said
  echo starting >"$work/stage"
  said=$(TCMUFS_KILL="errand $1" timeout 300 tcmufs "$store" "$mnt" 2>&1) || {
    must_match "what the daemon said" "$said" 'died before it was ready'
    return 0
  }
  echo making >"$work/stage"
  truncate -s $size "$mnt/v" 2>/dev/null || return 0
  echo removing >"$work/stage"
  rm "$mnt/v" 2>/dev/null || return 0
  echo done >"$work/stage"
}

deaths=0
for ((step = $(stride); ; step += $(stride))); do
  dd if=/dev/urandom of="$work/mounted/file" bs=64k count=20 conv=fsync status=none &
  writer=$!
  live "$step"
  stage=$(cat "$work/stage")
  [ "$stage" != done ] || break
  wait_until 60 no_daemon
  deaths=$((deaths + 1))
  began=$(date +%s%N)
  start
  echo "death at errand $step, $stage; the next was ready after $((($(date +%s%N) - began) / 1000000)) ms"
  wait $writer || fail "the writer"
  must_be "the device of the other disk" "$(control other device)" "$device"
  wait_until 30 eval '[ "$(pgrep -xc tcmufs-errands)" = 1 ]' # that of the dead one has ended too
  case $stage in
    making)
      [ -e "$mnt/v" ] || touch "$mnt/v"
      [ -s "$mnt/v" ] || truncate -s $size "$mnt/v"
      must_be_ready v $size
      ;;
    removing) [ ! -e "$mnt/v" ] || must_be_ready v $size ;;
  esac
  [ ! -e "$mnt/v" ] || rm "$mnt/v"
  must_not_be_a_disk v
  must_be "the backstores" "$(ls -d $target/core/user_*/*-* | wc -l)" 1
  kill -9 "$(daemons)"
  wait_until 60 no_daemon
done
wait $writer || fail "the writer"
echo "$deaths deaths"
[ $deaths -ge 3 ] || fail "hardly any: do the daemons die?"

step "the end, with a daemon that is not to die"
kill -9 "$(daemons)"
wait_until 60 no_daemon
start
umount "$work/mounted"
e2fsck -fn $links/other >/dev/null || fail "e2fsck"
rm "$mnt/other"
stop
nothing_left
