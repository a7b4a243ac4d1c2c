# For power_cut, in the machine: $PHASE is write or check. $VM_OUT outlives it, and so does /dev/vda.
# vm: --timeout 300
. "$(dirname "$0")/lib.sh"
ways=(fdatasync dsync direct)
modprobe virtio_blk
wait_until 20 test -b /dev/vda
mount /dev/vda "$store"
start

if [ "$PHASE" = write ]; then
  rm -f "$VM_OUT"/{*.log,created,renamed,removed}
  for way in "${ways[@]}"; do
    [ -e "$mnt/$way" ] || truncate -s 4M "$mnt/$way"
    dd if=/dev/zero of="$links/$way" bs=1M count=4 oflag=direct conv=fdatasync status=none
    synced_writes write "$(readlink -f "$links/$way")" "$VM_OUT/$way.log" "$way" &
  done
  # What a command has done when it returns, is done.
  touch "$VM_OUT"/{created,renamed,removed}
  for i in {1..10000}; do
    name=$RANDOM$RANDOM
    truncate -s 64K "$mnt/c$name" && echo "c$name" >>"$VM_OUT/created"
    truncate -s 128K "$mnt/t$name" && mv "$mnt/t$name" "$mnt/r$name" && echo "r$name" >>"$VM_OUT/renamed"
    truncate -s 64K "$mnt/d$name" && rm "$mnt/d$name" && echo "d$name" >>"$VM_OUT/removed"
    [ "$i" -lt 4 ] || touch "$VM_OUT/running"
  done
  fail "the power did not fail"
fi

for way in "${ways[@]}"; do
  synced_writes check "$(readlink -f "$links/$way")" "$VM_OUT/$way.log" || fail "$way: something that was safe is lost"
done
while read -r name; do must_be_ready "$name" 65536; done <"$VM_OUT/created"
while read -r name; do
  must_be_ready "$name" 131072
  [ ! -e "$mnt/t${name#r}" ] || fail "$name is there under its old name too"
done <"$VM_OUT/renamed"
while read -r name; do [ ! -e "$mnt/$name" ] || fail "$name is back"; done <"$VM_OUT/removed"
# One may have been made and not been given its size yet.
must_be "volumes that are no disks" "$(jq -r '.volumes[] | select(.state != "ready" and .size > 0) | .name' "$mnt/.ctl/status.json")" ""
echo "$(wc -l <"$VM_OUT/created") volumes made, $(wc -l <"$VM_OUT/renamed") renamed, $(wc -l <"$VM_OUT/removed") removed: all as it was said"
find "$mnt" -maxdepth 1 -name '[crdt][0-9]*' -delete
stop
nothing_left
umount "$store"
fsck.ext4 -fn /dev/vda >/dev/null || fail "the store's file system"
