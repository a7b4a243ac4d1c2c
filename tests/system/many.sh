#!/bin/bash
# Fifty volumes at once, and a directory of ten: a target with ten LUNs.
# vm: --timeout 1500
. "$(dirname "$0")/lib.sh"

in_parallel() { # COMMAND, a word in which stands for each of the volumes on standard input
  local volume pids=() pid failed=
  while read -r volume; do
    "${@//@/$volume}" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || failed=yes; done
  [ -z "$failed" ] || fail "$*: one of ${#pids[@]} in parallel"
}
ready() { awk '$2 == "ready"' "$mnt/status" | wc -l; }

start
step "50 volumes, created in parallel"
seq -f 'v%g' 50 >"$work/names"
in_parallel truncate -s 16M "$mnt/@" <"$work/names"
echo "$SECONDS s"
must_be "the number of ready volumes in the table" "$(ready)" 50
must_be "what mountctl list says" "$(mountctl list | awk '$2 == "ready"' | wc -l)" 50
must_be "what mountctl list --json says" "$(mountctl list --json | jq '[.[] | select(.state == "ready")] | length')" 50
must_be "the number of links" "$(find $links -type l | wc -l)" 50
while read -r v; do must_be_ready "$v" $((16 * 1024 * 1024)); done <"$work/names"
for file in uuid wwn device; do
  must_be "the number of different ${file}s" "$(while read -r v; do control "$v" $file; done <"$work/names" | sort -u | wc -l)" 50
done

step "each is a disk of its own"
while read -r v; do printf '%-512s' "I am $v" | dd of="$links/$v" oflag=direct bs=512 status=none; done <"$work/names"
while read -r v; do
  must_be "what stands on $v" "$(dd if="$links/$v" iflag=direct bs=512 count=1 status=none | sed 's/ *$//')" "I am $v"
done <"$work/names"

step "a directory with 10 volumes is a target with 10 LUNs"
mkdir "$mnt/web"
seq -f 'web/disk%g' 10 >"$work/luns"
in_parallel truncate -s 16M "$mnt/@" <"$work/luns"
while read -r v; do must_be_ready "$v" $((16 * 1024 * 1024)); done <"$work/luns"
must_be "the number of volumes in the table of web" "$(awk '$2 == "ready"' "$mnt/web/status" | wc -l)" 10
addresses() { while read -r v; do basename "$(readlink -f "/sys/block/$(basename "$(readlink -f "$links/$v")")/device")"; done <"$work/luns"; }
must_be "the number of SCSI targets" "$(addresses | cut -d: -f1-3 | sort -u | wc -l)" 1
must_be "the number of LUNs" "$(addresses | cut -d: -f4 | sort -u | wc -l)" 10
must_be "how often the kernel complains about a LUN" "$(dmesg | grep -c 'larger than allowed' || true)" 0
must_fail 'not empty' rmdir "$mnt/web"

step "all are back after a remount, with their contents"
stop
nothing_left
start
must_be "the number of ready volumes" "$(awk '$2 == "ready"' "$mnt/.ctl/status" | wc -l)" 60
while read -r v; do
  must_be "what stands on $v" "$(dd if="$links/$v" iflag=direct bs=512 count=1 status=none | sed 's/ *$//')" "I am $v"
done <"$work/names"
must_be "the number of SCSI targets" "$(addresses | cut -d: -f1-3 | sort -u | wc -l)" 1

step "removed in parallel, nothing is left while the mount is still there"
in_parallel rm "$mnt/@" <"$work/luns"
rmdir "$mnt/web"
in_parallel rm "$mnt/@" <"$work/names"
as_before || { kernel_objects | head; fail "something is left in the kernel"; }
must_be "what is left in the mount" "$(ls -A "$mnt")" status
must_be "the images left in the store" "$(find "$store" -type f -name '*disk*' -o -type f -name 'v[0-9]*' | wc -l)" 0
stop
nothing_left
