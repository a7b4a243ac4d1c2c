# Backstores that targetcli makes: tcmufs-backstores serves them. With the system bus, over iSCSI, over its death; beside a daemon, a
# program of the library with a handler of its own, and tcmu-runner.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

images=$work/images
mkdir -p "$images" /run/dbus /etc/target
bounded() { timeout 120 "$@" || fail "took too long, or failed: $*"; }
cli() { bounded targetcli "$@"; }
told() { grep -q "$1" "$work/backstores.log"; }
times() { grep -c "$1" "$work/backstores.log" || true; }
told_more() { [ "$(times "$2")" -gt "$1" ]; } # TIMES WHAT
serve() {
  tcmufs-backstores >>"$work/backstores.log" 2>&1 &
  server=$!
}
end_server() { # SIGNAL
  kill "-$1" $server
  wait $server || [ "$1" = KILL ] || fail "tcmufs-backstores ended with $?"
}

step "tcmufs-backstores has the name on the bus"
# Nobody is to be started by the bus for the name.
rm -f /usr/share/dbus-1/system-services/org.kernel.TCMUService1.service
dbus-daemon --system --fork --nopidfile
modprobe -a target_core_user tcm_loop sd_mod iscsi_target_mod
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
ip link set lo up
mkdir -p $target/iscsi # what targetcli makes, and leaves
remember
serve
wait_until 60 told 'targetcli finds the handler'

step "targetcli makes one, and what cannot be is refused in words"
must_fail 'is not the path of an image' targetcli /backstores/user:tcmufs create name=bad size=64M cfgstring=relative
cli /backstores/user:tcmufs create name=disk size=64M cfgstring="$images/disk" wwn=12345678-9abc-def0-1234-56789abcdef0
wait_until 60 told 'user_[0-9]*/disk.: is served'
must_be "the size of the image" "$(stat -c %s "$images/disk")" 67108864
must_fail 'is locked by another process' targetcli /backstores/user:tcmufs create name=second size=64M cfgstring="$images/disk"
must_be "the write cache that nobody has turned on" "$(cat $target/core/user_*/disk/attrib/emulate_write_cache)" 0
cli /backstores/user:tcmufs/disk set attribute emulate_write_cache=1
wwn=naa.5001405000000009
cli /loopback create $wwn
cli /loopback/$wwn/luns create /backstores/user:tcmufs/disk
has_disk() { compgen -G '/sys/block/sd*' >/dev/null; }
wait_until 60 has_disk
disk=/dev/$(basename /sys/block/sd*)
cache() { cat "/sys/block/$(basename "$disk")/queue/write_cache"; }
must_be "the write cache of the disk" "$(cache)" "write back"
must_match "the designator" "$(sg_vpd -p di_lu -q "$disk")" 6001405123456789abcdef0123456789
mkfs.ext4 -q "$disk"
mount "$disk" "$work/mounted"
cp /etc/services "$work/mounted/"
umount "$work/mounted"

step "a bigger one"
cli /backstores/user:tcmufs/disk set attribute dev_size=134217728
wait_until 60 told 'has 134217728 bytes now'
echo 1 >"/sys/block/$(basename "$disk")/device/rescan"
must_be "the size of the disk" "$(blockdev --getsize64 "$disk")" 134217728
must_be "the size of the image" "$(stat -c %s "$images/disk")" 134217728

step "another image that is not there, and one of another handler: refused, in words, and forgotten"
config() { cat $target/core/user_*/disk/attrib/dev_config; }
before=$(config)
for other in "tcmufs/$images/lost" "$images/lost"; do
  again=$(times 'its dev_config is')
  cli /backstores/user:tcmufs/disk set attribute dev_config="$other"
  wait_until 60 told_more "$again" 'its dev_config is'
  must_be "what it is made of" "$(config)" "$before"
done
[ ! -e "$images/lost" ] || fail "the image was made"

step "killed, and started anew, under those who use it; its image is missing for a while"
dd if=/dev/urandom bs=64k count=64 of="$work/data" 2>/dev/null
mount "$disk" "$work/mounted"
end_server KILL
(dd if="$work/data" bs=64k conv=fsync of="$work/mounted/more" 2>/dev/null && touch "$work/written") &
writer=$!
sleep 1
mv "$images/disk" "$images/moved"
serve
wait_until 60 told 'images/disk. is not there'
[ ! -e "$images/disk" ] || fail "another image was made"
[ ! -e "$work/written" ] || fail "it was written without anybody who serves it"
mv "$images/moved" "$images/disk"
wait "$writer"
[ -e "$work/written" ] || fail "what waited was not written"
umount "$work/mounted"
mount "$disk" "$work/mounted"
cmp "$work/data" "$work/mounted/more" || fail "what was written over the death is not there"
cmp /etc/services "$work/mounted/services" || fail "a file has other contents"
umount "$work/mounted"
echo 1 >"/sys/block/$(basename "$disk")/device/rescan"
must_be "the write cache of the disk" "$(cache)" "write back"

