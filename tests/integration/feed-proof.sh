#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An external model has to prove itself at the feed: it is used when it is good, dropped when it is bad,
# and used again. The time is trusted, and right, all along.
. "$(dirname "$0")/lib.sh"
chronyd_find
reference_up || exit $?
reference_fake 11 sways
log=$work/daemon-0.log
socket=$work/feed.sock

config "" 10.77.0.11
sed -i 's/minpoll: 0/minpoll: -3/; s/maxpoll: 2/maxpoll: -3/' "$work/chronotick.yaml"
echo "  - {feed: $socket}" >>"$work/chronotick.yaml"
daemon
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; finish; }
"$truth" --seconds 20 --reads 100000 --all-trusted >"$work/truth.log" 2>&1 &
judge=$!
sleep 4 # so that there is something that it can be told of the past

timeout 300 python3 "$here/feed-proof.py" "$top/Documentation/feed-example.py" "$socket" "$chronotick" ||
	fail "feed-proof.py ends with $?"
expect 'external model: in use; mean error [0-9]+ ns' "$log"
expect '<4>the external model: not used' "$log"
expect 'the time rests on: (fusion|long-term model)' "$log"
"$chronotick" sources -v >"$work/sources.log"
expect 'in use; mean error [0-9]+ ns of [0-9]+, deviations times [0-9.]+' "$work/sources.log"
# Nothing that it predicted is left when the operator switches it off.
"$chronotick" offline "$socket" || fail "offline"
sleep 1.2
expect 'the external model: not proven yet' "$log"
wait "$judge" || { cat "$work/truth.log"; fail "the time was not trusted, or wrong"; }
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
