# For the tests of the Debian package, which run on a machine with systemd. The packages are built beforehand, by package_build, as
# versions 0.1.0+1 and 0.1.0+2.
packages=$TCMUFS_BIN/../package
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
PATH=${PATH#"$TCMUFS_BIN:"} # what is installed is tried

export DEBIAN_FRONTEND=noninteractive
rm -f /var/lib/man-db/auto-update # reading all manual pages of the machine over 9p takes minutes
mnt=/mnt/disks
store=/var/lib/tcmufs
service=tcmufs@disks.service
trap 'ended=$?; set +e; (exit $ended); show_why; [ $ended = 0 ] || journalctl -b -o short-monotonic --no-pager -n 60' EXIT
size=67108864
no_entry() { ! grep -q " TARGET=$mnt " /run/mount/utab; } # by which umount(8) finds the helper
