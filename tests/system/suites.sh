#!/bin/bash
# The public suite iscsi-test-cu against volumes on the real kernel: through SG_IO, and over the kernel's own iSCSI target, which has
# the third format (without a kernel the suites try all of them by both ways: tests/conformance). tests/conformance/exceptions names what it may not pass, and why.
# vm: --timeout 2100
. "$(dirname "$0")/lib.sh"

judge=$(dirname "$0")/../conformance/judge_iscsi_tests.sh
run() { # PLACE FAMILY FORMAT URL-OR-DEVICE...
  local place=$1 family=$2 format=$3 log=$work/suite began=$SECONDS
  shift 3
  timeout 900 iscsi-test-cu -d -n -t "$family" "$@" >"$log" 2>&1 </dev/null || echo "iscsi-test-cu exits with $?" >>"$log"
  "$judge" "$log" "$family" "$place" "$format" || fail "$family on $*"
  echo "$((SECONDS - began)) s"
}

tests_of() { iscsi-test-cu -l | sed -n "s/^$1\\.\\(.*\\..*\\)/\\1/p" | sort; } # FAMILY
must_be "what is in the family LINUX and not in SCSI" "$(comm -23 <(tests_of LINUX) <(tests_of SCSI))" ""

start
for format in 512/512 4096/4096; do
  v=v${format/\//-}
  truncate -s 0 "$mnt/$v"
  echo "${format%/*}" >"$mnt/.ctl/vol/$v/block_size"
  echo "${format#*/}" >"$mnt/.ctl/vol/$v/physical_block_size"
  truncate -s 64M "$mnt/$v"
  must_be_ready $v 67108864
  must_be "the block sizes of $v" "$(blockdev --getss $links/$v)/$(blockdev --getpbsz $links/$v)" $format
  step "blocks of $format, through SG_IO"
  run vm SCSI $format "$(control $v sg)"
  rm "$mnt/$v"
done

iqn=iqn.2003-01.org.tcmufs:test
url=iscsi://127.0.0.1/$iqn/0
tpg=$target/iscsi/$iqn/tpgt_1
export_over_iscsi() { # DIRECTORY OF A DEVICE IN configfs
  local setting
  modprobe iscsi_target_mod
  mkdir -p $tpg/np/127.0.0.1:3260 $tpg/lun/lun_0
  ln -s "$1" $tpg/lun/lun_0/device
  for setting in authentication=0 generate_node_acls=1 demo_mode_write_protect=0 cache_dynamic_acls=1; do
    echo ${setting#*=} >$tpg/attrib/${setting%=*}
  done
  echo 1 >$tpg/enable
}
withdraw_from_iscsi() {
  echo 0 >$tpg/enable
  rm $tpg/lun/lun_0/device
  rmdir $tpg/lun/lun_0 $tpg/np/127.0.0.1:3260 $tpg ${tpg%/*} $target/iscsi
}

truncate -s 64M "$mnt/v"
step "over the kernel's iSCSI target"
export_over_iscsi "$(echo "$target"/core/user_*/"$(control v uuid)")"
run iscsi ALL.MultipathIO 512/4096 $url $url # first: it expects zeros
if grep SKIPPED "$work/suite"; then fail "the tests with two paths did not run"; fi
run iscsi ALL 512/4096 $url
# In detail, what the exceptions allow as a whole: TCMU tells of data-in that was less than asked for, not of what was more.
if grep -E 'test_read1[0-9]_.*CU_' "$work/suite" | grep -vE 'OVERFLOW|residual,block_size( - 200)?\)'; then
  fail "a read over iSCSI has gone wrong"
fi
for late in $(sed -n 's/^late *| *\([^ ]*\).*/\1/p' "${judge%/*}/exceptions"); do
  for ((attempt = 1; ; ++attempt)); do
    iscsi-test-cu -d -n -t "ALL.$late" $url >"$work/late" 2>&1 || true
    grep -q 'had failures' "$work/late" || break
    [ $attempt -lt 100 ] || fail "$late fails again and again: $(cat "$work/late")" # four of five do, on a busy machine
    sleep 0.2
  done
  grep -qE '^ *tests +1 +1 +1 +0' "$work/late" || fail "$late did not run: $(cat "$work/late")"
  echo "$late passes at attempt $attempt"
done
withdraw_from_iscsi
rm "$mnt/v"

step "the same target on a file, without TCMU: what the exceptions blame on the kernel is its doing"
truncate -s 64M "$work/file"
peer=$target/core/fileio_0/peer
mkdir -p $peer
echo "fd_dev_name=$work/file,fd_dev_size=67108864" >$peer/control
echo 1 >$peer/enable
export_over_iscsi $peer
iscsi-test-cu -d -n -t iSCSI.iSCSIdatasn $url >"$work/peer" 2>&1 || true
withdraw_from_iscsi
rmdir $peer ${peer%/*}
grep -q 'Test iSCSIDataSnInvalid had failures' "$work/peer" || fail "iSCSIDataSnInvalid passes: $(cat "$work/peer")"

stop
nothing_left
