#!/bin/bash
# The shell blocks of README.md and of the manual pages do what they say: taken out of the documents (shell_blocks) and
# run, each in a fresh place with what its "given" names; the output that a document shows is compared.
# vm: --timeout 600
[ "${VM-}" = 1 ] || { echo "This is for a virtual machine: it deletes the store of the documents" && exit 2; }
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
mnt=/mnt/disks
store=/var/lib/tcmufs
sudo() { "$@"; }
export NO_COLOR=1

# What a block can be given

given_directories() { mkdir -p "$store" "$mnt"; }
given_mounted() { given_directories && start; }
given_db0() { truncate -s 10G "$mnt/db0"; }
given_filesystem() { mkfs.ext4 -q $links/db0 && mount $links/db0 /srv; } # of db0, mounted on /srv
given_partition() {                                                      # the first of db0
  addpart "$(control db0 device)" 1 2048 16384
  wait_until 20 test -b "$(control db0 device)1"
}
given_refusal() { ! truncate -s 1000 "$mnt/db0" 2>/dev/null; }
given_killed() { kill -9 "$(daemons)" && wait_until 60 no_daemon; }
given_built() { mkdir -p build/release && ln -s "$TCMUFS_BIN" build/release/bin; }
given_installed() { ln -s "$TCMUFS_BIN"/{tcmufs,mountctl} /usr/sbin/; }
given_image() { truncate -s 4M "$1"; } # NAME
given_file() {                          # NAME: as the block itself shows it
  local i
  for i in "${!commands[@]}"; do
    [ "${commands[i]}" != "cat $1" ] || printf '%s\n' "${shown[i]}" >"$1"
  done
  [ -e "$1" ] || fail "$where does not show what is in $1"
}

clean_up() {
  cd /
  ! mountpoint -q /srv || umount /srv
  ! mountpoint -q "$mnt" || stop
  rm -rf "$store" "$mnt" "$work/place"
  find /usr/sbin -lname "$TCMUFS_BIN/*" -delete
}

# What is different each time: the letters of disks, the time of day, how wide columns are.
stable() {
  sed -E 's#/dev/sd[a-z]+#/dev/sdX#g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g; s/ +/ /g; s/ $//' <<<"$1"
}

run_command() { # COMMAND EXPECTED OUTPUT
  local status=0
  echo "$ $1"
  if [ "$1" = "$endless" ]; then
    timeout --preserve-status -s INT 3 bash -c "$1" >"$work/output" 2>&1 </dev/null || status=$?
    [ $status != 130 ] || status=0
  else
    eval "$1" >"$work/output" 2>&1 </dev/null || status=$?
  fi
  cat "$work/output"
  [ $status = 0 ] || fail "$where: exit status $status of: $1"
  [ -z "$2" ] || [ "$(stable "$2")" = "$(stable "$(cat "$work/output")")" ] || {
    diff <(stable "$2") <(stable "$(cat "$work/output")") || true
    fail "$where: the document shows another output (<) of: $1"
  }
}

run_block() { # of $where, $given, $endless, $commands, $shown
  local gift words i
  step "$where${given:+, given $given}"
  mkdir "$work/place"
  cd "$work/place"
  IFS=, read -r -a words <<<"$given"
  for gift in ${words[@]+"${words[@]}"}; do
    read -r -a words <<<"$gift"
    "given_${words[0]}" "${words[@]:1}" || fail "$where: 'given $given' cannot be had"
  done
  for i in "${!commands[@]}"; do run_command "${commands[i]}" "${shown[i]}"; done
  clean_up
}

run_document() { # FILE, relative to the top
  local key value ran=0 skipped=0
  (cd "$top" && "$here/shell_blocks" "$1") >"$work/blocks" || fail "the blocks of $1"
  while IFS=$'\t' read -r key value <&3; do
    case $key in
      block) where=$value given='' endless='' skip='' commands=() shown=() ;;
      given) given=$value ;;
      endless) endless=$value ;;
      skipped) skip=$value ;;
      run) commands+=("$value") && shown+=('') ;;
      shows) shown[${#commands[@]} - 1]+=${shown[${#commands[@]} - 1]:+$'\n'}$value ;;
      end)
        if [ -n "$skip" ]; then
          step "$where is not run: $skip" && skipped=$((skipped + 1))
        else
          run_block && ran=$((ran + 1))
        fi
        ;;
    esac
  done 3<"$work/blocks"
  [ $ran -gt 0 ] || fail "no block of $1 was run"
  summary+=("$1: $ran blocks run, $skipped not")
}

clean_up
remember
summary=()
for document in README.md docs/mountctl.8 docs/tcmufs.8 docs/tcmufs.5; do run_document "$document"; done
printf '\n'
printf '%s\n' "${summary[@]}"
nothing_left
