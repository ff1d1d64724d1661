#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An address that moves between this host and a server, as in a failover: while it is here, asking it
# is a loop; once it is the server's, the server is used at its next poll.
. "$(dirname "$0")/lib.sh"
servers 3
moving=10.77.0.12
move() { # FROM DEVICE TO DEVICE
	ip -n "$1" addr del "$moving/24" dev "$2"
	ip -n "$3" addr add "$moving/24" dev "$4"
	ip -n "$reference_server_ns" neigh flush dev vs
	ip -n "$reference_client_ns" neigh flush dev vc
}
state() {
	"$chronotick" status 2>&1 | grep -F "$moving" >"$work/$1.log"
}
move "$reference_server_ns" vs "$reference_client_ns" vc
config "" 10.77.0.11 "$moving" 10.77.0.13
daemon
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; }
state here
expect 'loop' "$work/here.log"
move "$reference_client_ns" vc "$reference_server_ns" vs
sleep 10
state there
expect 'selected' "$work/there.log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
