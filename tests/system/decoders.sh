#!/bin/bash
# What decodes SCSI disks decodes ours without a complaint, and names a volume by the same identity for ever.
# vm: --udev --timeout 600
. "$(dirname "$0")/lib.sh"

complaints='malformed|invalid|illegal|unexpected|unable|problem|truncated|too short|failed|error:|>>>|bad |unknown|not conform'
decode() { # COMMAND...: exit status 0, nothing on standard error, no complaint
  echo "\$ $*"
  "$@" >"$work/decoded" 2>"$work/complaint" || fail "$* exits with $?: $(cat "$work/decoded" "$work/complaint")"
  [ ! -s "$work/complaint" ] || fail "$* complains: $(cat "$work/complaint")"
  if grep -iE "$complaints" "$work/decoded"; then fail "$* complains: $(cat "$work/decoded")"; fi
}
says() { grep -qE "$1" "$work/decoded" || fail "it does not say '$1': $(cat "$work/decoded")"; }

start
truncate -s 64M "$mnt/v" "$mnt/w"
udevadm settle
disk=$(readlink -f $links/v)

step "sg3_utils"
decode sg_inq "$disk"
says 'Peripheral device type: disk'
says 'length=9[6-9]|length=[1-9][0-9][0-9]'
decode sg_vpd -a "$disk"
for page in 'Supported VPD pages' 'Unit serial number' 'Device [Ii]dentification' 'Block limits' 'Block device characteristics' 'Logical block provisioning'; do
  says "$page"
done
decode sg_inq -e "$disk"
for page in $(sed -n 's/^ *0x\([0-9a-f]*\)[[:space:]].*/\1/p' "$work/decoded"); do
  decode sg_vpd -p "0x$page" "$disk"
  pages="${pages-} $page"
done
must_be "the VPD pages" "$pages" ' 0 80 83 86 b0 b1 b2'
decode sg_readcap "$disk"
decode sg_readcap -l "$disk"
says 'Device size: 67108864 bytes'
says 'lbpme=1'
decode sg_opcodes "$disk"
for name in 'Read\(10\)' 'Write\(16\)' 'Synchronize cache\(10\)' 'Unmap' 'Write same\(16\)' 'Report supported operation codes' 'Inquiry'; do
  says "$name"
done
decode sg_modes -a "$disk"
says 'Caching'
says 'Control'
decode sg_modes -6 -a "$disk"
decode sg_logs -a "$disk"
for page in 'Supported log pages' 'Logical block provisioning page' 'Temperature page' 'Informational Exceptions page'; do says "$page"; done
decode sg_opcodes -a "$disk"
decode sg_opcodes -R "$disk"
decode sg_opcodes -t "$disk"
decode sg_get_lba_status --lba=0 "$disk"
says '^\[1\] LBA: 0x0000000000000000  blocks: +[1-9]'
decode sg_turs "$disk"
sg_requests "$disk" >/dev/null 2>&1 || fail "sg_requests"
decode sg_luns "$disk"
must_exit 9 'command not supported' sg_rtpg "$disk"

step "sdparm"
decode sdparm -i -a "$disk"
# It asks for saved values, which there are none of, and exits with what the last of these questions gave: 5, illegal request.
sdparm -a "$disk" >"$work/decoded" 2>"$work/complaint" && fail "sdparm found saved values" || must_be "the exit status of sdparm" $? 5
[ ! -s "$work/complaint" ] || fail "sdparm complains: $(cat "$work/complaint")"
for value in 'WCE +1 +\[cha: y, def: +1\]' 'D_SENSE +0 +\[cha: y, def: +0\]' 'SWP +0 +\[cha: y, def: +0\]'; do says "$value"; done

step "the kernel's log has no complaint about the disk"
if dmesg | grep -iE 'sd [0-9:]+.*(assuming|fail|unsupported|invalid|asking for cache)'; then fail "sd complains"; fi

step "lsblk shows each volume once"
lsblk -o NAME,SIZE,VENDOR,MODEL,SERIAL,WWN
must_be "the disks in lsblk" "$(lsblk -dnbo NAME,SIZE "$disk" "$(readlink -f $links/w)" | wc -l)" 2
must_be "the SCSI disks there are" "$(lsblk -dno NAME -I 8 | wc -l)" 2

identity() { # VOLUME
  local node
  node=$(readlink -f "$links/$1")
  udevadm settle
  echo "uuid $(control "$1" uuid) wwn $(control "$1" wwn)"
  lsblk -dno SERIAL,WWN "$node"
  udevadm info --query=property "$node" | grep -E '^(ID_SERIAL|ID_SERIAL_SHORT|ID_SCSI_SERIAL|ID_WWN|ID_WWN_WITH_EXTENSION)=' | sort
  sg_vpd -p sn "$node" | tail -n 1
  find /dev/disk/by-id -type l -printf '%f %l\n' | sed -n "s| ../../$(basename "$node")\$||p" | sort
}
step "/dev/disk/by-id has each volume once, under a name made of its identity"
identity v | tee "$work/identity.v"
identity w >"$work/identity.w"
must_be "the wwn- links of v" "$(grep -c '^wwn-' "$work/identity.v")" 1
must_be "the scsi-3 links of v" "$(grep -c '^scsi-3' "$work/identity.v")" 1
must_match "the wwn- link" "$(grep '^wwn-' "$work/identity.v")" '^wwn-0x6001405[0-9a-f]{25}$'
must_match "ID_SERIAL" "$(grep '^ID_SERIAL=' "$work/identity.v")" '^ID_SERIAL=36001405'
if comm -12 <(tr ' ' '\n' <"$work/identity.v" | grep -E '[0-9a-f]{16}' | sort -u) \
  <(tr ' ' '\n' <"$work/identity.w" | grep -E '[0-9a-f]{16}' | sort -u) | grep .; then
  fail "the two volumes share an identity"
fi

step "after a rename and a remount it is the same"
mv "$mnt/v" "$mnt/renamed"
mv "$mnt/renamed" "$mnt/v"
stop
nothing_left
[ -z "$(ls /dev/disk/by-id 2>/dev/null)" ] || fail "/dev/disk/by-id still has $(ls /dev/disk/by-id)"
start
identity v | diff "$work/identity.v" - || fail "the identity has changed"
identity w | diff "$work/identity.w" - || fail "the identity has changed"

stop
nothing_left
