#!/bin/bash
# mountctl on real disks: what top measures, what set and get do; what it prints as JSON is JSON.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

start
must_be "what create prints" "$(mountctl create db0 64M)" $links/db0
must_be "the same as JSON" "$(mountctl create web1 16M --json | jq -r '.name + " " + .state')" "web1 ready"
disk=$(control db0 device)

step "top measures what is done"
dd if="$disk" of=/dev/null bs=1M iflag=direct status=none # the figures below are of a load of its own
reads() { awk '$1 == "read" { print $2 }' "$mnt/.ctl/vol/db0/stats"; }
before=$(reads)
has_begun() { [ "$(reads)" -gt $((before + 400)) ]; }
fio --name=load --filename="$disk" --ioengine=libaio --direct=1 --rw=randread --bs=4k --iodepth=4 --time_based \
  --runtime=30 --rate_iops=200 --output="$work/fio" &
load=$!
wait_until 20 has_begun
mountctl top --once --interval 4
figures=$(mountctl top --once --interval 4 --json)
wait $load || { cat "$work/fio"; fail fio; }
echo "$figures"
of_db0() { jq ".volumes[] | select(.name == \"db0\") | $1" <<<"$figures"; }
awk -v iops="$(of_db0 .operations.read.commands_per_s)" -v bytes="$(of_db0 .operations.read.bytes_per_s)" \
  -v p50="$(of_db0 .p50_ns)" -v p99="$(of_db0 .p99_ns)" 'BEGIN {
    exit !(iops > 120 && iops < 280 && bytes > iops * 4095 && bytes < iops * 4097 && 0 < p50 && p50 <= p99) }' ||
  fail "that is not the load of 200 reads of 4 KiB in a second"
must_be "the other volume" "$(jq '.volumes[] | select(.name == "web1") | .commands_per_s == 0' <<<"$figures")" true

step "top on a terminal ends with q, and leaves the terminal as it was"
(sleep 2 && printf q) | script -qec 'stty size >/dev/null; mountctl top --interval 0.5; stty -a' "$work/screen" >/dev/null
grep -aq '1049h.*db0' <(tr -d '\n' <"$work/screen") || fail "there was no screen with db0"
grep -aqE '[^-]icanon' "$work/screen" && grep -aqE '[^-]echo ' "$work/screen" || fail "the terminal is not as it was"

