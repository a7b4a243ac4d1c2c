#!/bin/bash
# fio writes four disks and reads back what it wrote: random and sequential, blocks of 512 bytes to 1 MiB, mixed depths, flushes
# between, the page cache emptied again and again; once with io_uring, once with threads. tests/verify is the same for longer:
# $VERIFY_SECONDS with each of $VERIFY_ENGINES.
# vm: --disk 2G --timeout 900
. "$(dirname "$0")/lib.sh"

seconds=${VERIFY_SECONDS:-15}
read -r -a engines <<<"${VERIFY_ENGINES:-uring threads}"
volumes=(v1 v2 v3 v4)
size=$((96 * 1024 * 1024))
mkfs.ext4 -q /dev/vda
mount /dev/vda "$store"

fio_on_all() { # FIO-OPTION...: a job per volume, beside each other
  local v jobs=()
  for v in "${volumes[@]}"; do jobs+=(--name="$v" --filename="$(readlink -f "$links/$v")" "$@"); done
  fio --output-format=json --output="$work/fio.json" "${jobs[@]}"
}
common=(--ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1)
uses_io_uring() { find "/proc/$(daemons)/fd" -lname 'anon_inode:*io_uring*' | grep -q .; }

blocks=(--bssplit=512/20:1k/10:4k/25:8k/10:16k/10:64k/10:256k/10:1m/5 --bsrange=512-64k --bsrange=4k-1m --bs=512 --bs=4k --bs=1m)
depths=(1 32 4 64 16)
extent_kib() { # BLOCKS: so small that the smallest blocks end in time
  case $1 in --bs=512) echo 256 ;; --bs=4k | --bsrange=512-64k) echo 2048 ;; --bs=1m) echo 12288 ;; *) echo 6144 ;; esac
}
total() { jq -s '[.[].jobs[] | .'"$1"'.io_bytes] | add / 1048576 | round' "$work/fio.json"; } # read or write: MiB

verify_for() { # SECONDS: one run after the other, each of another mixture
  local end=$((SECONDS + $1)) round=0 written=0 read=0 chosen order kib
  while [ $SECONDS -lt "$end" ]; do
    chosen=${blocks[round % ${#blocks[@]}]}
    order=$([ $((round / ${#blocks[@]} % 2)) = $((round % 2)) ] && echo write || echo randwrite)
    kib=$(extent_kib "$chosen")
    fio_on_all "${common[@]}" --rw="$order" "$chosen" --iodepth="${depths[round % ${#depths[@]}]}" --randseed=$((round + 1)) \
      --offset=$((round * 7 % 80))m --size="${kib}k" --fdatasync=64 --verify_backlog=$((round % 3 * 40 + 20)) ||
      fail "fio, run $round, $order $chosen: $(jq -r '[.jobs[].error] | @csv' "$work/fio.json")"
    written=$((written + $(total write))) read=$((read + $(total read)))
    round=$((round + 1))
  done
  echo "$round runs over ${#volumes[@]} volumes, $written MiB written, $read MiB verified, no error"
}

while sleep 1; do echo 1 >/proc/sys/vm/drop_caches; done &
emptier=$!

for engine in "${engines[@]}"; do
  step "$seconds s with $engine"
  if [ "$engine" = threads ]; then
    without_io_uring timeout 300 tcmufs "$store" "$mnt" || fail "the daemon did not start"
    ! uses_io_uring || fail "the daemon uses io_uring all the same"
  else
    start
  fi
  for v in "${volumes[@]}"; do truncate -s $size "$mnt/$v"; done
  [ "$engine" = threads ] || uses_io_uring || fail "the daemon does not use io_uring"
  verify_for "$seconds"
  [ "$engine" != "${engines[0]}" ] || {
    step "a byte that is wrong is found"
    fio_on_all "${common[@]}" --rw=write --bs=64k --size=1m --do_verify=0
    printf X | dd of="$store/v3" bs=1 seek=100000 conv=notrunc status=none
    ! fio_on_all "${common[@]}" --rw=read --bs=64k --size=1m 2>"$work/wrong" || fail "a wrong byte was not found"
    must_match "what fio says" "$(cat "$work/wrong" "$work/fio.json")" 'verify'
  }
  for v in "${volumes[@]}"; do rm "$mnt/$v"; done
  stop
done
kill "$emptier"
nothing_left
umount "$store"
