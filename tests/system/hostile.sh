#!/bin/bash
# A user who may make volumes in a directory of a mount for all, and means ill: others' disks stay others'.
# vm: --timeout 400
. "$(dirname "$0")/lib.sh"

# Images have the owners of their files: where others could enter the store, they would need no mount.
mkdir -m 700 "$work/private"
store=$work/private/store
mkdir "$store"
nobody=65534
as_nobody() { setpriv --reuid $nobody --regid $nobody --clear-groups "$@"; }
secret() { head -c 8 "$(control "$1" device)"; }
make_secret() { # VOLUME: a disk that has been precious from its first moment
  (umask 077 && cp "$work/precious" "$mnt/$1")
}

truncate -s 1M "$work/precious"
printf precious | dd of="$work/precious" conv=notrunc status=none
modprobe sg
start -o allow_other
make_secret secret
mkdir -m 755 "$mnt/web"
mkdir -m 1777 "$mnt/shared"
make_secret shared/theirs
chown $nobody:$nobody "$mnt/web"
as_nobody truncate -s 1M "$mnt/web/own"
own=$mnt/web/own
must_be "the owner of its node" "$(stat -c %u "$(control web/own device)")" $nobody

# Each line of standard input is a command that the user must not be able to do, X being $1.
refused() {
  local done
  done=$(as_nobody bash -c 'while read -r command; do (eval "${command//X/"$1"}") >/dev/null 2>&1 && echo "$command"; done; true' - "$1")
  [ -z "$done" ] || fail "the user could do this to $1: $done"
}

step "others' files"
for theirs in secret shared/theirs; do
  refused "$mnt/$theirs" <<COMMANDS
head -c 1 X
: >>X
truncate -s 2M X
rm -f X
chmod 666 X
chown 65534 X
mv X $mnt/web/mine
mv -T $own X
cp $own X
ln X $mnt/web/hard
touch X
head -c 1 $(control $theirs device)
head -c 1 $(control $theirs sg)
COMMANDS
  must_be "what is on $theirs" "$(secret $theirs)" precious
done

step "control files are root's to write"
writable=$(find "$mnt/.ctl/" -type f -perm -200)
[ "$(wc -l <<<"$writable")" -gt 60 ] || fail "there are only these: $writable"
must_be "what others can write by its mode" "$(find "$mnt/.ctl/" -perm /022)" ""
must_be "what others can write" "$(as_nobody bash -c 'for file in $1; do { echo 1 >"$file"; } 2>/dev/null && echo "$file"; done; true' - "$writable")" ""
refused "$mnt/.ctl" <<COMMANDS
mkdir X/new
mkdir X/vol/new
mkdir X/vol/web/new
mkdir X/vol/web/own/new
mkdir X/defaults/new
rmdir X/vol/secret
rmdir X/vol/web/own
mv X/vol/web/own X/vol/web/mine
COMMANDS

step "links, special files, names that are ours, privileges"
refused "$mnt/web" <<COMMANDS
ln -s ../secret X/link
ln X/own X/hard
mkfifo X/fifo
mknod X/node b 8 0
touch X/.ctl
touch X/.tcmufs
mkdir X/.tcmufs
mv X/own X/.tcmufs
mv X/own X/status
chgrp 0 X/own
ls $store
cat /run/tcmufs/nodes/*
touch /run/tcmufs/nodes/x
ln -sf /dev/null $links/secret
ln -sf /dev/null $links/web/own
COMMANDS
as_nobody chmod 6777 "$own"
must_be "the mode of the image" "$(stat -c %a "$store/web/own")" 777
must_be "the mode of the node" "$(stat -Lc %a $links/web/own)" 660

step "a name of several lines is one name"
deep=$mnt/web/$'%\nfake  ready\n/dev/tcmufs'
as_nobody mkdir -p "$deep"
as_nobody truncate -s 1M "$deep/secret"
must_be "rows about a volume named fake" "$(grep -c '^fake' "$mnt/status")" 0
[ -b "$links/web/"$'%\nfake  ready\n/dev/tcmufs/secret' ] || fail "it is no disk"
tcmufs_link=$(dirname "$0")/../../contrib/udev/tcmufs_link
must_be "its name for systemd" "$("$tcmufs_link" "$(readlink -f "$links/web/"$'%\nfake  ready\n/dev/tcmufs/secret')")" TCMUFS_DISK=1
must_match "that of another" "$("$tcmufs_link" "$(control secret device)")" "TCMUFS_LINK=$links/secret"
as_nobody rm -r "$mnt/web/"$'%\nfake  ready\n'

step "races for names and nodes"
as_nobody rm "$own"
as_nobody "$TCMUFS_BIN/hostile_user" "$mnt/web" 6 >"$work/hostile" 2>&1 &
user=$!
while kill -0 $user 2>/dev/null; do
  make_secret next
  must_be "the owner of next" "$(stat -c %u "$(control next device)")" 0
  rm "$mnt/next"
  echo detach >"$mnt/.ctl/vol/secret/ctl"
  echo attach >"$mnt/.ctl/vol/secret/ctl"
  rounds=$((${rounds-0} + 1))
done
wait $user || fail "it has got at what is not its own: $(sort "$work/hostile" | uniq -c)"
echo "$rounds rounds of root; the user: $(cat "$work/hostile")"
must_match "disks that it could open" "$(cat "$work/hostile")" '[1-9][0-9]* disks made, [1-9][0-9]* times'
[ "$rounds" -gt 1 ] || fail "root has made only $rounds disks in that time"
rm -f "$mnt/web/"*
# A disk that goes while its owner reads it fails that read, as one that is pulled out.
if dmesg | grep -vE 'Buffer I/O error|I/O error, dev' | grep -E 'BUG:|WARNING:|Oops|hung_task|blocked for more than'; then fail "the kernel complains"; fi
dmesg -C

step "what a user puts into a store that others can enter is not followed"
as_nobody truncate -s 1M "$mnt/web/mine"
chmod 711 "$work/private"
as_nobody bash -c "cd '$store/web' && ln -s ../secret image && ln -s .. up && ln -s '$work/precious' outside && mkfifo fifo &&
  mkdir .tcmufs && echo junk >.tcmufs/records && rm mine && ln -s ../secret mine"
echo detach >"$mnt/.ctl/vol/web/mine/ctl"
if echo attach 2>/dev/null >"$mnt/.ctl/vol/web/mine/ctl"; then fail "a link in the place of an image became a disk"; fi
must_match "the sentence" "$(control web/mine last_error)" "store/web/mine.*ELOOP"
as_nobody rm "$store/web/mine"
as_nobody truncate -s 1M "$store/web/mine"
echo attach >"$mnt/.ctl/vol/web/mine/ctl"
must_be "what the disk holds" "$(head -c 8 $links/web/mine | tr -d '\0')" ""
as_nobody rm "$store/web/mine"
as_nobody ln -s ../secret "$store/web/mine"
pkill -9 -x tcmufs
wait_until 30 no_daemon
start -o allow_other
must_be "volumes in web" "$(ls "$mnt/web")" ""
for theirs in secret shared/theirs; do must_be "what is on $theirs" "$(secret $theirs)" precious; done
[ -b "$(readlink -f $links/web/mine)" ] || fail "the disk of what was an image is in doubt, but gone"
rm "$store/web/mine"
stop
start -o allow_other
stop
nothing_left
