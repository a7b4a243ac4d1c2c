#!/bin/bash
# The store is full: writes wait, reads go on, and all is well as soon as there is room; or they fail in time.
# vm: --timeout 300
. "$(dirname "$0")/lib.sh"

size=268435456
data_bytes=33554432

modprobe -a loop ext4
truncate -s 128M "$work/small"
mkfs.ext4 -q "$work/small"
small=$work/on_small
mkdir "$small"
mount -o loop "$work/small" "$small"
store=$small/store
mkdir "$store"
remember
free() { echo $(($(stat -f -c '%a * %S' "$small"))); } # bytes
fill() { fallocate -l $(($(free) - 8388608)) "$small/filler"; } # so that 8 MiB are left
is_paused() { [ "$(state v)" = paused ]; }
is_ready() { [ "$(state v)" = ready ]; }
write_data() { dd if="$work/data" of=$links/v bs=1M oflag=direct status=none; }
ticks() { sed 's/.*) //' "/proc/$(daemons)/stat" | awk '{ print $12 + $13 }'; } # of the daemon: 10 ms of processor each

start
truncate -s $size "$mnt/v"
truncate -s 1M "$mnt/w"
dd if=/dev/zero of=$links/w bs=1M count=1 oflag=direct status=none
dd if=/dev/urandom of="$work/data" bs=1M count=$((data_bytes >> 20)) status=none
dd if="$work/data" of="$work/first" bs=1M count=1 status=none
# The kernel's patience is shortened: what waited in the ring would be aborted after 6 s, what is sent again fails after 36 s.
echo 6 >"/sys/block/$(basename "$(control v device)")/device/timeout"

step "the store fills up under a writer: it waits, and others do not"
fill
write_data &
writer=$!
wait_until 30 is_paused
cat "$mnt/status" "$mnt/.ctl/vol/v/last_error"
must_match last_error "$(control v last_error)" "no room left for what is written to 'v'"
must_match hint "$(control v status)" '^hint: make room'
must_be "the state in JSON" "$(control v status.json | jq -r .state)" paused
grep -q 'volume="v".*state="paused"} 1$' "$mnt/.ctl/metrics" || fail "metrics: $(grep 'volume="v"' "$mnt/.ctl/metrics" | grep state)"
before=$(ticks)
begin=$SECONDS
while [ $((SECONDS - begin)) -lt 9 ]; do
  timeout 5 cmp -n 1048576 "$work/first" $links/v || fail "v cannot be read"
  timeout 5 dd if="$work/data" of=$links/w bs=64k count=1 oflag=direct status=none || fail "w cannot be written"
  sleep 0.2
done
echo "the daemon has used $((($(ticks) - before) * 10)) ms of the processor in $((SECONDS - begin)) s"
is_paused || fail "it is $(state v)"
kill -0 $writer || fail "the writer did not wait"

step "the daemon dies meanwhile: the next one gets what waits"
kill -9 "$(daemons)"
wait_until 60 no_daemon
start
wait_until 30 is_paused
kill -0 $writer || fail "the writer did not wait"

step "there is room: it goes on"
rm "$small/filler"
begin=$(date +%s%N)
wait $writer || fail "the writer"
echo "the writer was done $((($(date +%s%N) - begin) / 1000000)) ms after there was room"
wait_until 10 is_ready
must_hold v "$work/data"
must_match "what has happened" "$(timeout 2 cat "$mnt/.ctl/vol/v/events" | awk '{ print $3 }' | tail -n 3 | tr '\n' ' ')" '(ready|paused) paused ready '
if dmesg | grep -Ei 'I/O error|abort|timing out|offline'; then fail "the kernel complains"; fi

step "with a limit the writes fail after it, with the right error, and then at once"
detach_and_empty() {
  mountctl detach v
  truncate -s 0 "$mnt/v"
  truncate -s $size "$mnt/v"
  is_ready || fail "v is $(state v)"
}
detach_and_empty
mountctl set v enospc_timeout=3 # which must be kept in the store: not once that is full
truncate -s $size "$mnt/at_once"
mountctl set at_once enospc_timeout=0
fill
begin=$SECONDS
must_fail 'No space left on device' write_data
took=$((SECONDS - begin))
if [ $took -lt 3 ] || [ $took -gt 20 ]; then fail "the write failed after $took s"; fi
wait_until 5 is_ready
must_match last_error "$(control v last_error)" "writes to 'v' have failed: for 3 s"
begin=$SECONDS
must_fail 'No space left on device' write_data
[ $((SECONDS - begin)) -lt 3 ] || fail "the second write has waited"
cmp -n 1048576 "$work/first" $links/v || fail "v cannot be read"
begin=$SECONDS
must_fail 'No space left on device' dd if="$work/data" of=$links/at_once bs=1M oflag=direct status=none
[ $((SECONDS - begin)) -lt 3 ] || fail "a write without a limit has waited"
must_be "the pauses of at_once" "$(timeout 2 cat "$mnt/.ctl/vol/at_once/events" | grep -c ' paused ')" 0

step "the daemon ends in time with writes waiting"
rm "$small/filler"
detach_and_empty
mountctl set v enospc_timeout=4
fill
dd if="$work/data" of=$links/v bs=1M conv=fsync status=none 2>/dev/null &
writer=$!
wait_until 30 is_paused
begin=$SECONDS
kill -TERM "$(daemons)"
wait_until 60 no_daemon
echo "the daemon has ended within $((SECONDS - begin)) s"
if wait $writer; then fail "the writer was not told"; fi
dmesg -C # which has said that the buffers were lost
nothing_left
umount "$small"
