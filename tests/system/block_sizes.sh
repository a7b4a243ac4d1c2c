#!/bin/bash
# The block sizes of a disk are settings of its volume: 512/512, 512/4096 and 4096/4096, for one and for those to come.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

size=$((64 * 1024 * 1024))
set_to() { echo "$3" >"$mnt/.ctl/vol/$1/$2"; } # VOLUME SETTING VALUE
last_error() { control "$1" last_error; }

must_have_blocks() { # VOLUME LOGICAL PHYSICAL: says the mount, and says the kernel of the disk
  local node queue
  node=$(readlink -f "$links/$1")
  queue=/sys/block/$(basename "$node")/queue
  must_be "block_size of $1" "$(control "$1" block_size)" "$2"
  must_be "physical_block_size of $1" "$(control "$1" physical_block_size)" "$3"
  must_be "the logical blocks of $node" "$(cat "$queue/logical_block_size")" "$2"
  must_be "the physical blocks of $node" "$(cat "$queue/physical_block_size")" "$3"
  must_be "blockdev on $node" "$(blockdev --getss --getpbsz "$node" | xargs)" "$2 $3"
  must_match "mountctl status $1" "$(mountctl status "$1" | xargs)" "block_size: $2 physical_block_size: $3 "
}

start
step "each format: a filesystem holds what is put into it"
for format in 512/512 512/4096 4096/4096; do
  name=of_${format/\//_}
  truncate -s 0 "$mnt/$name"
  set_to "$name" block_size "${format%/*}"
  set_to "$name" physical_block_size "${format#*/}"
  must_be "the state of $name" "$(state "$name")" pending
  truncate -s $size "$mnt/$name"
  must_be_ready "$name" $size
  must_have_blocks "$name" "${format%/*}" "${format#*/}"
  mkfs.ext4 -q "$links/$name"
  mount "$links/$name" "$work/mounted"
  cp -r /usr/include/asm-generic "$work/mounted/"
  umount "$work/mounted"
  e2fsck -fn "$links/$name" || fail "e2fsck of $name"
  mount "$links/$name" "$work/mounted"
  diff -r /usr/include/asm-generic "$work/mounted/asm-generic" || fail "the files on $name"
  umount "$work/mounted"
done

step "an idle disk is made anew: same identity, same LUN, same bytes"
mkdir "$mnt/web"
truncate -s $size "$mnt/web/a" "$mnt/web/b"
head -c 1000000 /dev/urandom >"$work/data"
dd if="$work/data" of=$links/web/a bs=1M conv=fsync status=none
address() { basename "$(readlink -f "/sys/block/$(basename "$(readlink -f "$links/$1")")/device")"; }
wwid() { cat "/sys/block/$(basename "$(readlink -f "$links/$1")")/device/wwid"; }
before="$(address web/a) $(wwid web/a) $(control web/a uuid)"
set_to web/a block_size 4096
must_be_ready web/a $size
must_have_blocks web/a 4096 4096
must_hold web/a "$work/data"
must_be "address and identity of web/a" "$(address web/a) $(wwid web/a) $(control web/a uuid)" "$before"
set_to web/a block_size 512
must_have_blocks web/a 512 4096
set_to web/a physical_block_size 512
must_have_blocks web/a 512 512
must_hold web/a "$work/data"
set_to web/b block_size 4096
must_have_blocks web/a 512 512

step "what is refused"
mount $links/of_512_512 "$work/mounted"
device=$(control of_512_512 device)
must_fail 'Device or resource busy' set_to of_512_512 block_size 4096
must_match last_error "$(last_error of_512_512)" "$work/mounted"
must_be "the device" "$(control of_512_512 device)" "$device"
set_to of_512_512 block_size 512 # as it is
must_have_blocks of_512_512 512 512
ls "$work/mounted/asm-generic" >/dev/null
umount "$work/mounted"
must_fail 'Invalid argument' set_to web/a block_size 520
must_match last_error "$(last_error web/a)" '520.*can be 512 or 4096'
must_fail 'Invalid argument' set_to of_4096_4096 physical_block_size 512
must_match last_error "$(last_error of_4096_4096)" 'set that to 512 first'
truncate -s $((size + 512)) "$mnt/web/a"
must_fail 'Invalid argument' set_to web/a block_size 4096
must_match last_error "$(last_error web/a)" "$((size + 4096)) bytes first"
truncate -s $size "$mnt/web/a"
must_have_blocks web/a 512 512
must_fail 'Permission denied' setpriv --reuid=65534 --regid=65534 --clear-groups bash -c "echo 512 >$mnt/.ctl/vol/web/a/block_size"

step "a remount keeps them"
stop
nothing_left
start
must_have_blocks of_512_512 512 512
must_have_blocks of_512_4096 512 4096
must_have_blocks of_4096_4096 4096 4096
must_have_blocks web/a 512 512
must_hold web/a "$work/data"

step "defaults: kept in the store, under those of the mount"
echo 4096 >"$mnt/.ctl/defaults/block_size"
truncate -s $size "$mnt/d1"
must_have_blocks d1 4096 4096
head -c 5120 /dev/urandom >"$work/image"
must_fail 'Invalid argument' cp "$work/image" "$mnt/copied"
must_match last_error "$(last_error copied)" 'size it can have is 8192.*echo 512 > .ctl/vol/copied/block_size'
set_to copied block_size 512
must_have_blocks copied 512 4096
must_hold copied "$work/image"
stop
start -o block_size=512,physical_block_size=512
must_have_blocks d1 4096 4096
truncate -s $size "$mnt/d2"
must_have_blocks d2 512 512
must_be "the default" "$(cat "$mnt/.ctl/defaults/block_size")" 512
stop
must_exit 1 'block_size of new volumes.*520.*512 or 4096' tcmufs -o block_size=520 "$store" "$mnt"
mountctl mount -o block_size=512 "$store" "$mnt"
must_be "the default" "$(cat "$mnt/.ctl/defaults/block_size" "$mnt/.ctl/defaults/physical_block_size" | xargs)" '512 4096'
stop
start -o ro
must_fail 'Read-only' set_to d1 block_size 512
stop
start
must_be "the default" "$(cat "$mnt/.ctl/defaults/block_size")" 4096

step "mountctl create"
mountctl create c1 64M --block-size 512 --physical-block-size 512
must_have_blocks c1 512 512
mountctl create c2 64M --block-size 4K
must_have_blocks c2 4096 4096
must_exit 1 "cannot create 'c3'.*physical_block_size of 'c3' to '1024'.*512 or 4096" mountctl create c3 64M --physical-block-size 1024
must_exit 1 'no multiple of its block size of 4096' mountctl create c3 5K
[ ! -e "$mnt/c3" ] || fail "c3 is left behind"

step "deaths while they change: the disk is what the record says, and has the same bytes"
for pause in 0 0.01 0.03 0.1 0.3; do
  pid=$(daemons)
  (set_to web/a block_size 4096) 2>/dev/null &
  sleep $pause
  kill -9 "$pid"
  said=512
  if wait $!; then said=4096; fi
  wait_until 60 no_daemon
  start
  must_be_ready web/a $size
  now=$(control web/a block_size)
  must_have_blocks web/a "$now" "$(control web/a physical_block_size)"
  echo "blocks of $now after a death at $pause s; the write had said $said"
  [ "$said" = 512 ] || must_be "what the write had set" "$now" 4096
  must_hold web/a "$work/data"
  set_to web/a block_size 512
done

step "a disk that a death has left is not served with other blocks than it has"
set_to web/a physical_block_size 4096
kill -9 "$(daemons)"
wait_until 60 no_daemon
sed -i 's/"block_size": 512/"block_size": 4096/' "$store/.tcmufs/records/web/a"
start
must_be "the state of web/a" "$(state web/a)" failed
must_match last_error "$(last_error web/a)" 'with blocks of 512 .*block_size to 512'
set_to web/a block_size 512
must_be_ready web/a $size
must_have_blocks web/a 512 4096
must_hold web/a "$work/data"

stop
nothing_left
