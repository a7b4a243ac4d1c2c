#!/bin/bash
# However a file comes into the mount, it ends as the right disk with the right contents.
# vm: --timeout 900
. "$(dirname "$0")/lib.sh"

MiB=$((1024 * 1024))
image=$work/image other=$work/other sparse=$work/sparse qcow=$work/image.qcow2
head -c $((16 * MiB)) /dev/urandom >"$image"
head -c $((8 * MiB)) /dev/urandom >"$other"
truncate -s $((64 * MiB)) "$sparse"
for at in 0 5 33; do dd if="$other" of="$sparse" bs=1M count=1 skip="$((at % 8))" seek="$at" conv=notrunc status=none; done

start
cd "$mnt"

step "touch: pending, no disk, and status says what to do"
touch t
must_be "the state" "$(state t)" pending
must_be "the size" "$(control t size)" 0
must_not_be_a_disk t
must_match "the table" "$(grep '^t ' status)" 'pending'
must_match "status of t" "$(control t status)" 'truncate|size'
as_before || fail "a pending volume has something in the kernel"
rm t

step "truncate"
truncate -s 64M v
must_be_ready v $((64 * MiB))
cmp -n $((64 * MiB)) /dev/zero $links/v || fail "a new disk is not all zeros"
rm v
must_not_be_a_disk v

step "touch, then truncate"
touch v
truncate -s 64M v
must_be_ready v $((64 * MiB))
rm v

step "truncate larger: the disk grows"
truncate -s 32M v
dd if="$image" of=$links/v bs=1M oflag=direct conv=fsync status=none
truncate -s +32M v
must_be_ready v $((64 * MiB))
must_hold v "$image"
rm v

step "fallocate"
fallocate -l 64M v
must_be_ready v $((64 * MiB))
must_be "what fallocate took at least" "$(($(stat -c '%b' v) * 512 >= 64 * MiB))" 1
rm v

step "cp of an image"
cp "$image" v
must_be_ready v $((16 * MiB))
must_hold v "$image"
cmp v "$image" || fail "the file does not read as the disk does"
rm v

step "cp of a sparse image, whose size comes last"
cp "$sparse" v
must_be_ready v $((64 * MiB))
must_hold v "$sparse"
rm v
cp --sparse=always "$sparse" v
must_be_ready v $((64 * MiB))
must_hold v "$sparse"
must_be "that the copy is sparse" "$(($(stat -c '%b' v) * 512 < 32 * MiB))" 1
rm v

step "cp -a: owner, mode and time come too"
chmod 640 "$image"
chown root:disk "$image"
touch -d 2020-01-02T03:04:05Z "$image"
cp -a "$image" v
must_be_ready v $((16 * MiB))
must_hold v "$image"
must_be "what cp -a keeps" "$(stat -c '%a %U:%G %Y' v)" "$(stat -c '%a %U:%G %Y' "$image")"
rm v
chmod 644 "$image"

step "cp over an existing idle volume: its contents are replaced"
cp "$image" v
must_be_ready v $((16 * MiB))
cp "$other" v
must_be_ready v $((8 * MiB))
must_hold v "$other"
cp "$image" v
must_be_ready v $((16 * MiB))
must_hold v "$image"
rm v

step "dd"
dd if="$image" of=v bs=1M status=none
must_be_ready v $((16 * MiB))
must_hold v "$image"
rm v

step "dd seek=64 count=0"
dd if=/dev/null of=v bs=1M seek=64 count=0 status=none
must_be_ready v $((64 * MiB))
rm v

step "shell redirections"
cat "$image" >v
must_be_ready v $((16 * MiB))
must_hold v "$image"
rm v
{
  head -c $((8 * MiB)) "$image"
  tail -c $((8 * MiB)) "$image"
} >v
must_be_ready v $((16 * MiB))
must_hold v "$image"
rm v
exec 7>v
(cat "$image" >&7)
must_be "the state while a writer has it open" "$(state v)" pending
exec 7>&-
mountctl wait v
must_be_ready v $((16 * MiB))
must_hold v "$image"
rm v

step "rsync, which writes under a temporary name"
rsync "$image" r
must_be_ready r $((16 * MiB))
must_hold r "$image"
must_be "what there is beside it" "$(ls -A | grep -v '^status$')" r
rsync "$other" r
must_be_ready r $((8 * MiB))
must_hold r "$other"
rm r

step "a temporary name is no disk; renamed, it is"
cp "$image" .hidden
must_not_be_a_disk .hidden
must_be "the state" "$(state .hidden)" pending
mv .hidden v
mountctl wait v
must_be_ready v $((16 * MiB))
must_hold v "$image"

step "mv: the same disk under another name"
uuid=$(control v uuid) node=$(control v device)
mv v w
must_be_ready w $((16 * MiB))
must_be "uuid and node" "$(control w uuid) $(control w device)" "$uuid $node"
must_not_be_a_disk v
rm w

step "qemu-img convert"
qemu-img convert -O qcow2 "$image" "$qcow"
qemu-img convert -f qcow2 -O raw "$qcow" v
must_be_ready v $((16 * MiB))
must_hold v "$image"
rm v

step "cp inside the mount"
cp "$image" a
cp a b
must_be_ready b $((16 * MiB))
must_hold b "$image"
[ "$(control a uuid)" != "$(control b uuid)" ] || fail "a copy has the uuid of the original"
rm a b

as_before || fail "removed volumes have left something behind"
must_be "what is left in the mount" "$(ls -A)" status
cd /
stop
nothing_left
