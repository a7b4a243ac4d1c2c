#!/bin/bash
# The ring that the unit tests have instead of a kernel does what this kernel does: the same commands and responses, at random,
# and the same is seen of both.
. "$(dirname "$0")/lib.sh"

modprobe -a target_core_user tcm_loop sd_mod sg
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
device=$target/core/user_77/lockstep
naa=$target/loopback/naa.5001405000000077
remember

step "a device whose ring is small, and whose data area is full now and then"
mkdir -p $device
echo "dev_size=16777216,dev_config=lockstep,nl_reply_supported=-1,max_data_area_mb=1,data_pages_per_blk=1,cmd_ring_size_mb=1" >$device/control
echo lockstep >$device/wwn/vpd_unit_serial
echo 1 >$device/enable
echo 0 >$device/attrib/cmd_time_out
ring_lockstep tcm-user/77/lockstep/lockstep "$work/sg" >"$work/said" 2>&1 &
lockstep=$!

step "its disk, which only the sg driver has"
mkdir -p $naa/tpgt_1/lun/lun_0
echo naa.5001405000000078 >$naa/tpgt_1/nexus
ln -s $device $naa/tpgt_1/lun/lun_0/device
address=$(cat $naa/tpgt_1/address):0
scsi=/sys/class/scsi_device/$address/device
wait_until 30 test -d "$scsi/block"
echo "$address" >/sys/bus/scsi/drivers/sd/unbind
basename "$scsi"/scsi_generic/sg* | sed 's|^|/dev/|' >"$work/sg.new"
mv "$work/sg.new" "$work/sg"

step "both in step"
said_or_ended() { grep -q "^$1" "$work/said" || ! kill -0 $lockstep 2>/dev/null; }
wait_until 600 said_or_ended broken
cat "$work/said"
# What no completion can free any more.
echo 1 >$device/action/block_dev
echo 2 >$device/action/reset_ring
echo 0 >$device/action/block_dev
wait $lockstep || fail "they differ"

rm $naa/tpgt_1/lun/lun_0/device
rmdir $naa/tpgt_1/lun/lun_0 $naa/tpgt_1 $naa $device ${device%/*}
as_before || fail "something is left"
