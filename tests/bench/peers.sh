# Sourced in the virtual machine: a block device of $image by each of the peers. start_PEER sets `device`; stop_PEER takes
# it away again.

configfs=/sys/kernel/config/target

wait_for() { # SECONDS COMMAND...: until it succeeds
  local end=$((SECONDS + $1))
  shift
  until "$@" 2>/dev/null; do
    [ $SECONDS -lt $end ] || { echo "bench: waited in vain for: $*" >&2 && exit 1; }
    sleep 0.05
  done
}

start_tcmufs() {
  mkdir -p "$work/store" "$work/mnt"
  mountctl mount "$work/store" "$work/mnt" ${mount_options:+-o "$mount_options"}
  cp "$image" "$work/mnt/bench"
  device=$(readlink -f /dev/tcmufs/bench)
}
stop_tcmufs() {
  mountctl umount "$work/mnt"
  rm -rf "$work/store"
}

# LIO's own file backstore, over the same loopback target as tcmufs.
start_fileio() {
  modprobe -a target_core_file tcm_loop
  [ -d $configfs ] || mount -t configfs configfs /sys/kernel/config
  local core=$configfs/core/fileio_77/bench
  lun=$configfs/loopback/naa.6001405077777777/tpgt_1
  mkdir -p $core
  echo -n "fd_dev_name=$image,fd_dev_size=$(stat -c %s "$image")" >$core/control
  echo 1 >$core/enable
  mkdir -p $lun/lun/lun_0
  echo -n naa.6001405077777778 >$lun/nexus
  ln -s $core $lun/lun/lun_0/bench
  local address=/sys/class/scsi_device/$(cat $lun/address):0/device/block
  wait_for 20 test -d "$address"
  device=/dev/$(ls "$address")
  wait_for 20 test -b "$device"
}
stop_fileio() {
  rm $lun/lun/lun_0/bench
  echo NULL >$lun/nexus
  rmdir $lun/lun/lun_0 $lun "${lun%/*}" $configfs/core/fileio_77/bench $configfs/core/fileio_77
}

start_loop() {
  modprobe loop
  device=$(losetup --find --show "$image")
}
stop_loop() { losetup -d "$device"; }

start_nbd() {
  modprobe nbd
  nbdkit -U "$work/nbd" -P "$work/nbd.pid" file "$image"
  wait_for 20 test -s "$work/nbd.pid"
  nbd-client -unix "$work/nbd" /dev/nbd0 >/dev/null 2>&1
  device=/dev/nbd0
  wait_for 20 test "$(cat /sys/block/nbd0/size)" -gt 0
}
stop_nbd() {
  nbd-client -d "$device" >/dev/null 2>&1
  kill "$(cat "$work/nbd.pid")"
}
