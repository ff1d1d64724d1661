#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The kernel stops trusting the TSC while the daemon runs: in a mount namespace of the daemon's own,
# a file of the test stands for the kernel's current_clocksource. The daemon takes back what it
# published, and goes on with CLOCK_MONOTONIC_RAW on a new page; whoever has the old one attached
# gets -ESTALE and can open again. A counter that was asked for by name is not replaced.
#
# What a suspend does is tested with readings that are handed in (tests/unit/watch.c): a machine
# that tests run on cannot be suspended, and a time namespace's offsets are fixed at its beginning.
. "$(dirname "$0")/lib.sh"
clocksource=/sys/devices/system/clocksource/clocksource0/current_clocksource
if [ "$(cat $clocksource 2>/dev/null)" != tsc ]; then
	echo "SKIP: the kernel's clocksource is not the TSC here"
	exit 77
fi
if ! unshare -m true 2>/dev/null; then
	echo "SKIP: no mount namespaces for this user"
	exit 77
fi
servers 1
config "" 10.77.0.11
reference_client=(unshare -m sh -c
	"mount --bind '$work/clocksource' $clocksource && exec \"\$@\"" sh "${reference_client[@]}")

# until SECONDS COMMAND...: it succeeds within that time
until_true() {
	local end=$((SECONDS + $1 + 1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

echo tsc >"$work/clocksource"
daemon --log-level DEBUG
trusted >"$work/first.log" || { fail "no trusted time at the start"; finish; }
expect 'on counter tsc' "$work/daemon-0.log"
inode=$(stat -c %i "$CHRONOTICK_PAGE")
"$BUILD/tests/integration/attached" "$CHRONOTICK_PAGE" 9 >"$work/attached.log" 2>&1 &
attached=$!
sleep 2 # a few looks at a file that stays as it is
grep -q 'void' "$work/daemon-0.log" && fail "an event without a cause"

echo hpet >"$work/clocksource"
changed=$(date +%s%N)
until_true 3 grep -q -- '-116' "$work/attached.log" ||
	fail "the attached reader is not told by its line: $(cat "$work/attached.log")"
echo "attached reader told after $((($(date +%s%N) - changed) / 1000000)) ms"
[ "$(stat -c %i "$CHRONOTICK_PAGE")" != "$inode" ] || fail "no new page was linked"
inode=$(stat -c %i "$CHRONOTICK_PAGE")
expect 'clocksource is "hpet" now: counter tsc cannot be trusted; going on with monotonic_raw' \
	"$work/daemon-0.log"
trusted --first-max 8 >"$work/second.log" || fail "no trusted time on the fallback counter"
cat "$work/second.log"
"$chronotick" json >"$work/json.log"
kill -0 "$daemon" || fail "the daemon did not survive"

# CLOCK_MONOTONIC_RAW has another rate then: the clock begins anew, on the same page.
sleep 1.2
echo tsc >"$work/clocksource"
until_true 3 grep -q 'staying with monotonic_raw' "$work/daemon-0.log" ||
	fail "it is not told that the TSC is the clocksource again"
[ "$(stat -c %i "$CHRONOTICK_PAGE")" = "$inode" ] || fail "the page was replaced again"
expect 'clocksource is "tsc" now: all that was measured before is void' "$work/daemon-0.log"
trusted --first-max 8 >/dev/null || fail "not trusted when the TSC is the clocksource again"
wait "$attached" || fail "the attached reader, see its log"
sed 's/^/attached: /' "$work/attached.log"
[ "$(tail -n 1 "$work/attached.log" | cut -d' ' -f2)" = -116 ] ||
	fail "the attached reader was not left with -ESTALE"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"

daemon --counter tsc --log-level DEBUG
until_true 6 grep -q '>synchronized' "$work/daemon-1.log" || fail "no trusted time with the TSC asked for by name"
inode=$(stat -c %i "$CHRONOTICK_PAGE")
echo hpet >"$work/clocksource"
until_true 3 grep -q 'asked for by name' "$work/daemon-1.log" || fail "the loss is not told"
sleep 2.5
"$chronotick" read >/dev/null && fail "a counter that cannot be trusted gives a trusted time"
[ "$(stat -c %i "$CHRONOTICK_PAGE")" = "$inode" ] || fail "a named counter was replaced"
"$chronotick" status >"$work/named.log" && fail "status calls it trusted"
expect 'unsynchronized' "$work/named.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"

# Not trusted from the start on
"${reference_client[@]}" "$chronotickd" --config "$work/chronotick.yaml" --foreground \
	--counter tsc >"$work/refused.log" 2>&1 </dev/null
r=$?
[ "$r" -eq 1 ] || fail "a start with --counter tsc and another clocksource ends with $r, not 1"
expect 'counter tsc' "$work/refused.log"

# The kernel has just started: it is waited for while it refines the TSC's rate.
rm "$CHRONOTICK_PAGE"
echo tsc-early >"$work/clocksource"
daemon
sleep 1
[ ! -e "$CHRONOTICK_PAGE" ] || fail "it goes on with a TSC whose rate is not known yet, or without"
echo tsc >"$work/clocksource"
trusted || fail "no trusted time after the TSC's rate was refined"
expect 'on counter tsc' "$work/daemon-2.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
