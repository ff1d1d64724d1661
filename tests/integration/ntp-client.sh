#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The NTP client alone, against servers in its own process: ntp-client.sh PROGRAM...
#
# Each program with the kernel's stamps, without, and with transmit stamps that never come, all of
# them at the same time, as they mostly wait. Prints what those that fail say, and TAP.
set -u
work=$(mktemp -d /tmp/chronotick-ntp-client.XXXXXX)
trap 'rm -rf "$work"' EXIT
names=() pids=()
for program; do
	for stamping in stamps no-stamps lost-stamps; do
		name=$(basename "$program"),$stamping
		"$program" "$stamping" >"$work/$name" 2>&1 &
		names+=("$name") pids+=($!)
	done
done
failed=0
echo "1..${#names[@]}"
for i in "${!names[@]}"; do
	wait "${pids[$i]}"
	status=$?
	result="ok $((i + 1)) - ${names[$i]}"
	case $status in
	0) ;;
	77) result="$result # SKIP $(tail -n 1 "$work/${names[$i]}")" ;;
	*)
		sed 's/^/# /' "$work/${names[$i]}"
		result="not $result"
		failed=1
		;;
	esac
	echo "$result"
done
exit $failed
