#!/bin/bash
# Events as they happen, who waits for them, the log of errors, and the verbs of ctl.
# vm: --timeout 600
. "$(dirname "$0")/lib.sh"

last_error() { control "$1" last_error; }
without_times() { cut -d' ' -f2- "$1"; }
has_line() { grep -qxF -- "$2" <(without_times "$1"); } # FILE LINE WITHOUT TIME
to() { echo "$2" >"$mnt/.ctl/${1:+vol/$1/}ctl"; }        # VOLUME (none: all) VERB
finished() { ! kill -0 "$1" 2>/dev/null; }

start
cat "$mnt/.ctl/events" >"$work/all" &
all=$!

step "a volume's life, as it happens"
truncate -s 64M "$mnt/db0"
wait_until 20 has_line "$work/all" "db0 ready $(control db0 device)"
cat "$mnt/.ctl/vol/db0/events" >"$work/own" &
own=$!
truncate -s 128M "$mnt/db0"
mv "$mnt/db0" "$mnt/two words"
rm "$mnt/two words"
wait_until 20 finished $own
wait $own || fail "the reader of a volume that was removed did not end well"
device=$(awk '$3 == "ready" { print $4; exit }' "$work/own")
must_be "the events of the volume" "$(without_times "$work/own")" "db0 created
db0 resized 67108864
db0 attaching
db0 ready $device
db0 resizing
db0 resized 134217728
db0 ready $device
db0 renamed two\\040words
two\\040words detaching
two\\040words pending
two\\040words removed"
wait_until 20 has_line "$work/all" 'two\040words removed'
must_match "the times" "$(cut -d' ' -f1 "$work/all" | grep -Evc '^20..-..-..T..:..:..[.]...Z$')" '^0$'

step "hundreds of readers that wait hold up nobody, and a signal ends each"
truncate -s 16M "$mnt/t"
readers=()
for _ in $(seq 300); do
  cat "$mnt/.ctl/vol/t/events" >/dev/null &
  readers+=($!)
  disown $!
done
sleep 1
must_be "the state" "$(timeout 20 cat "$mnt/.ctl/vol/t/state")" ready
timeout 60 truncate -s 16M "$mnt/other"
timeout 60 rm "$mnt/other"
kill -9 "${readers[@]}"
for reader in "${readers[@]}"; do wait_until 20 finished "$reader"; done

step "poll, O_NONBLOCK"
python3 - "$mnt/.ctl/vol/t/events" "$mnt/.ctl/vol/t/queue_depth" <<'EOF'
import os, select, sys
events = os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)
while True:
    try:
        os.read(events, 10)
    except BlockingIOError:
        break
for wait in (lambda ms: poll.poll(ms), lambda ms: select.select([events], [], [], ms / 1000)[0], lambda ms: epoll.poll(ms / 1000)):
    poll = select.poll()
    poll.register(events, select.POLLIN)
    epoll = select.epoll()
    epoll.register(events, select.EPOLLIN)
    assert not wait(100), "something to read"
    value = str(16 + (int(open(sys.argv[2]).read()) + 1) % 16)
    open(sys.argv[2], "w").write(value)
    assert wait(20000), "nothing to read"
    assert os.read(events, 4096).endswith(f" t set queue_depth {value}\n".encode())
EOF

step "detach and attach"
mkfs.ext4 -q $links/t
mount $links/t "$work/mounted"
must_fail 'Device or resource busy' to t detach
must_match "who" "$(last_error t)" "$work/mounted"
must_fail 'Device or resource busy' to "" detach
umount "$work/mounted"
truncate -s 16M "$mnt/u"
to "" detach
must_be "the states" "$(state t) $(state u)" "pending pending"
must_not_be_a_disk t
echo written as a file | dd of="$mnt/t" bs=512 seek=1 conv=notrunc,sync status=none
must_be_ready t 16777216
must_be "what is on it" "$(dd if=$links/t bs=512 skip=1 count=1 status=none | head -c 17)" "written as a file"
to t detach
to t attach
must_be_ready t 16777216
to "" attach
must_be_ready u 16777216
must_fail 'Invalid argument' to t explode
must_match "the sentence" "$(last_error t)" 'attach, detach'
must_be "what ctl lists" "$(control t ctl | tr '\n' ' ')" "attach detach "

step "the log of errors"
must_match "the newest" "$(tail -n 1 "$mnt/.ctl/error_log")" '^20.*Z t .*explode'
wait_until 20 has_line "$work/all" "t refused $(last_error t)"

step "the daemon's stop is the last that is read"
kill -TERM "$(pgrep -x tcmufs)"
wait_until 60 finished $all
wait $all || fail "the reader did not end well"
must_match "how it ends" "$(without_times "$work/all" | grep -A99 stopping | tr '\n' ';')" '^- stopping;.*t pending'
nothing_left

step "umount -l ends a reader too"
start
cat "$mnt/.ctl/events" >"$work/all" &
all=$!
sleep 1
umount -l "$mnt"
wait_until 60 finished $all
wait $all || fail "the reader did not end well"
must_be "the last line" "$(without_times "$work/all" | tail -n 1)" "- stopping"
nothing_left
