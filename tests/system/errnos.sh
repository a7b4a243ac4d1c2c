#!/bin/bash
# File system calls answer in the mount as they do on tmpfs: the same errno, but for those that are meant to differ.
# vm: --timeout 1800
. "$(dirname "$0")/lib.sh"

start -o allow_other
mkdir -p "$work/tmpfs"
mount -t tmpfs none "$work/tmpfs"

# CALL tmpfs' answer -> that of the mount.
cat >"$work/meant" <<'MEANT'
^mknod (character|fifo) .* ok -> EPERM$
^symlink .* ok -> (EPERM|EINVAL)$
^link .* ok -> EPERM$
^rename EXCHANGE .* ok -> EINVAL$
^mmap read shared .* ok -> ENODEV$
^lseek (end|data beyond|hole beyond) on a directory EINVAL -> (ok|ENXIO)$
MEANT

for user in 0 65534; do
  step "as user $user"
  errno_of_calls "$work/tmpfs" $user >"$work/expected"
  errno_of_calls "$mnt" $user >"$work/found"
  must_be "the calls" "$(sed 's/: [A-Za-z0-9]*$//' "$work/found" | cksum)" "$(sed 's/: [A-Za-z0-9]*$//' "$work/expected" | cksum)"
  calls=$(wc -l <"$work/found")
  [ "$calls" -ge 1000 ] || fail "only $calls calls were made"
  paste -d '\t' "$work/expected" "$work/found" |
    sed -nE 's/^(.*): ([A-Za-z0-9]+)\t.*: ([A-Za-z0-9]+)$/\1 \2 -> \3/p' | awk '$(NF - 2) != $NF' >"$work/differences"
  echo "$calls calls, $(wc -l <"$work/differences") answered otherwise, as they are meant to be"
  if grep -vEf "$work/meant" "$work/differences"; then fail "these differ from tmpfs"; fi
  while read -r meant; do
    grep -qE "$meant" "$work/differences" || fail "nothing differs any more in the way of '$meant'"
  done <"$work/meant"
done

umount "$work/tmpfs"
stop
nothing_left
