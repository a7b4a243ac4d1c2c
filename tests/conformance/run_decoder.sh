#!/bin/bash
# run_decoder.sh EXIT COMMAND...: a program that decodes what a disk in memory says. Fails if its exit status is not
# EXIT, or if it complains about what it decodes. TCMUFS_SG_PRELOAD says what to preload.
set -u
expected=$1
shift
command -v "$1" >/dev/null || exit 77

text=$(LD_PRELOAD=$TCMUFS_SG_PRELOAD TCMUFS_SG_PATH=/dev/sg99 "$@" 2>&1)
status=$?
echo "$text"
if [ $status -ne "$expected" ]; then
  echo "exit status $status instead of $expected"
  exit 1
fi
complaints='unexpected|malformed|truncat|too short|too long|too small|invalid|illegal|failed|mismatch|bad |wrong'
if grep -iE "$complaints" <<<"$text"; then
  echo "complains (above)"
  exit 1
fi
[ -n "$text" ] || [ "$1" = sg_verify ] || [ "$1" = sg_sync ]
