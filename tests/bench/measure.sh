#!/bin/bash
# Run in the virtual machine by bench-vm: the fio jobs on each peer in turn, several rounds; prints a JSON object a line.
# Arguments: ROUNDS SECONDS PEER...
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/peers.sh"
export PATH=$TCMUFS_BIN:$PATH
rounds=$1 seconds=$2
shift 2

# A counted clock leaps ahead while nothing can be done but wait for a file of the host, and with it go all limits of time:
# so what is needed comes into the page cache first.
modprobe -a target_core_user target_core_file tcm_loop sd_mod sg fuse loop nbd
for program in tcmufs mountctl fio jq nbdkit nbd-client cp dd pidof losetup; do
  "$program" --version >/dev/null 2>&1 || true
done

work=$(mktemp -d)
mount -t tmpfs tmpfs "$work"
image=$work/image
dd if=/dev/urandom of="$image" bs=1M count=128 status=none

jobs=("randread 4k 1" "randread 4k 32" "randwrite 4k 1" "randwrite 4k 32" "read 256k 8" "write 256k 8")
run_job() { # RW BLOCK DEPTH: prints IOPS
  fio --name=job --filename="$device" --ioengine=libaio --direct=1 --rw="$1" --bs="$2" --iodepth="$3" --size=128M \
    --norandommap --randrepeat=1 --gtod_reduce=1 --time_based --runtime="$seconds" --ramp_time=0.3 --output-format=json |
    jq '.jobs[0] | (.read.iops + .write.iops) | round'
}

for ((round = 1; round <= rounds; ++round)); do
  for peer in "$@"; do
    "start_$peer"
    for job in "${jobs[@]}"; do
      # shellcheck disable=SC2086
      iops=$(run_job $job)
      echo "{\"round\": $round, \"peer\": \"$peer\", \"job\": \"$job\", \"iops\": $iops}"
    done
    "stop_$peer"
  done
done
