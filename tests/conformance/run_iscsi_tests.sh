#!/bin/bash
# run_iscsi_tests.sh FAMILY BLOCK PHYSICAL: the tests of one family of iscsi-test-cu against a disk in memory with these
# block sizes. Fails if a test fails, or is skipped, that the file "exceptions" does not name, and if one passes that
# has to fail. TCMUFS_SG_PRELOAD says what to preload.
set -u
family=$1 block=$2 physical=$3
here=$(dirname "$0")
device=/dev/sg99
command -v iscsi-test-cu >/dev/null || exit 77

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
TCMUFS_SG_PATH=$device TCMUFS_SG_BLOCK=$block TCMUFS_SG_PHYSICAL=$physical LD_PRELOAD=$TCMUFS_SG_PRELOAD \
  iscsi-test-cu -d -n -t "$family" "$device" >"$log" 2>&1

fields() { sed -n "s/^$1 *| *\([^|]*[^| ]\) *|.*/\1/p" "$here/exceptions"; }
allowed=$(fields fail | awk -v format="$block/$physical" '$2 == "*" || $2 == format { print $1 }' | sort)
failed=$(sed -n 's/^Suite \([^ ,]*\), Test \([^ ]*\) had failures.*/\1.\2/p' "$log" | sort)
wrong=$(comm -23 <(echo "$failed" | sed '/^$/d') <(echo "$allowed"))
passed=$(comm -13 <(echo "$failed" | sed '/^$/d') <(echo "$allowed" | sed '/^$/d'))
skipped=$(grep -o '\[SKIPPED\].*' "$log" | sed 's/^\[SKIPPED\] *//' | sort -u | grep -vxFf <(fields skip))
ran=$(awk '$1 == "tests" { print $3 }' "$log")

status=0
complain() { echo "$1"; status=1; }
[ "${ran:-0}" -gt 100 ] || complain "only ${ran:-0} tests ran"
[ -z "$wrong" ] || complain "failed: $wrong"
[ -z "$passed" ] || complain "passed although the exceptions say it cannot: $passed"
[ -z "$skipped" ] || complain "skipped: $skipped"
[ $status -eq 0 ] || cat "$log"
echo "$family with blocks of $block/$physical bytes: $ran tests, $(echo "$failed" | sed '/^$/d' | wc -l) failed"
exit $status
