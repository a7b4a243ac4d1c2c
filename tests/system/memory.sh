#!/bin/bash
# Memory runs out, and what makes room lies on disks of ours: swap, and more dirty pages than there is memory.
# vm: --memory 384M --disk 2G --timeout 240
. "$(dirname "$0")/lib.sh"

mib=1048576
dirty_mib=352   # more than the machine has
swap_mib=64
allowed_mib=16  # to the one that needs swap
hog_mib=40

modprobe ext4
mkfs.ext4 -q /dev/vda
mkdir "$work/vda" "$work/cgroup"
mount /dev/vda "$work/vda"
mount -t cgroup2 cgroup2 "$work/cgroup"
echo +memory >"$work/cgroup/cgroup.subtree_control"
store=$work/vda/store
mkdir "$store"

vmstat() { awk -v name="$1" '$1 == name { print $2 }' /proc/vmstat; }
ram_mib=$(($(awk '/^MemTotal/ { print $2 }' /proc/meminfo) / 1024))
[ $dirty_mib -gt $ram_mib ] || fail "the machine has $ram_mib MiB"

step "the daemon is fit for that: locked, no victim, and its allocations wait for no I/O"
start
daemon=$(daemons)
of_daemon() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$daemon/status"; }
must_be "the daemon's oom_score_adj" "$(cat "/proc/$daemon/oom_score_adj")" -1000
[ "$(of_daemon VmLck)" -gt 0 ] || fail "nothing is locked"
truncate -s $((swap_mib * mib)) "$mnt/swap"
truncate -s $((dirty_mib * mib)) "$mnt/data"
for thread in "/proc/$daemon/task"/*; do
  flags=$(sed 's/.*) //' "$thread/stat" | cut -d ' ' -f 7)
  # PF_MEMALLOC_NOIO and PF_LOCAL_THROTTLE, which PR_SET_IO_FLUSHER sets.
  must_be "flags of thread $(cat "$thread/comm")" $((flags & 0x180000)) $((0x180000))
done

step "$dirty_mib MiB written to a disk, $ram_mib MiB of memory"
pattern() { head -c $((dirty_mib * mib)) /dev/zero | tr '\0' '\125'; }
begin=$SECONDS
pattern | timeout 100 dd of=$links/data bs=1M iflag=fullblock status=none || fail "the writer"
echo "took $((SECONDS - begin)) s"
pattern | timeout 100 cmp - $links/data || fail "what was written is not there"
must_be "who serves" "$(daemons)" "$daemon"
rm "$mnt/data"

step "swap on a volume: $hog_mib MiB used where $allowed_mib are allowed"
mkswap "$links/swap" >/dev/null
swapon "$links/swap"
must_fail 'used as swap' mountctl rm swap
mkdir "$work/cgroup/hog"
echo $((allowed_mib * mib)) >"$work/cgroup/hog/memory.max"
out_before=$(vmstat pswpout) in_before=$(vmstat pswpin)
begin=$SECONDS
timeout 100 bash -c "echo \$\$ >'$work/cgroup/hog/cgroup.procs' && exec memory_hog $hog_mib 1" || fail "memory_hog"
swapped_in=$(($(vmstat pswpin) - in_before))
echo "took $((SECONDS - begin)) s; pages swapped out $(($(vmstat pswpout) - out_before)), in $swapped_in"
[ $((swapped_in * 4 / 1024)) -ge $((hog_mib - allowed_mib)) ] || fail "there was no pressure"
must_be "who serves" "$(daemons)" "$daemon"
must_be "how many processes were killed for want of memory" "$(vmstat oom_kill)" 0
must_be "what of the daemon was swapped out" "$(of_daemon VmSwap)" 0
must_be_ready swap $((swap_mib * mib))
timeout 60 swapoff "$links/swap"

step "memory runs out: the kernel kills, and not the daemon"
# Everybody else is as unlikely a victim as can be; the daemon says itself that it must be none.
for process in /proc/[0-9]*; do
  [ "$process" = "/proc/$daemon" ] || echo -999 >"$process/oom_score_adj" 2>/dev/null || true
done
status=0
timeout 100 memory_hog $((2 * ram_mib)) 1 || status=$?
must_be "how memory_hog ended" $status 137
must_be "who serves" "$(daemons)" "$daemon"
dmesg | grep 'Out of memory: Killed process' | tail -n 1
dmesg -C
head -c 1M /dev/urandom >"$work/data"
timeout 60 dd if="$work/data" of=$links/swap oflag=direct bs=1M status=none
must_hold swap "$work/data"
timeout 60 rm "$mnt/swap"
stop
nothing_left
