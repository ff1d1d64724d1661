#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The true error over veth with basic and with interleaved answers of the same server, after a
# settling time: mean, p99, max, and whether each read's bound held. Interleaved: |mean| below 1 us
# and p99 below 5 us.
. "$(dirname "$0")/../integration/lib.sh"
seconds=${SECONDS_OF_READS:-60} reads=${READS:-500000}
servers 1
for mode in basic xleave; do
	[ $mode = basic ] || source="xleave: true"
	limits=()
	[ $mode = basic ] || limits=(--mean-max 1 --error-max 5)
	config "" 10.77.0.11
	rm -f "$CHRONOTICK_PAGE"
	daemon
	echo "$mode:"
	"$truth" --seconds "$seconds" --reads "$reads" --after 15 --all-trusted \
		"${limits[@]+"${limits[@]}"}" || fail "$mode, see above"
	daemon_end TERM || fail "chronotickd ended with $?"
done
finish
