#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The page among other users of /dev/shm: whoever removes its name, its lock or both, or puts
# something else there, gets the very same page back within a second under readers that notice
# nothing; two daemons never write one page; and the released Python client, whose exit unlinks the
# page, reads what it expects.
. "$(dirname "$0")/lib.sh"
servers 1
config "writer_timeout_ms: 3000, record_order: python" 10.77.0.11
name=${CHRONOTICK_PAGE##*/}
hidden=/dev/shm/.$name.page
daemon
first=$daemon
trusted || { fail "no trusted time"; finish; }
inode=$(stat -c %i "$CHRONOTICK_PAGE")
log=$work/daemon-0.log

# back: the same page under its name within a second (and what the machine needs to look).
back() {
	local start=${EPOCHREALTIME/./} now
	while [ "$(stat -c %i "$CHRONOTICK_PAGE" 2>/dev/null)" != "$inode" ]; do
		now=${EPOCHREALTIME/./}
		[ $((now - start)) -lt 3000000 ] || { fail "$1: the page is not back"; return; }
		sleep 0.02
	done
	now=${EPOCHREALTIME/./}
	echo "$1: back after $(((now - start) / 1000)) ms"
	[ $((now - start)) -lt 1200000 ] || fail "$1: not back within a second"
}

"$truth" --seconds 9 --reads 90000 --all-trusted >"$work/truth.log" &
judge=$!

rm "$CHRONOTICK_PAGE"
back "unlinked"
# The released client: opens by name, for writing, and forgets that it has not made it.
for round in 1 2; do
	# The resource tracker outlives the client, and holds its stderr until it has unlinked.
	python3 "$here/released-client.py" "$name" 2>&1 | cat >"$work/python.log"
	[ "${PIPESTATUS[0]}" = 0 ] ||
		fail "the released client's way: $(cat "$work/python.log")"
	[ ! -e "$CHRONOTICK_PAGE" ] && unlinked=yes
	back "Python client $round"
done
[ "${unlinked:-}" ] || echo "this Python's resource tracker unlinks nothing"
rm "$CHRONOTICK_PAGE"
echo precious >"$CHRONOTICK_PAGE"
back "another file"
[ "$(cat "$CHRONOTICK_PAGE.foreign")" = precious ] || fail "the other file was lost"
expect "foreign" "$log"
rm "$CHRONOTICK_PAGE"
ln -s /etc/passwd "$CHRONOTICK_PAGE"
sleep 1.2
[ -L "$CHRONOTICK_PAGE" ] || fail "a symbolic link was taken away"
[ "$(grep -c 'symbolic link' "$log")" = 1 ] || fail "a symbolic link is not told once"
"$chronotick" read >"$work/link.log" 2>&1 && fail "a reader follows a symbolic link"
rm "$CHRONOTICK_PAGE"
back "symbolic link removed"

# Without its lock file the page is still one writer's.
rm "$CHRONOTICK_PAGE.lock"
"${reference_client[@]}" "$chronotickd" --config "$work/chronotick.yaml" --foreground \
	>"$work/second.log" 2>&1 </dev/null
r=$?
[ "$r" -eq 1 ] || fail "a second daemon ends with $r, not 1, with the lock file removed"
expect "\b$first\b" "$work/second.log"
sleep 0.7
[ "$(cat "$CHRONOTICK_PAGE.lock")" = "$first" ] || fail "the lock file is not the daemon's again"
wait "$judge" || { fail "the attached reader"; cat "$work/truth.log"; }

# Killed without a name, found by its hidden link.
rm "$CHRONOTICK_PAGE"
kill -KILL "$first"
wait "$first" 2>/dev/null
[ -e "$hidden" ] || [ -e "$CHRONOTICK_PAGE" ] || fail "a killed daemon's page is lost"
daemon
second=$daemon
trusted --first-max 3 || fail "no trusted time after the kill"
[ "$(stat -c %i "$CHRONOTICK_PAGE")" = "$inode" ] || fail "the killed daemon's page was not found"

# Everything removed: a new page. Its reader comes back by itself, the old one's trust ends.
"$BUILD/tests/integration/reopen" "$CHRONOTICK_PAGE" >"$work/reopen.log" 2>&1 &
reader=$!
sleep 0.3
rm "$CHRONOTICK_PAGE" "$hidden"
wait "$reader" || { fail "the reader of a replaced page"; cat "$work/reopen.log"; }
cat "$work/reopen.log"
[ "$(stat -c %i "$CHRONOTICK_PAGE")" != "$inode" ] || fail "the page was not renewed"
"$chronotick" status >"$work/status.log" || fail "status is not 0 on the renewed page"

# Everything, and another daemon is faster: the first one ends.
kill -STOP "$second"
# The stopped one has its control socket still.
sed -i 's/^control:.*/control: {socket: none}/' "$work/chronotick.yaml"
rm -f "$CHRONOTICK_PAGE" "$CHRONOTICK_PAGE".* "$hidden"
daemon
trusted || fail "no trusted time from the third daemon"
kill -CONT "$second"
for _ in $(seq 30); do kill -0 "$second" 2>/dev/null && sleep 0.1; done
wait "$second"
r=$?
[ "$r" -eq 1 ] || fail "the superseded daemon ends with $r, not 1"
expect "another daemon has taken" "$work/daemon-1.log"
"$chronotick" status >"$work/status.log" || fail "status is not 0 after the other one has ended"

daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
[ ! -e "$hidden" ] || fail "an orderly end leaves the hidden link"
finish
