#!/bin/bash
# run_expecting.sh EXIT TEXT COMMAND...: a program against a disk in memory. Fails if its exit status is not EXIT, or if its
# output, taken as one line, does not match the extended regular expression TEXT. TCMUFS_SG_PRELOAD says what to preload.
set -u
expected=$1 wanted=$2
shift 2
command -v "$1" >/dev/null || exit 77

text=$(LD_PRELOAD=$TCMUFS_SG_PRELOAD TCMUFS_SG_PATH=/dev/sg99 "$@" 2>&1)
status=$?
echo "$text"
if [ $status -ne "$expected" ]; then
  echo "exit status $status instead of $expected"
  exit 1
fi
tr -s '[:space:]' ' ' <<<"$text" | grep -qE "$wanted" || {
  echo "the output does not match: $wanted"
  exit 1
}
