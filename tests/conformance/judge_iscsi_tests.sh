#!/bin/bash
# judge_iscsi_tests.sh LOG FAMILY PLACE BLOCK/PHYSICAL: what iscsi-test-cu has said of the tests FAMILY[.SUITE[.TEST]] is as it
# has to be in this place, according to the file "exceptions". Fails, and says why, if a test did not run, if one failed or
# was skipped that the file does not name, and if one passed that the file says has to fail.
set -u
log=$1 family=$2 place=$3 format=$4
exceptions=$(dirname "$0")/exceptions

there_are=$(iscsi-test-cu -l | grep -E "^${family//./\\.}(\.|\$)" | sed -n 's/^[^.]*\.\([^.]*\.[^.]*\)$/\1/p' | sort)
applying() { # KIND: what the exceptions of this kind that hold here are about
  awk -F ' *[|] *' -v kind="$1" -v place="$place" -v format="$format" '
    $1 == kind {
      here = fits = 0
      formats = ($3 ~ /\//)
      words = split($3, where, / +/)
      for (i = 1; i <= words; i++) {
        here = here || where[i] == place || where[i] == "all"
        fits = fits || where[i] == format
      }
      if (here && (fits || !formats)) print $2
    }' "$exceptions"
}
lines() { sed '/^$/d' | sort -u; }

allowed=$(comm -12 <(applying fail | lines) <(echo "$there_are"))
failed=$(sed -n 's/^Suite \([^ ,]*\), Test \([^ ]*\) had failures.*/\1.\2/p' "$log" | lines)
wrong=$(comm -23 <(echo "$failed" | lines) <({ echo "$allowed"; applying late; } | lines))
passed=$(comm -13 <(echo "$failed" | lines) <(echo "$allowed" | lines))
skipped=$(grep -o '\[SKIPPED\].*' "$log" | sed 's/^\[SKIPPED\] *//' | lines | grep -vxFf <(applying skip))
ran=$(awk '$1 == "tests" { print $3 }' "$log")

status=0
complain() { echo "$1"; status=1; }
[ "${ran:-0}" = "$(echo "$there_are" | lines | wc -l)" ] || complain "${ran:-0} tests ran, of $(echo "$there_are" | lines | wc -l)"
[ -z "$wrong" ] || complain "failed: $wrong"
[ -z "$passed" ] || complain "passed although the exceptions say it cannot: $passed"
[ -z "$skipped" ] || complain "skipped: $skipped"
[ $status -eq 0 ] || cat "$log"
echo "$family with blocks of $format bytes: ${ran:-0} tests, $(echo "$failed" | lines | wc -l) failed"
exit $status