step "settings are set and got; a typo lists those there are and changes nothing"
mountctl set db0 queue_depth=32 read_ahead_kb=64
must_be "of the kernel" "$(cat "/sys/block/${disk##*/}/device/queue_depth" "/sys/block/${disk##*/}/queue/read_ahead_kb" | xargs)" "32 64"
must_be "of mountctl" "$(mountctl get db0 queue_depth)" 32
must_be "as JSON" "$(mountctl get db0 --json | jq .queue_depth)" 32
mountctl get db0
must_exit 2 'no setting .queue_deep.; there are: .*block_size.*queue_depth' mountctl set db0 vendor=ACME queue_deep=1
must_be "the vendor" "$(mountctl get db0 vendor)" TCMUFS
mkfs.ext4 -q "$disk"
mount "$disk" "$work/mounted"
must_exit 1 'cannot set block_size.*in use|EBUSY.*Set before that: queue_depth' mountctl set db0 queue_depth=16 block_size=4096
must_be "what was set before" "$(mountctl get db0 queue_depth)" 16
umount "$work/mounted"

step "explain finds the volume from whatever is on it"
mount "$disk" "$work/mounted"
for subject in "$disk" "$(control db0 sg)" $links/db0 "$mnt/db0" "$store/db0" db0 "$work/mounted"; do
  must_match "explain $subject" "$(mountctl explain "$subject")" "is the volume 'db0' of the mount '$mnt'"
done
mountctl explain "$disk"
must_be "its address" "$(mountctl explain db0 --json | jq -r .scsi_address)" \
  "$(basename "$(readlink -f "/sys/block/${disk##*/}/device")")"
umount "$work/mounted"
addpart "$disk" 1 2048 16384
wait_until 20 test -b "${disk}1"
must_match "a partition" "$(mountctl explain "${disk}1")" "is the volume 'db0'"
DM_DISABLE_UDEV=1 dmsetup create over --table "0 2048 linear ${disk}1 0"
must_match "a stacked device" "$(mountctl explain /dev/mapper/over)" "is the volume 'db0'"
DM_DISABLE_UDEV=1 dmsetup remove over
delpart "$disk" 1
must_exit 1 'none of ours' mountctl explain /dev/null

step "apply makes the disks those that are described, once"
cat >"$work/disks.toml" <<'END'
[volumes.db0]
size = "64M"
queue_depth = 24

[volumes.web1]
size = "32M"
vendor = "ACME"

[volumes."rack/a"]
size = "16M"
block_size = 4096
END
mountctl detach web1
mountctl apply "$work/disks.toml" --dry-run | tee "$work/plan"
must_be "the plan" "$(cat "$work/plan")" "mkdir rack
create rack/a 16M block_size=4096
set db0 queue_depth=24 (now 16)
set web1 vendor=ACME (now TCMUFS)
grow web1 16M -> 32M
attach web1"
must_be "what there is after a dry run" "$(mountctl list --json | jq -r '.[].name' | xargs)" "db0 web1"
mountctl apply "$work/disks.toml" | cmp - "$work/plan" || fail "it did something else"
must_be_ready db0 $((64 << 20))
must_be_ready web1 $((32 << 20))
must_be_ready rack/a $((16 << 20))
must_be "the block size of rack/a" "$(blockdev --getss $links/rack/a)" 4096
must_be "the queue of db0" "$(cat "/sys/block/$(basename "$(control db0 device)")/device/queue_depth")" 24
must_be "a second run" "$(mountctl apply "$work/disks.toml")" "nothing to do"
must_be "a second run, as JSON" "$(mountctl apply --json "$work/disks.toml" | jq -c .steps)" "[]"

step "apply loses nothing unless it is told to, and stops at what is in use"
sed 's/"32M"/"16M"/; s/rack/shelf/; s/"64M"/"80M"/' "$work/disks.toml" >"$work/less.toml"
must_exit 1 "'web1' would become smaller" mountctl apply "$work/less.toml" --prune
(cat "$work/less.toml" && echo colour = 1) >"$work/colour.toml"
must_exit 2 'colour.toml:12: there is no setting .colour.' mountctl apply "$work/colour.toml"
must_be_ready db0 $((64 << 20))
mkfs.ext4 -q $links/rack/a
mount $links/rack/a "$work/mounted"
done_before="mkdir shelf; create shelf/a 16M block_size=4096; grow db0 64M -> 80M; shrink web1 32M -> 16M"
must_exit 1 "cannot remove 'rack/a'.*in use.*Done before that: $done_before. Not done: remove rack/a$" mountctl apply "$work/less.toml" --prune --allow-shrink
must_be_ready db0 $((80 << 20))
must_be_ready web1 $((16 << 20))
umount "$work/mounted"
must_be "the rest" "$(mountctl apply "$work/less.toml" --prune)" "remove rack/a"
must_not_be_a_disk rack/a
must_be_ready shelf/a $((16 << 20))
must_be "a third run" "$(mountctl apply "$work/less.toml" --prune --allow-shrink)" "nothing to do"

step "every exit status"
must_exit 2 'KEY=VALUE' mountctl set db0 vendor
must_exit 1 'no volume' mountctl get db9
must_exit 2 'interval' mountctl top --interval 0
must_exit 3 'not ready' sh -c "touch $mnt/new && mountctl wait new --timeout 0"
mountctl rm new

step "JSON is JSON"
for words in list status 'status db0' 'get db0' 'top --once'; do
  mountctl $words --json | jq -e . >/dev/null || fail "mountctl $words --json is none"
done

stop
nothing_left
