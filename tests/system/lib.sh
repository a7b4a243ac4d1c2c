# For the system tests, which run as root in a virtual machine of their own: a store, a mount, and ways to say what must be.
# Every test sources this first. It ends with a failure at the first thing that is wrong, and shows the daemon's log then.
set -euo pipefail
export LC_ALL=C

export PATH=$TCMUFS_BIN:$PATH
target=/sys/kernel/config/target
work=/run/test
store=$work/store
mnt=$work/disks
links=/dev/tcmufs
mkdir -p "$store" "$mnt" "$work/mounted"

step() { printf '\n== %s\n' "$*"; }
fail() {
  # On standard error, because it may be a function with captured output that fails.
  printf 'FAILED in line %s: %s\n' "${BASH_LINENO[-2]}" "$*" >&2
  exit 1
}

# A syslog, for the daemon in the background.
busybox syslogd -n -O "$work/syslog" &
syslogd=$!

show_why() {
  local status=$?
  [ "$status" != 0 ] || return 0
  set +e
  echo
  echo "---- exit status $status${failed_at:+, at $failed_at} ----"
  echo "---- the daemon's log ----"
  tail -n 40 "$work/syslog" "$work"/*.log 2>/dev/null
  echo "---- status ----"
  timeout 10 cat "$mnt/.ctl/status" "$mnt/.ctl/last_error" 2>&1
  echo "---- the kernel's log ----"
  dmesg | tail -n 150
  echo "---- processes ----"
  ps -eo pid,ppid,stat,wchan:24,args | grep -v ' \[' | tail -n 20
}
trap show_why EXIT
set -E
trap 'failed_at="${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
dmesg -C # what the boot said is of no interest

# The daemon

start() { # [OPTIONS OF TCMUFS...]: in the background; returns when every volume is back
  timeout 300 tcmufs "$@" "$store" "$mnt" || fail "the daemon did not start"
  mountpoint -q "$mnt" || fail "there is no mount after the daemon has started"
}
stop() { timeout 300 mountctl umount "$mnt" || fail "mountctl umount"; }

daemons() { pgrep -x tcmufs || true; }
no_daemon() { [ -z "$(daemons)" ]; }

# Waiting, with limits that a slow machine does not reach

wait_until() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || fail "waited in vain for: $*"
    sleep 0.1
  done
}

# Volumes

control() { cat "$mnt/.ctl/vol/$1/$2"; } # VOLUME FILE
state() { control "$1" state; }

must_be() { # WHAT VALUE EXPECTED
  [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}
must_match() { # WHAT TEXT REGEX
  grep -Eqi -e "$3" <<<"$2" || fail "$1 is '$2', which does not match '$3'"
}

# The command must fail and say this; REGEX is matched against all that it prints, without regard to case.
must_fail() { # REGEX COMMAND...
  local regex=$1 output
  shift
  if output=$("$@" 2>&1); then
    fail "succeeded but should not have: $* ($output)"
  fi
  must_match "the message of '$*'" "$output" "$regex"
  echo "refused as it should be: $(tail -n 1 <<<"$output")"
}
must_exit() { # STATUS REGEX COMMAND...
  local expected=$1 regex=$2 output status=0
  shift 2
  output=$("$@" 2>&1) || status=$?
  must_be "the exit status of '$*' ($output)" "$status" "$expected"
  must_match "the message of '$*'" "$output" "$regex"
  echo "refused as it should be: $(tail -n 1 <<<"$output")"
}

must_be_ready() { # VOLUME BYTES: a disk of this size, right now
  must_be "the state of $1" "$(state "$1")" ready
  must_be "the size of the file $1" "$(stat -c %s "$mnt/$1")" "$2"
  must_be "the size in .ctl of $1" "$(control "$1" size)" "$2"
  [ -L "$links/$1" ] || fail "there is no link $links/$1"
  [ -b "$links/$1" ] || fail "$links/$1 is no block device"
  must_be "the size of the disk $1" "$(blockdev --getsize64 "$links/$1")" "$2"
  must_be "the node of $1" "$(readlink -f "$links/$1")" "$(control "$1" device)"
}
must_hold() { # VOLUME FILE: the disk begins with the contents of the file
  cmp -n "$(stat -c %s "$2")" "$2" "$links/$1" || fail "the disk $1 does not hold what $2 holds"
}
must_not_be_a_disk() { # VOLUME
  [ ! -e "$links/$1" ] && [ ! -L "$links/$1" ] || fail "there is a link $links/$1"
}

# Everything that a volume consists of outside the mount. core/alua is there as soon as the module is loaded.
kernel_objects() {
  find "$target" -mindepth 3 2>/dev/null | grep -v "^$target/core/alua/" || true
  find "$target" -mindepth 2 -maxdepth 2 \( -name 'user_*' -o -name 'naa.*' \) 2>/dev/null || true
  find /sys/class/uio -mindepth 1 2>/dev/null || true
  find "$links" -mindepth 1 2>/dev/null || true
  find /dev -maxdepth 1 -name 'tcmufs.new-*' || true
  find /sys/block -name 'sd*' 2>/dev/null || true
}
remember() { kernel_objects | sort >"$work/before"; }
as_before() { kernel_objects | sort | cmp -s - "$work/before"; }
nothing_left() { # also no process and no mount
  wait_until 120 no_daemon
  if ! as_before; then
    kernel_objects | sort | diff "$work/before" - | head -n 40 || true
    fail "something is left over, or gone, that was not before"
  fi
  if mountpoint -q "$mnt"; then fail "$mnt is still mounted"; fi
  if dmesg | grep -E 'BUG:|WARNING:|Oops|I/O error|hung_task|blocked for more than'; then
    fail "the kernel complains"
  fi
}
# A command that takes longer than the kernel's patience is sent again, but for one that reads ahead (flags 0x8....): that one is
# given up, in the log, and whoever needs what it was about reads it then.
kernel_is_content() {
  ! dmesg | grep -Ei 'I/O error|medium error|EXT4-fs (error|warning)|offline|BUG:|WARNING:|Oops|blocked for more than' |
    grep -Ev '\(READ\) flags 0x8[0-9a-f]{4} '
}
remember
