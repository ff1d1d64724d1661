#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From the start on, every trusted read holds the truth; trust comes within 5 s and stays.
# SECONDS_OF_READS and READS make it longer.
. "$(dirname "$0")/lib.sh"
servers 1
config "" 10.77.0.11
"$truth" --seconds "${SECONDS_OF_READS:-20}" --reads "${READS:-200000}" --first-max 5 --all-trusted \
	${ERROR_MAX_US:+--error-max "$ERROR_MAX_US"} >"$work/truth.log" &
judge=$!
daemon
wait "$judge" || fail "the truth, see above"
cat "$work/truth.log"
"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
