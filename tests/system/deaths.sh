#!/bin/bash
# The daemon dies at every place in turn where it can have done something by halves, at the n-th passage of it, and another one
# takes over, sooner or later: nobody sees an error, no byte is lost, nothing is done twice. At the end one is stopped and goes on.
# TCMUFS_DEATHS is how often, TCMUFS_STOP for how many seconds; TCMUFS_SEED chooses the same deaths again.
# vm: --disk 3G --timeout 900
. "$(dirname "$0")/lib.sh"

deaths=${TCMUFS_DEATHS:-15}
stop_seconds=${TCMUFS_STOP:-14}
seed=${TCMUFS_SEED:-$((RANDOM * 32768 + RANDOM))}
RANDOM=$seed
echo "TCMUFS_SEED=$seed"

# What TCMUFS_KILL says (src/volume/kill_points.h), and how many passages it may be until then; "outside" is a kill -9, in ms.
orders=("fetched 100" "before read 60" "before write 60" "before flush 6" "before discard 4" "before other 30"
  "after read 60" "after write 60" "after flush 6" "after discard 4" "after other 30"
  "begun 20" "executed 150" "half_response 150" "response 150" "complete 150" "tail 80" "notified 80" "outside 900")
first=$((RANDOM % ${#orders[@]}))
tree=/usr/include/linux/netfilter
mkfs.ext4 -q /dev/vda
mount /dev/vda "$store"

# The work. Each goes on until the file "stop" is there, and ends with a status other than 0 at the first thing that is wrong.
stopped() { [ -e "$work/stop" ]; }
verified() { # VOLUME FIO-OPTION...: below 48 MiB
  local v=$1
  shift
  until stopped; do
    fio --name="$v" --filename="$(readlink -f "$links/$v")" --ioengine=libaio --direct=1 --size=48M --io_size=2M --randrepeat=0 \
      --verify=crc32c --verify_fatal=1 --verify_backlog=48 --fdatasync=24 "$@" >"$work/$v.log" 2>&1 || return
  done
}
emptied() { # VOLUME: beyond 48 MiB
  local disk offset=$((48 << 20)) way=--zeroout
  disk=$(readlink -f "$links/$1")
  head -c 65536 /dev/urandom >"$work/pattern"
  { head -c 16384 "$work/pattern" && head -c 32768 /dev/zero && tail -c 16384 "$work/pattern"; } >"$work/with_zeroes"
  until stopped; do
    dd if="$work/pattern" of="$disk" bs=64k oseek=768 oflag=direct status=none || return
    blkdiscard $way --offset $((offset + 16384)) --length 32768 "$disk" || return
    dd if="$disk" bs=64k iseek=768 count=1 iflag=direct status=none | cmp - "$work/with_zeroes" || return
    [ -n "$way" ] && way= || way=--zeroout
  done
}
copied() { # DIRECTORY
  until stopped; do
    rm -rf "$1/copy"
    cp -r "$tree" "$1/copy" && sync -f "$1" && echo 1 >/proc/sys/vm/drop_caches && diff -r "$tree" "$1/copy" || return
  done
}
counted() { # VOLUME
  until stopped; do
    count_under_lock "$(readlink -f "$links/$1")" 20 >/dev/null && echo 20 >>"$work/counts" || return
  done
}

start
truncate -s 64M "$mnt"/{cached,direct,files,discarded}
truncate -s 1M "$mnt/lock"
mountctl set direct direct=1
volumes=(cached direct files discarded lock)
mkdir "$work/discarded"
for v in files discarded; do mkfs.ext4 -q $links/$v; done
mount $links/files "$work/mounted"
mount -o discard $links/discarded "$work/discarded"
devices() { for v in "${volumes[@]}"; do control $v device; done; }
before=$(devices)
disks=$(basename -a $before)
patience() { for disk in $disks; do echo "$1" >"/sys/block/$disk/device/timeout"; done; } # SECONDS a command may take

works=()
verified cached --rw=randrw --bsrange=512-64k --iodepth=16 & works+=($!)
verified direct --rw=randrw --bsrange=4k-32k --blockalign=4k --iodepth=16 & works+=($!)
emptied cached & works+=($!)
copied "$work/mounted" & works+=($!)
copied "$work/discarded" & works+=($!)
counted lock & works+=($!)

all_work() { for pid in "${works[@]}"; do kill -0 "$pid" || return; done; }
live_until() { # ORDER: a daemon that dies there, perhaps before it is ready
  if [ "${1% *}" = outside ]; then
    start
    sleep "$(printf '0.%03d' "${1#* }")"
    kill -9 "$(daemons)"
  else
    TCMUFS_KILL=$1 timeout 60 tcmufs "$store" "$mnt" >"$work/said" 2>&1 ||
      must_match "what the daemon said" "$(cat "$work/said")" '^tcmufs: the daemon died before it was ready .wait status 9.$'
  fi
  wait_until 60 no_daemon
}
outage() { # DEATH: how long there is no daemon afterwards, in seconds
  case $(($1 % 20)) in
    10) [ $(($1 % 100)) = 50 ] && echo 60 || echo 8 ;;
    4 | 9 | 14 | 19) echo "$((RANDOM % 3)).$((RANDOM % 10))" ;;
    *) echo 0 ;;
  esac
}

step "$deaths deaths"
kill -9 "$(daemons)"
wait_until 60 no_daemon
for ((i = 1; i <= deaths; i++)); do
  order=${orders[(first + i) % ${#orders[@]}]}
  order="${order% *} $((RANDOM % ${order##* } + 1))"
  seconds=$(outage "$i")
  # A command is sent five times more, and fails after six times that long, for as often as there is an answer.
  case $seconds in 8) patience 1 ;; 60) patience 5 ;; *) patience 30 ;; esac
  began=$SECONDS
  live_until "$order"
  echo "death $i: $order, after $((SECONDS - began)) s; then no daemon for $seconds s"
  all_work || fail "somebody has seen an error"
  kernel_is_content || fail "the kernel complains"
  sleep "$seconds"
done
must_fail 'Transport endpoint' ls "$mnt"
start
must_be "the devices" "$(devices)" "$before"
for v in "${volumes[@]}"; do must_be "the state of $v" "$(state $v)" ready; done

step "a daemon that is stopped for $stop_seconds s: its disks wait, those of another go on"
stopped_one=$(daemons)
mkdir "$work/store2" "$work/disks2"
timeout 60 tcmufs "$work/store2" "$work/disks2" || fail "the second daemon"
truncate -s 16M "$work/disks2/other"
patience $((stop_seconds / 7))
kill -STOP "$stopped_one"
end=$((SECONDS + stop_seconds)) rounds=0
while [ $SECONDS -lt $end ]; do
  timeout 5 dd if="$work/pattern" of=$links/other bs=64k oflag=direct conv=fdatasync status=none || fail "the other disk waits too"
  rounds=$((rounds + 1))
done
cmp -n 65536 "$work/pattern" $links/other || fail "the other disk"
kill -CONT "$stopped_one"
echo "the other disk was written $rounds times; commands that took too long: $(for disk in $disks; do cat "/sys/block/$disk/device/iotmo_cnt"; done | xargs)"
all_work || fail "somebody has seen an error"
mountctl umount "$work/disks2"
sleep 3
kernel_is_content || fail "the kernel complains"
must_be "the devices" "$(devices)" "$before"
patience 30

step "all that was done is right"
touch "$work/stop"
for pid in "${works[@]}"; do wait "$pid" || { cat "$work"/*.log; fail "work $pid, with status $?"; }; done
must_be "the counter" "$(count_under_lock "$(readlink -f $links/lock)")" "$(awk '{ sum += $1 } END { print sum }' "$work/counts")"
for directory in "$work/mounted" "$work/discarded"; do
  umount "$directory"
done
for v in files discarded; do e2fsck -fn $links/$v >/dev/null || fail "e2fsck of $v"; done
mount $links/files "$work/mounted"
diff -r "$tree" "$work/mounted/copy" || fail "the files"
umount "$work/mounted"
kernel_is_content || fail "the kernel complains"
dmesg -C
for v in "${volumes[@]}"; do rm "$mnt/$v"; done
stop
nothing_left
umount "$store"
