#!/bin/bash
# The Debian package without its service: mount -t, fstab, completion; and what its removal and its purge leave.
# vm: --systemd --timeout 1200
. "$(dirname "$0")/package_lib.sh"
our_files() { find /etc /var -maxdepth 4 \( -name '*tcmufs*' -o -name '*mountctl*' \) -not -path "$store*" 2>/dev/null | sort; }
our_files >"$work/files_before"
dpkg -i "$packages"/tcmufs_*+1_*.deb
dpkg -L tcmufs >"$work/installed"
mkdir -p $store $mnt
truncate -s $size $store/v $store/w
cp /etc/fstab "$work/fstab"

step "mount -t fuse.tcmufs and a line of fstab"
mount -t fuse.tcmufs $store $mnt -o rw,nofail,_netdev,x-systemd.requires=a.service,block_size=4096
must_be "the type" "$(findmnt -n -o FSTYPE $mnt)" fuse.tcmufs
must_be_ready v $size
must_match "the options" "$(findmnt -n -o OPTIONS $mnt)" 'rw,nosuid,nodev'
truncate -s $size $mnt/large_blocks
must_be "the block size" "$(blockdev --getss $links/large_blocks)" 4096
rm $mnt/large_blocks
must_match "the entries of the mount" "$(grep -c " TARGET=$mnt " /run/mount/utab)" '^2$' # ours and that of mount(8)
umount $mnt
nothing_left
no_entry || fail "an entry of the mount is left in /run/mount/utab"
cp "$work/fstab" /etc/fstab
echo "$store $mnt fuse.tcmufs noauto,nofail,x-systemd.mount-timeout=60,comment=x 0 0" >>/etc/fstab
mount $mnt
must_be_ready v $size
umount $mnt
nothing_left
systemctl daemon-reload
systemctl start mnt-disks.mount
must_be_ready v $size
systemctl stop mnt-disks.mount
nothing_left
must_fail 'the store .*is no directory|cannot be used' mount -t fuse.tcmufs /etc/fstab $mnt
cp "$work/fstab" /etc/fstab
systemctl daemon-reload

step "a dead mount: mountctl removes what is known of it, too; the next one takes the disks over"
mount -t fuse.tcmufs $store $mnt
kill -9 "$(pgrep -x tcmufs)"
wait_until 30 no_daemon
must_exit 1 'its daemon had died' mountctl umount $mnt
no_entry || fail "an entry of the dead mount is left in /run/mount/utab"
mount -t fuse.tcmufs $store $mnt
must_be_ready v $size
umount $mnt
nothing_left

step "completion knows the volumes"
mount -t fuse.tcmufs $store $mnt
offered=$(bash -c '. /usr/share/bash-completion/completions/mountctl
  COMP_WORDS=(mountctl rm ""); COMP_CWORD=2; _mountctl; echo "${COMPREPLY[*]}"
  COMP_WORDS=(mountctl umount /m); COMP_CWORD=2; _mountctl; echo "${COMPREPLY[*]}"' 2>/dev/null)
must_be "what is offered" "$offered" $'v w\n/mnt/disks'

step "removal takes the disks down; the purge leaves nothing of ours, and the store as it was"
systemctl enable $service 2>/dev/null
echo x >/etc/tcmufs/mine.conf
dpkg -r tcmufs
nothing_left
[ -e /etc/tcmufs/disks.conf ] || fail "the removal took the configuration"
dpkg -P tcmufs
our_files >"$work/files_after"
diff "$work/files_before" "$work/files_after" || fail "files are left over, or gone"
while IFS= read -r file; do
  [ ! -e "$file" ] || [ -d "$file" ] || fail "$file is left over"
done <"$work/installed"
must_be "the images" "$(cd $store && ls)" $'v\nw'
must_be "the size of the image" "$(stat -c %s $store/v)" $size
