#!/bin/bash
# For tests/soak: one thing after the other at random, for $SOAK_SECONDS, from $TCMUFS_SEED: volumes are made, written, resized,
# renamed and removed; the daemon is killed, stopped, ended and started; the store fills up. After every few steps all must be as
# the model says: a directory with a file per volume, which holds what its disk must hold.
# vm: --disk 512M --timeout 900
. "$(dirname "$0")/lib.sh"

seed=${TCMUFS_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "TCMUFS_SEED=$seed"
model=$work/model
mkdir -p "$model/web"
mkfs.ext4 -q -m 0 /dev/vda # nothing is kept for root, which the daemon is
mount /dev/vda "$store"
most=6 # volumes
declare -A counts=()

below() { number=$((RANDOM % $1)); } # sets number; not in a subshell, which would not move the seed on
volumes() { (cd "$model" && find . -type f -printf '%P\n' | sort); }
how_many() { volumes | wc -l; }
some() { # sets volume and size; fails if there is none
  local all
  mapfile -t all < <(volumes)
  [ ${#all[@]} -gt 0 ] || return
  below ${#all[@]}
  volume=${all[number]}
  size=$(stat -c %s "$model/$volume")
}
new_name() { # sets name
  below 2
  [ "$number" = 0 ] && name=web/ || name=
  name+=v$RANDOM$RANDOM
}
new_size() { below 15 && new=$(((number + 2) << 20)); } # sets new: 2 to 16 MiB
some_range() { # of $size: sets offset and length, in blocks of 4096
  local blocks=$((size / 4096))
  below $blocks && offset=$number
  below $((blocks - offset < 256 ? blocks - offset : 256)) && length=$((number + 1))
}
note() { log+=("$*") && counts[${FUNCNAME[1]}]=$((${counts[${FUNCNAME[1]}]-0} + 1)); }
disk() { echo "$links/$volume"; }

create() {
  [ "$(how_many)" -lt $most ] || return 0
  new_name && new_size
  note "$name $new"
  truncate -s $new "$mnt/$name"
  truncate -s $new "$model/$name"
}
remove() {
  some || return 0
  note "$volume"
  rm "$mnt/$volume" "$model/$volume"
}
resize() {
  some || return 0
  new_size
  note "$volume $size $new"
  truncate -s $new "$mnt/$volume"
  truncate -s $new "$model/$volume"
}
rename() {
  some || return 0
  new_name
  note "$volume $name"
  mv "$mnt/$volume" "$mnt/$name"
  mv "$model/$volume" "$model/$name"
}
put() { dd if="$work/data" of="$1" bs=4096 seek="$offset" conv=notrunc status=none "${@:2}"; } # PATH DD-OPTION...
write() {
  some || return 0
  some_range
  note "$volume $offset $length"
  dd if=/dev/urandom of="$work/data" bs=4096 count=$length status=none
  put "$model/$volume"
  put "$(disk)" oflag=direct
}
empty() {
  some || return 0
  some_range && below 2
  note "$volume $offset $length $number"
  fallocate --punch-hole --offset $((offset * 4096)) --length $((length * 4096)) "$model/$volume"
  [ "$number" = 0 ] && way= || way=--zeroout
  blkdiscard $way --offset $((offset * 4096)) --length $((length * 4096)) "$(disk)"
}
killed() {
  kill -9 "$(daemons)"
  wait_until 60 no_daemon
  below 4
  [ "$number" -gt 0 ] || sleep 2
}
die() {
  note
  killed
  start
}
die_under_writes() {
  some || return 0
  some_range
  note "$volume $offset $length"
  dd if=/dev/urandom of="$work/data" bs=4096 count=$length status=none
  put "$model/$volume"
  put "$(disk)" oflag=direct &
  below 300 && sleep "0.$(printf %03d "$number")"
  killed
  start
  wait $! || fail "the writer"
}
# The change is done or not done.
die_while() { # COMMAND...
  "$@" 2>"$work/refused" &
  below 500 && sleep "0.$(printf %03d "$number")"
  killed
  wait $! || true
  start
}
die_while_created() {
  [ "$(how_many)" -lt $most ] || return 0
  new_name && new_size
  note "$name $new"
  die_while truncate -s $new "$mnt/$name"
  [ -e "$mnt/$name" ] || return 0
  if [ -s "$mnt/$name" ]; then truncate -s $new "$model/$name"; else rm "$mnt/$name"; fi
}
die_while_removed() {
  some || return 0
  note "$volume"
  die_while rm "$mnt/$volume"
  [ -e "$mnt/$volume" ] || rm "$model/$volume"
}
die_while_resized() {
  some || return 0
  new_size
  note "$volume $size $new"
  die_while truncate -s $new "$mnt/$volume"
  [ "$(stat -c %s "$mnt/$volume")" = "$size" ] || truncate -s $new "$model/$volume"
}
die_while_renamed() {
  some || return 0
  new_name
  note "$volume $name"
  die_while mv "$mnt/$volume" "$mnt/$name"
  [ -e "$mnt/$volume" ] || mv "$model/$volume" "$model/$name"
}
hold() { # the process is stopped for a while, under writes
  some || return 0
  some_range
  note "$volume $offset $length"
  dd if=/dev/urandom of="$work/data" bs=4096 count=$length status=none
  put "$model/$volume"
  kill -STOP "$(daemons)"
  put "$(disk)" oflag=direct &
  below 3 && sleep $((number + 1))
  kill -CONT "$(daemons)"
  wait $! || fail "the writer"
}
restart() {
  note
  stop
  as_before || fail "something is left"
  start
}
is_paused() { [ "$(control "$volume" state)" = paused ]; }
is_ready() { [ "$(control "$volume" state)" = ready ]; }
fill() { # the store
  [ "$(how_many)" -lt $most ] || return 0
  create
  volume=$name size=$new offset=0 length=$((new / 4096))
  note "$volume"
  dd if=/dev/urandom of="$work/data" bs=4096 count=$length status=none
  put "$model/$volume"
  fallocate -l $(($(stat -f -c '%a * %S' "$store") - 1048576)) "$store/.tcmufs/filler"
  put "$(disk)" oflag=direct &
  wait_until 60 is_paused
  rm "$store/.tcmufs/filler"
  wait $! || fail "the writer"
  wait_until 60 is_ready
}

check() {
  must_be "the volumes" "$(cd "$mnt" && find . -type f ! -name status -printf '%P\n' | sort)" "$(volumes)"
  must_be "the table" "$(awk 'NR > 1 { print $1, $2, $3 }' "$mnt/.ctl/status" | sort)" \
    "$(cd "$model" && find . -type f -printf '%P ready %s\n' | sort)"
  for v in $(volumes); do
    must_be_ready "$v" "$(stat -c %s "$model/$v")"
    blockdev --flushbufs "$links/$v"
    cmp "$model/$v" "$links/$v" || fail "$v does not hold what it must"
  done
  must_be "the number of disks" "$(find /sys/block -name 'sd*' | wc -l)" "$(how_many)"
  must_be "the number of devices in the kernel" "$(find $target/core -mindepth 2 -maxdepth 2 -path '*/user_*/*' -type d | wc -l)" "$(how_many)"
  must_be "the links" "$(cd $links 2>/dev/null && find . -type l -printf '%P\n' | sort)" "$(volumes)"
  kernel_is_content || fail "the kernel complains"
}

start
mkdir "$mnt/web"
steps=(create create create remove resize resize rename write write write empty die die_under_writes die_under_writes
  die_while_created die_while_created die_while_removed die_while_resized die_while_renamed hold restart fill)
log=()
trap 'status=$?; [ $status = 0 ] || printf "step: %s\n" "${log[@]: -20}"; (exit $status) || show_why' EXIT
end=$((SECONDS + ${SOAK_SECONDS:-60})) total=0 checks=0
while [ $SECONDS -lt $end ]; do
  for _ in {1..8}; do
    below ${#steps[@]}
    ${steps[number]}
    total=$((total + 1))
  done
  check
  checks=$((checks + 1))
done
for v in $(volumes); do rm "$mnt/$v"; done
rmdir "$mnt/web"
must_be "what is in the store" "$(ls -A "$store")" "$(printf '.tcmufs\nlost+found')"
stop
dmesg -C
nothing_left
umount "$store"
e2fsck -fn /dev/vda >/dev/null || fail "the store's file system"
echo "$total steps and $checks checks, no deviation:"
for step in "${!counts[@]}"; do echo "  $step ${counts[$step]}"; done | sort
