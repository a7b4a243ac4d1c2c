#!/bin/bash
# What is discarded gives its space back to the store and reads as zeros, and nothing beside it is touched: blkdiscard,
# fallocate, mkfs, fstrim.
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

mib=1048576
space() { stat -c '%b * %B' "$1" | { read -r blocks; echo $((blocks)); }; }
used() { # VOLUME: the bytes that its image takes, by the store and by the mount
  local image
  image=$(space "$store/$1")
  must_be "what the mount says that $1 takes" "$(space "$mnt/$1")" "$image"
  echo "$image"
}
full_image() { # VOLUME MIB: no byte of it is 0. Before the daemon starts.
  head -c $(($2 * mib)) /dev/zero | tr '\0' x >"$store/$1"
}

full_image v 32
full_image xfs 320
full_image ext4 64
start
disk=$(control v device)
cp "$store/v" "$work/expected"
must_be "what v takes" "$(used v)" $((32 * mib))

must_be_as_expected() { # v reads as $work/expected does, and takes as much space, or more if $1 says so
  blockdev --flushbufs "$disk"
  cmp "$disk" "$work/expected" || fail "the disk does not hold what it should"
  cmp "$store/v" "$work/expected" || fail "the image does not hold what it should"
  [ -n "${1-}" ] || must_be "what v takes" "$(used v)" "$(space "$work/expected")"
}
punch() { fallocate --punch-hole --offset "$1" --length "$2" "$work/expected"; } # OFFSET LENGTH

step "blkdiscard of odd ranges"
last=$((32 * mib - 512))
for range in 512:512 12800:20480 1048064:1024 10487296:3148288 4096:4096 $last:512 0:512; do
  blkdiscard --offset "${range%:*}" --length "${range#*:}" "$disk"
  punch "${range%:*}" "${range#*:}"
  must_be_as_expected
done
blkdiscard --step 98304 --offset $((16 * mib)) --length $((4 * mib)) "$disk"
punch $((16 * mib)) $((4 * mib))
must_be_as_expected
must_fail 'not supported' blkdiscard --secure "$disk"
must_be_as_expected

step "zeroing: fallocate gives space back, blkdiscard -z forbids the disk to"
fallocate --punch-hole --offset $((20 * mib + 4096)) --length $((2 * mib + 4096)) "$disk"
punch $((20 * mib + 4096)) $((2 * mib + 4096))
must_be_as_expected
for range in 25166336:512 26214912:1055744; do
  blkdiscard --zeroout --offset "${range%:*}" --length "${range#*:}" "$disk"
  punch "${range%:*}" "${range#*:}"
  must_be_as_expected space-aside
done

step "all of it"
blkdiscard "$disk"
punch 0 $((32 * mib))
must_be_as_expected
must_be "what v takes" "$(used v)" 0

must_shrink() { # VOLUME AT-MOST BEFORE
  local now
  now=$(used "$1")
  echo "$1 took $3 bytes, takes $now"
  [ "$now" -le "$2" ] || fail "$1 takes $now bytes, more than $2"
}
keep() { head -c $((2 * mib)) /dev/urandom >"$1/kept" && sha256sum <"$1/kept" >"$work/sum"; }
is_kept() { sha256sum <"$1/kept" | cmp - "$work/sum" || fail "the file that was kept is damaged"; }

for type in ext4 xfs; do
  step "$type: mkfs on a full image, and fstrim after a file is gone"
  before=$(used $type)
  "mkfs.$type" $links/$type >/dev/null 2>"$work/mkfs" || fail "mkfs.$type: $(cat "$work/mkfs")"
  must_shrink $type $((before / 4)) "$before" # there is a log, which is written
  mount $links/$type "$work/mounted"
  keep "$work/mounted"
  head -c $((20 * mib)) /dev/urandom >"$work/mounted/gone"
  sync -f "$work/mounted"
  before=$(used $type)
  rm "$work/mounted/gone"
  sync -f "$work/mounted"
  must_be "what $type takes before the trim" "$(used $type)" "$before"
  fstrim -v "$work/mounted"
  must_shrink $type $((before - 18 * mib)) "$before"
  is_kept "$work/mounted"
  umount "$work/mounted"
  case $type in
    ext4) e2fsck -fn $links/ext4 ;;
    xfs) xfs_repair -n $links/xfs ;;
  esac >"$work/check" 2>&1 || fail "the check of $type: $(cat "$work/check")"
  mount -o ro $links/$type "$work/mounted"
  is_kept "$work/mounted"
  umount "$work/mounted"
done

stop
nothing_left
