#!/bin/bash
# Every file below .ctl says what it should of a disk that is mounted; there is none of which nothing is expected here.
# vm: --timeout 300
. "$(dirname "$0")/lib.sh"

start
truncate -s 64M "$mnt/v"
sg=$(basename /sys/block/"$(basename "$(control v device)")"/device/scsi_generic/sg*)
node=$(readlink -f "$links/v")
mkfs.ext4 -q $links/v
mount $links/v "$work/mounted"
dd if=/dev/zero of="$work/mounted/file" bs=1M count=1 oflag=direct status=none
must_fail 'busy' rm "$mnt/v"

settings='block_size=512 physical_block_size=4096 direct=0 max_data_area_mb=[0-9]+ cmd_ring_size_mb=[0-9]+ data_pages_per_blk=[0-9]+ queue_depth=[0-9]+
  read_ahead_kb=[0-9]+ poll_us=[0-9]+ read_only=0 write_cache=1 discard=1 cmd_timeout=0 enospc_timeout=60 vendor=TCMUFS product=Virtual[[:blank:]]Disk serial='

# NAME REGEX: all lines together, joined by |, must match.
volume_files="
status ^.*state.*ready.*$
status.json ^.*\"format\": 1.*\"state\": \"ready\".*$
state ^ready$
size ^67108864$
device ^$node$
sg ^/dev/$sg$
wwn ^naa\.6[0-9a-f]{31}$
uuid ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$
holders mounted on '?$work/mounted
stats ^.*write.*$
stats.json ^.*\"write\".*$
latency ^.*write.*$
inflight ^$
last_error cannot be|busy|in use|use
events Z v ready /dev/.*\|.*Z v refused .*in use
ctl ^attach\|detach$
"
root_files="
status ^NAME .*\|v +ready +67108864 +$node
status.json ^.*\"format\": 1.*\"name\": \"v\".*$
version ^[0-9]+\.[0-9]+\.[0-9]+.*$
features ^.+$
last_error ^.*v.*$
error_log Z v .*in use
metrics tcmufs_volumes.*# EOF$
doctor ^(OK|WARN|FIX) .*$
events ready $node
ctl ^attach\|detach$
"
text_of() { # FILE: what it says, its lines joined by |; of a file that goes on: what it says now
  { timeout 20 dd if="$1" iflag=nonblock bs=64k status=none 2>/dev/null || true; } | tr '\n' '|' | sed 's/|$//'
}
check() { # DIRECTORY NAMES-AND-REGEXES: these files are in it, and no other
  local name regex text
  while read -r name regex; do
    [ -n "$name" ] || continue
    text=$(text_of "$1/$name")
    grep -Eq -e "$regex" <<<"$text" || fail "$1/$name says '$text', which does not match '$regex'"
    echo "$name: ${text:0:60}"
  done <<<"$2"
  diff <(awk 'NF { print $1 }' <<<"$2" | sort) <(find "$1/" -mindepth 1 -maxdepth 1 -type f -printf '%f\n' | sort) || fail "the files in $1"
}
with_settings() { # NAMES-AND-REGEXES: and those of the settings
  printf '%s\n' "$1"
  printf '%s' "$settings" | tr -s ' \n' '\n\n' | sed -E 's/=(.*)$/ ^\1$/; s/\[\[:blank:\]\]/ /'
}

step "of a volume"
check "$mnt/.ctl/vol/v" "$(with_settings "$volume_files")"
step "of the mount"
check "$mnt/.ctl" "$root_files"
must_be "what else is there" "$(find "$mnt/.ctl/" -mindepth 1 -maxdepth 1 -type d -printf '%f ' | tr ' ' '\n' | sort | xargs)" "defaults vol"
step "of the defaults"
check "$mnt/.ctl/defaults" "$(with_settings '' | sed 's/^serial .*/serial ^$/')"
step "of a directory"
mkdir "$mnt/web"
truncate -s 1M "$mnt/web/disk0"
must_match "its status" "$(cat "$mnt/web/status")" '^disk0 +ready'

umount "$work/mounted"
stop
nothing_left
