#!/bin/bash
# What one sees from outside: metrics, the commands in flight while the store hangs, and what the doctor says of a machine that is well,
# of one whose daemon has died, and of one that another program shares.
# vm: --disk 1G --timeout 600
. "$(dirname "$0")/lib.sh"

mkfs.ext4 -q /dev/vda
echo "0 $(blockdev --getsz /dev/vda) linear /dev/vda 0" | dmsetup create below
mount /dev/dm-0 "$store" # no udev is needed for this name
doctor() { # EXIT-STATUS [STORE]
  local expected=$1 status=0
  shift
  tcmufs --doctor "$@" >"$work/doctor" || status=$?
  cat "$work/doctor"
  must_be "the exit status of the doctor" "$status" "$expected"
}
must_say() { grep -Eq -e "$1" "$work/doctor" || fail "the doctor does not say '$1'"; } # REGEX

step "the doctor changes nothing, and finds nothing to fix"
lsmod >"$work/modules" && find "$store" >"$work/files"
doctor 0 "$store"
lsmod | cmp - "$work/modules" && find "$store" | cmp - "$work/files" || fail "something has changed"
must_say '^OK modules: target_core_user '
must_say '^OK modules: tcm_loop '
must_say '^OK punch_hole: '
must_say '^OK direct: '
must_say '^WARN udev: '
must_exit 2 'not expected' tcmufs --doctor "$store" "$mnt"

start
truncate -s 64M "$mnt/v"
truncate -s 1M "$mnt"/w{1..5}
disk=$(control v device)
dd if=/dev/urandom of="$disk" bs=1M count=64 oflag=direct status=none
udevadm settle 2>/dev/null || true

step "metrics say what is there"
metric() { awk -v name="$1" '$1 == name { print $2 }' "$mnt/.ctl/metrics"; } # NAME{LABELS}
must_be "the size" "$(metric 'tcmufs_volume_size_bytes{volume="v"}')" $((64 << 20))
must_be "what is allocated" "$(metric 'tcmufs_volume_allocated_bytes{volume="v"}')" $(($(stat -c %b "$store/v") * 512))
must_be "what has been written" "$(metric 'tcmufs_volume_command_bytes_total{volume="v",operation="write"}')" $((64 << 20))
must_be "ready volumes" "$(metric 'tcmufs_volumes{state="ready"}')" 6
must_be "whether it is used" "$(metric 'tcmufs_volume_in_use{volume="v"}')" 0
must_be "the last line" "$(tail -n 1 "$mnt/.ctl/metrics")" "# EOF"
must_be "what is in flight" "$(control v inflight)" ""

read_us() { # FILE: how long a read of it takes
  local from=${EPOCHREALTIME/./} text
  read -r -d '' text <"$mnt/$1" || [ -n "$text" ] || fail "$1 is empty"
  echo $((${EPOCHREALTIME/./} - from))
}
said=(status .ctl/status.json .ctl/vol/{v,w1,w2,w3,w4,w5}/status{,.json})
declare -A before_us
for file in "${said[@]}"; do before_us[$file]=$(for _ in 1 2 3; do read_us "$file"; done | sort -n | head -n 1); done

step "a store that hangs: what waits, and for how long"
sync
echo 3 >/proc/sys/vm/drop_caches
ls "$mnt/.ctl/vol/v" >/dev/null
dmsetup suspend --nolockfs --noflush below
dd if="$disk" of=/dev/null bs=4k count=1 skip=1000 iflag=direct status=none &
reader=$!
waits() { timeout 20 cat "$mnt/.ctl/vol/v/inflight" >"$work/inflight" && grep -Eq '^[0-9]+ READ\(10\) lba 8000 blocks 8$' "$work/inflight"; }
wait_until 30 waits
sleep 2
waits || fail "the read is not in flight any more"
cat "$work/inflight"
[ "$(awk '$2 == "READ(10)" && $4 == 8000 { print $1 }' "$work/inflight")" -ge 2000 ] || fail "it is too young"
timeout 20 cat "$mnt/.ctl/metrics" >"$work/metrics" || fail "metrics wait for the store"
# The machine is emulated, and other work runs beside it: one that needs as long for it before may need twice that, and what
# counts is the best of several tries. What waits for the store is never quick.
quick() { # FILE
  now_us=$(read_us "$1")
  [ "$now_us" -lt 50000 ] || [ "$now_us" -lt $((2 * before_us[$1])) ]
}
for file in "${said[@]}"; do
  wait_until 30 quick "$file"
  echo "$file: $now_us us, ${before_us[$file]} us before"
done
grep 'oldest_command' "$work/metrics" | awk '/^tcmufs/ { exit !($2 >= 2) }' || fail "the oldest command is too young in metrics"
dmsetup resume below
wait "$reader"
gone() { [ -z "$(control v inflight)" ]; }
wait_until 30 gone

step "served, there is nothing to fix; the mount says the same"
doctor 0 "$store"
must_say '^OK leftovers: '
must_say '^OK others: '
must_match "the mount's doctor" "$(cat "$mnt/.ctl/doctor")" '^OK leftovers: '
if grep '^FIX' "$mnt/.ctl/doctor"; then fail "the mount's doctor wants something fixed"; fi

step "a daemon that has died leaves a disk that nobody serves"
kill -9 "$(daemons)"
wait_until 60 no_daemon
doctor 1
must_say '^FIX leftovers: .*whose disk is there: its I/O waits; mount the store '"$(cat "$store/.tcmufs/uuid")"
start
doctor 0 "$store"

step "a backstore of another program"
mkdir -p "$target/core/user_77/foreign"
echo "dev_size=4096,dev_config=other/thing,nl_reply_supported=-1" >"$target/core/user_77/foreign/control"
doctor 0
must_say '^WARN others: .*core/user_77/foreign \(other/thing\)'
rmdir "$target/core/user_77/foreign" "$target/core/user_77"

stop
nothing_left
umount "$store"
dmsetup remove below
