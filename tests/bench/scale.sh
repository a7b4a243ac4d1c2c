#!/bin/bash
# Run in the virtual machine by scaling: prints a JSON object for each number of volumes.
# Arguments: IDLE-SECONDS NUMBER...
set -euo pipefail
export PATH=$TCMUFS_BIN:$PATH
idle=$1
shift

work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
mkdir "$work/store" "$work/mnt"
mountctl mount "$work/store" "$work/mnt"
daemon=$(pgrep -x tcmufs)

now_ms() { echo $(($(date +%s%N) / 1000000)); }
median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }
resident_kib() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon/status"; }
switches() { cat "/proc/$daemon/task/"*/status | awk '$1 == "voluntary_ctxt_switches:" { sum += $2 } END { print sum }'; }
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$daemon/stat"; } # of 10 ms

# One made and removed: what the first of all loads and makes is not to count.
truncate -s 16M "$work/mnt/warm"
rm "$work/mnt/warm"
empty=$(resident_kib)
made=0
for count in "$@"; do
  : >"$work/times"
  while [ $made -lt "$count" ]; do
    made=$((made + 1))
    start=$(now_ms)
    truncate -s 16M "$work/mnt/v$made"
    echo $(($(now_ms) - start)) >>"$work/times"
  done
  sleep 3
  resident=$(resident_kib) before=$(switches) ticks=$(cpu_ticks)
  sleep "$idle"
  after=$(switches) ticks=$(($(cpu_ticks) - ticks))
  devices=$(for ((i = 1; i <= made; ++i)); do readlink -f "/dev/tcmufs/v$i"; done | paste -sd:)
  iops=$(fio --name=all --filename="$devices" --ioengine=libaio --direct=1 --rw=randread --bs=4k --iodepth=32 --size=100% \
    --file_service_type=roundrobin --norandommap --gtod_reduce=1 --time_based --runtime=5 --ramp_time=1 --output-format=json |
    jq '.jobs[0].read.iops | round')
  # The last ones: up to eight of them.
  jq -nc --argjson volumes "$made" --argjson create "$(tail -n 8 "$work/times" | median)" \
    --argjson resident $(((resident - empty) / made)) --argjson switches $((after - before)) --argjson ticks $ticks \
    --argjson idle "$idle" --argjson iops "$iops" \
    '{volumes: $volumes, create_ms: $create, resident_kib: $resident, wakeups: ($switches / $idle), cpu_ms: ($ticks * 10 / $idle), iops: $iops}'
done
mountctl umount "$work/mnt"
