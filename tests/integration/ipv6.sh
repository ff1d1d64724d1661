#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A server that is reached by IPv6 alone.
. "$(dirname "$0")/lib.sh"
servers 1
config "" fd77::11
daemon
"$truth" --seconds 8 --reads 80000 --first-max 5 --all-trusted || fail "the truth, see above"
daemon_end INT || fail "chronotickd ended with $? on SIGINT"
finish
