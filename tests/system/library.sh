# The library: what programs make of it, without daemon and FUSE.
. "$(dirname "$0")/lib.sh"

examples=$TCMUFS_BIN/examples
images=$work/images
mkdir -p "$images"

serve() { # PATH PROGRAM...: in the background; returns when it says that PATH is there
  local path=$1
  shift
  "$@" >"$work/said" 2>"$work/example.log" &
  example=$!
  wait_until 60 grep -qx "$path" "$work/said"
  [ -b "$path" ] || fail "$path is no block device"
}
end() { # SIGNAL
  kill "-$1" "$example"
  wait "$example" || [ "$1" = KILL ] || fail "it ended with $?"
}
gone() { # PATH
  [ ! -L "$1" ] || fail "$1 is still there"
  as_before || nothing_left
}
filesystem_on() { # DEVICE
  mkfs.ext4 -q "$1"
  mount "$1" "$work/mounted"
  cp /etc/services "$work/mounted/"
  umount "$work/mounted"
  mount "$1" "$work/mounted"
  cmp /etc/services "$work/mounted/services" || fail "the file system on $1 has lost a file"
  umount "$work/mounted"
}

for each in $(library_devices); do
  step "$each"
  # The kernel complains of errors that a test asks for.
  library_devices "$each" || fail "library_devices $each"
  as_before || nothing_left
done
dmesg -C

step "tcmufile: a file as a disk"
truncate -s 64M "$images/disk"
serve /dev/tcmufile/disk "$examples/tcmufile" "$images/disk"
filesystem_on /dev/tcmufile/disk
must_fail 'open already' "$examples/tcmufile" "$images/disk"

step "a process that is killed: the next one goes on, under those who use the disk"
mount /dev/tcmufile/disk "$work/mounted"
end KILL
(dd if=/dev/urandom bs=64k count=64 conv=fsync of="$work/mounted/more" 2>/dev/null && touch "$work/written") &
writer=$!
sleep 1
[ ! -e "$work/written" ] || fail "it was written without anybody who serves it"
serve /dev/tcmufile/disk "$examples/tcmufile" "$images/disk"
wait "$writer"
[ -e "$work/written" ] || fail "what waited was not written"
umount "$work/mounted"
end TERM
gone /dev/tcmufile/disk

step "what a dead process left is removed"
serve /dev/tcmufile/disk "$examples/tcmufile" "$images/disk"
end KILL
truncate -s 32M "$images/disk"
must_fail 'a process left behind has 67108864 bytes, more than 33554432' "$examples/tcmufile" "$images/disk"
must_be "the removal" "$(library_devices leftover /dev/tcmufile disk)" removed
gone /dev/tcmufile/disk
must_be "another removal" "$(library_devices leftover /dev/tcmufile disk)" "nothing there"
dmesg -C

step "ramdisk"
serve /dev/ramdisk/0 "$examples/ramdisk" 64
filesystem_on /dev/ramdisk/0
end INT
gone /dev/ramdisk/0

step "mirror"
truncate -s 64M "$images/a" "$images/b"
serve /dev/mirror/0 "$examples/mirror" "$images/a" "$images/b"
filesystem_on /dev/mirror/0
end TERM
cmp "$images/a" "$images/b" || fail "the two halves differ"
[ "$(tr -d '\0' <"$images/a" | head -c 1 | wc -c)" = 1 ] || fail "nothing was written to the mirror"
gone /dev/mirror/0

step "http-image"
truncate -s 32M "$images/image"
mkfs.ext4 -q -d /etc/apt "$images/image"
(cd "$images" && exec busybox httpd -f -p 127.0.0.1:8080) &
server=$!
serve /dev/http-image/0 "$examples/http-image" http://127.0.0.1:8080/image
cmp "$images/image" /dev/http-image/0 || fail "the disk is not what the server has"
mount -o ro /dev/http-image/0 "$work/mounted"
diff -r /etc/apt "$work/mounted" -x lost+found || fail "a file differs"
umount "$work/mounted"
must_fail 'not permitted|Read-only' dd if=/dev/zero of=/dev/http-image/0 bs=512 count=1 oflag=direct
end TERM
gone /dev/http-image/0
must_fail 'answers 404' "$examples/http-image" http://127.0.0.1:8080/lost
kill $server

step "Python"
export PYTHONPATH=$TCMUFS_BIN/python
serve /dev/python/0 python3 "$TCMUFS_BIN/python/ramdisk.py" 64
filesystem_on /dev/python/0
end TERM
gone /dev/python/0
python3 "${0%/*}/programs/python_devices.py" || fail "python_devices.py"
as_before || nothing_left
dmesg -C

step "answering"
serve /dev/answering/0 "$examples/answering"
first=$(sg_raw -b -r 8 /dev/answering/0 c1 0 0 0 0 0 0 0 8 0 2>/dev/null | od -An -tx1 | tr -d " \n")
second=$(sg_raw -b -r 8 /dev/answering/0 c1 0 0 0 0 0 0 0 8 0 2>/dev/null | od -An -tx1 | tr -d " \n")
[ $((16#$second)) -gt $((16#$first)) ] || fail "the vendor's command says $first, then $second"
end TERM
gone /dev/answering/0

nothing_left
