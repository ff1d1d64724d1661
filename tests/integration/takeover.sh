#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# One page, several writers after each other: a second one is refused by name, a killed one's page
# is taken over under a reader that never notices, an orderly end is told of, and the line of a
# stopped one expires.
. "$(dirname "$0")/lib.sh"
servers 1
config "writer_timeout_ms: 5000" 10.77.0.11
daemon
first=$daemon
trusted || { fail "no trusted time"; finish; }

"$truth" --seconds 12 --reads 120000 --all-trusted >"$work/truth.log" &
judge=$!

"${reference_client[@]}" "$chronotickd" --config "$work/chronotick.yaml" --foreground \
	>"$work/second.log" 2>&1 </dev/null
r=$?
[ "$r" -eq 1 ] || fail "a second daemon ends with $r, not 1"
expect "\b$first\b" "$work/second.log"
kill -0 "$first" || fail "the first daemon did not survive the second"

inode=$(stat -c %i "$CHRONOTICK_PAGE")
kill -KILL "$first"
wait "$first" 2>/dev/null
sleep 1.5
"$chronotick" status >"$work/gone.log" && fail "status ends with 0 although the writer is gone"
expect 'writer.gone' "$work/gone.log"
"$chronotick" read >/dev/null || fail "the last line's promise is not kept for 1.5 s"
daemon
wait "$judge" || fail "the attached reader, see above"
cat "$work/truth.log"
[ "$(stat -c %i "$CHRONOTICK_PAGE")" = "$inode" ] || fail "the page was replaced, not taken over"
"$chronotick" status >"$work/status.log" || fail "status is not 0 after the take-over"

# Stopped, the writer cannot say so: the line's own validity ends the trust.
kill -STOP "$daemon"
sleep 3
"$chronotick" read >/dev/null || fail "not trusted 3 s after the writer was stopped"
sleep 3
"$chronotick" read >"$work/expired.log" 2>&1
r=$?
[ "$r" -eq 1 ] || fail "read ends with $r, not 1, after the line's validity"
"$chronotick" status >"$work/expired.log" 2>&1
expect 'expired' "$work/expired.log"
kill -CONT "$daemon"
trusted --first-max 5 || fail "a writer that continues is not trusted again"

daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
"$chronotick" status >"$work/gone.log" && fail "status ends with 0 after an orderly end"
expect 'writer.gone' "$work/gone.log"
"$chronotick" read >/dev/null || fail "the last line's promise is not kept after an orderly end"
sleep 5.5
"$chronotick" read >/dev/null && fail "read ends with 0 after the last line's validity"
finish