step "a daemon beside it: its volumes are none of the handler's"
lines=$(wc -l <"$work/backstores.log")
start
truncate -s 64M "$mnt/v"
must_be "the state of v" "$(state v)" ready
uuid=$(control v uuid)
stop
must_be "what tcmufs-backstores says of the volume $uuid" "$(tail -n +$((lines + 1)) "$work/backstores.log")" ""

step "a program of the library beside it, with a handler of its own"
"$TCMUFS_BIN/examples/letters" >"$work/letters.log" 2>&1 &
letters=$!
letters_told() { grep -q "$1" "$work/letters.log"; }
wait_until 60 letters_told 'has taken the handler .letters. in'
must_fail "'xyz' is no letter" targetcli /backstores/user:letters create name=bad size=1M cfgstring=xyz
cli /backstores/user:letters create name=full size=1M cfgstring=x
wait_until 60 letters_told 'user_[0-9]*/full.: is served'
cli /loopback/$wwn/luns create /backstores/user:letters/full
has_two_disks() { [ "$(compgen -G '/sys/block/sd*' | wc -l)" = 2 ]; }
wait_until 60 has_two_disks
full=/dev/$(ls /sys/block | grep '^sd' | grep -v "^${disk#/dev/}$")
must_be "what it is full of" "$(tr -d x <"$full" | wc -c)" 0
must_be "its size" "$(blockdev --getsize64 "$full")" 1048576

step "whoever has the name dies: the other one has it, and takes the next one in"
end_server KILL
wait_until 60 letters_told 'targetcli finds the handler'
serve
wait_until 60 told 'has taken the handler .tcmufs. in'
must_fail 'is not the path of an image' targetcli /backstores/user:tcmufs create name=bad size=64M cfgstring=relative
cli /backstores/user:tcmufs create name=third size=64M cfgstring="$images/third"
wait_until 60 told 'user_[0-9]*/third.: is served'
cli /backstores/user:tcmufs delete third
cli /loopback/$wwn/luns delete lun1
cli /backstores/user:letters delete full
wait_until 60 letters_told 'full.: was removed'
found=$(times 'targetcli finds the handler')
kill $letters
wait $letters || fail "letters ended with $?"
wait_until 60 told_more "$found" 'targetcli finds the handler'

step "over iSCSI, read by libiscsi"
iqn=iqn.2026-11.org.example:disk
cli /iscsi create $iqn
cli /iscsi/$iqn/tpg1/luns create /backstores/user:tcmufs/disk
cli /iscsi/$iqn/tpg1 set attribute authentication=0 generate_node_acls=1 demo_mode_write_protect=0 cache_dynamic_acls=1
must_match "what iscsi-readcapacity16 says" "$(bounded iscsi-readcapacity16 iscsi://127.0.0.1/$iqn/0)" '134217728|262144'
must_match "what iscsi-inq says" "$(bounded iscsi-inq -e 1 -c 128 iscsi://127.0.0.1/$iqn/0)" '12345678-9abc-def0'
bounded iscsi-test-cu --test=SCSI.Read10.Simple iscsi://127.0.0.1/$iqn/0 >"$work/suite.log" 2>&1
grep -Eq 'asserts +[1-9]' "$work/suite.log" || fail "libiscsi's test read nothing: $(cat "$work/suite.log")"

step "tcmu-runner gets the name when it wants it, and takes the handler in"
taken=$(times 'has taken the handler .tcmufs. in')
tcmu-runner >"$work/runner.log" 2>&1 &
runner=$!
wait_until 60 told_more "$taken" 'has taken the handler .tcmufs. in'
must_fail 'is not the path of an image' targetcli /backstores/user:tcmufs create name=bad size=64M cfgstring=relative control=nl_reply_supported=-1
cli /backstores/user:tcmufs create name=beside size=64M cfgstring="$images/beside" control=nl_reply_supported=-1
wait_until 60 told 'user_[0-9]*/beside.: is served'
cli /backstores/user:tcmufs delete beside
wait_until 60 told 'beside.: was removed'
kill $runner || fail "tcmu-runner has died"
wait $runner || true

step "removed"
cli /iscsi delete $iqn
cli /loopback delete $wwn
cli /backstores/user:tcmufs delete disk
wait_until 60 told 'user_[0-9]*/disk.: was removed'
end_server TERM
nothing_left
