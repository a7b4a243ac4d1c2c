#!/bin/bash
# Settings of a disk: its ring, its queue, write protection, write cache, names.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

set_to() { echo "$3" >"$mnt/.ctl/vol/$1/$2"; } # VOLUME SETTING VALUE
last_error() { control "$1" last_error; }
of_kernel() { cat "/sys/block/$(basename "$(control t device)")/$1"; }

start
truncate -s 64M "$mnt/t"

step "the ring has the size that was asked for"
attribute() { cat "$target"/core/user_*/"$(control t uuid)/attrib/$1"; }
must_be "the data area" "$(attribute max_data_area_mb)" 8
set_to t max_data_area_mb 32
set_to t cmd_ring_size_mb 2
set_to t data_pages_per_blk 4
must_be "data area, ring, pages" "$(attribute max_data_area_mb) $(attribute cmd_ring_size_mb) $(attribute data_pages_per_blk)" "32 2 4"
must_be_ready t 67108864
fio --name=large --filename=$links/t --ioengine=libaio --direct=1 --size=64M --rw=randrw --bs=256k --iodepth=32 \
  --verify=crc32c --verify_fatal=1 --output="$work/fio" || { cat "$work/fio"; fail fio; }

step "a disk in use is tuned as it is"
mkfs.ext4 -q $links/t
mount $links/t "$work/mounted"
must_be "as the kernel has it" "$(of_kernel device/queue_depth) $(of_kernel queue/read_ahead_kb)" \
  "$(control t queue_depth) $(control t read_ahead_kb)"
set_to t queue_depth 16
set_to t read_ahead_kb 512
set_to t poll_us 0
must_be "as the kernel has it" "$(of_kernel device/queue_depth) $(of_kernel queue/read_ahead_kb)" "16 512"
must_fail 'Device or resource busy' set_to t cmd_ring_size_mb 1
umount "$work/mounted"
stop
start
must_be "after a remount" "$(of_kernel device/queue_depth) $(of_kernel queue/read_ahead_kb) $(control t poll_us)" "16 512 0"


step "write protection"
echo precious | dd of=$links/t conv=sync status=none oflag=direct
set_to t read_only 1
must_be "the kernel's view" "$(of_kernel ro)" 1
must_fail 'not permitted|Read-only' dd if=/dev/zero of=$links/t bs=512 count=1 oflag=direct
must_be "what is on it" "$(head -c 8 $links/t)" precious
set_to t read_only 0
must_be "the kernel's view" "$(of_kernel ro)" 0
echo replaced | dd of=$links/t conv=sync status=none oflag=direct

step "write cache"
must_be "the kernel's view" "$(of_kernel queue/write_cache)" "write back"
set_to t write_cache 0
must_be "the kernel's view" "$(of_kernel queue/write_cache)" "write through"
must_match "sdparm" "$(sdparm --get WCE $links/t)" 'WCE +0 .*def: +0'
set_to t write_cache 1
must_be "the kernel's view" "$(of_kernel queue/write_cache)" "write back"

step "names"
set_to t vendor ACME
set_to t product "Disk of note"
must_be "vendor and model" "$(of_kernel device/vendor | xargs)/$(of_kernel device/model | xargs)" "ACME/Disk of note"
must_fail 'Invalid argument' set_to t vendor "much too long"
must_match last_error "$(last_error t)" '1 to 8 printable'

step "discard"
queue() { cat "/sys/block/$(basename "$(control t device)")/queue/$1"; }
[ "$(queue discard_max_bytes)" -gt 0 ] || fail "no discard"
set_to t discard 0
must_be "what can be discarded at once" "$(queue discard_max_bytes)" 0
must_fail 'not supported' blkdiscard $links/t
must_match "sg_readcap" "$(sg_readcap --16 $links/t)" 'lbpme=0, lbprz=0'
blkdiscard --zeroout -l 1M $links/t
set_to t discard 1
blkdiscard $links/t

step "serial number"
uuid=$(control t uuid)
must_match "as by default" "$(sg_inq -p sn $links/t)" "${uuid//-/}"
wwn=$(control t wwn)
set_to t serial "S-1 of 2"
must_match "sg_inq" "$(sg_inq -p sn $links/t)" 'serial number: S-1 of 2$'
must_be "wwn of the kernel" "$(of_kernel device/wwid)" "$wwn"
must_fail 'Invalid argument' set_to t serial "123456789012345678901234567890123"
set_to t serial ""
must_match "as by default" "$(sg_inq -p sn $links/t)" "${uuid//-/}"

step "a time limit for commands"
must_be "for ever" "$(attribute cmd_time_out)" 0
set_to t cmd_timeout 20
must_be "as the kernel has it" "$(attribute cmd_time_out)" 20
set_to t cmd_timeout 0

step "who holds it"
must_be "holders" "$(control t holders)" ""
mount $links/t "$work/mounted" 2>/dev/null || { mkfs.ext4 -q -F $links/t && mount $links/t "$work/mounted"; }
holders() { control t holders | grep -q "$work/mounted"; }
wait_until 20 holders
umount "$work/mounted"
nobody() { [ -z "$(control t holders)" ]; }
wait_until 20 nobody

step "a draft has its settings first; a daemon that is killed leaves it a draft, or makes of it a volume as any"
crash() {
  pkill -9 -x tcmufs
  wait_until 30 no_daemon
  start
}
mkdir "$mnt/.ctl/vol/d"
set_to d block_size 4096
crash
set_to d size 8M
set_to d size +8M
must_fail 'Invalid argument' set_to d size +512
crash
must_be "of the draft" "$(state d) $(control d size) $(control d block_size) $(stat -c %s "$mnt/d")" "draft 16777216 4096 16777216"
truncate -s 32M "$mnt/d"
must_be "state after closing" "$(state d)" draft
must_not_be_a_disk d
set_to d ctl attach
must_be_ready d 33554432
must_be "its blocks" "$(blockdev --getss $links/d)" 4096
crash
must_be_ready d 33554432
set_to d size 64M
must_be_ready d 67108864
mkfs.ext4 -q -F $links/d
mount $links/d "$work/mounted"
must_fail 'Device or resource busy' rmdir "$mnt/.ctl/vol/d"
umount "$work/mounted"
rmdir "$mnt/.ctl/vol/d"
must_not_be_a_disk d
[ ! -e "$mnt/d" ] && [ ! -e "$store/d" ] || fail "d is still there"

step "defaults of a mount"
stop
start -o write_cache=0,read_ahead_kb=64,vendor=ACME
truncate -s 16M "$mnt/u"
must_be "of a new volume" "$(control u write_cache) $(control u read_ahead_kb) $(control u vendor)" "0 64 ACME"
must_be "of one that was there" "$(control t write_cache) $(control t read_ahead_kb)" "1 512"
stop
nothing_left
