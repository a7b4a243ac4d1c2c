#!/bin/bash
# Usage: read_metrics.sh METRICS_EXAMPLE DIRECTORY
# promtool, Prometheus' own, reads the file metrics: as OpenMetrics into a database, and its linter finds nothing. Where it is not
# installed it is taken out of Debian's package, into DIRECTORY, because the package would start a server.
set -euo pipefail
export LC_ALL=C
metrics_example=$1 directory=$2
mkdir -p "$directory"
work=$(mktemp -d "$directory/XXXXXX")
trap 'rm -rf "$work"' EXIT

promtool=$(command -v promtool || echo "$directory/promtool")
if [ ! -x "$promtool" ]; then
  (cd "$work" && apt-get -qq download prometheus && dpkg-deb --fsys-tarfile ./prometheus_*.deb |
    tar -x --wildcards '*/bin/promtool') >/dev/null 2>&1 || { echo "there is no promtool, and no package of it"; exit 77; }
  mv "$work/usr/bin/promtool" "$promtool"
fi

"$metrics_example" >"$work/metrics"
# A database wants to know when.
sed '/^#/! s/$/ 1700000000/' "$work/metrics" >"$work/dated"
"$promtool" tsdb create-blocks-from openmetrics "$work/dated" "$work/data" >"$work/said" 2>&1 ||
  { cat "$work/said"; echo "promtool does not read it as OpenMetrics"; exit 1; }
mkdir "$work/data/wal" # dump looks for it
series=$("$promtool" tsdb dump "$work/data" | wc -l)
samples=$(grep -vc '^#' "$work/metrics")
[ "$series" = "$samples" ] || { echo "of $samples samples $series have been read"; exit 1; }
"$promtool" tsdb dump --match '{volume="a \"quoted\" name"}' "$work/data" >"$work/quoted"
grep -q tcmufs_volume_size_bytes "$work/quoted" ||
  { echo "a name with quotes is another one"; exit 1; }

# The linter reads the older format, in which a counter's description has the name of its sample.
sed -E 's/^(# TYPE [a-z_]+) counter$/\1_total counter/; t; s/^(# HELP tcmufs_volume_(commands|command_bytes|command_errors|batches|kicks)) /\1_total /' \
  "$work/metrics" >"$work/older"
"$promtool" check metrics <"$work/older" >"$work/said" 2>&1 && [ ! -s "$work/said" ] || { cat "$work/said"; exit 1; }
echo "$series series"
