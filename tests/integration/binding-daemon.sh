#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Daemon, page, binding and tool, from end to end, in Python and in Node.js: one client of each language
# lives through the daemon's being killed, the page's expiry, and another daemon. Neither leaves a
# trace on the page.
#
# usage: binding-daemon.sh PYTHON_PATH NODE_PACKAGE    (either may be "": that binding is not built)
# shellcheck source=tests/integration/lib.sh
. "$(dirname "$0")/lib.sh"
python_path=$1 node_package=$2

servers 1
config "writer_timeout_ms: 4000" 10.77.0.11
daemon
trusted >"$work/first.txt" || { fail "no trusted time"; finish; }
inode=$(stat -c %i "$CHRONOTICK_PAGE")

export LD_LIBRARY_PATH=$BUILD/lib PYTHONPATH=$python_path PYTHONDONTWRITEBYTECODE=1
clients=()
# client NAME COMMAND...: start it, between two pipes.
client() {
	local name=$1
	shift
	mkfifo "$work/$name.in" "$work/$name.out"
	"$@" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.log" &
	daemons+=($!) # to be ended in any case
	printf -v "${name}_pid" %s $!
	exec {fd}>"$work/$name.in"
	printf -v "${name}_in" %s "$fd"
	exec {fd}<"$work/$name.out"
	printf -v "${name}_out" %s "$fd"
	clients+=("$name")
}

[ -z "$python_path" ] || client python python3 "$here/binding-client.py"
[ -z "$node_package" ] || client node node "$here/binding-client.js" "$node_package"

# ask STATE: every client must find the daemon in it.
ask() {
	local client in out answer
	for client in "${clients[@]}"; do
		in=${client}_in out=${client}_out answer=
		echo "$1" >&"${!in}"
		read -r -t 30 answer <&"${!out}"
		echo "$client, $1: $answer"
		[ "$answer" = ok ] || fail "$client, $1: ${answer:-no answer}"
	done
}

ask trusted
daemon_end KILL
sleep 1.3 # as long as a writer may be silent
ask killed
sleep 4
ask expired
daemon
trusted >"$work/second.txt" || fail "no trusted time after the daemon's start"
ask trusted
for client in "${clients[@]}"; do
	in=${client}_in pid=${client}_pid
	echo end >&"${!in}"
	wait "${!pid}" || fail "$client ends with $?"
done
[ "$(stat -c %i "$CHRONOTICK_PAGE")" = "$inode" ] || fail "the page was removed, or replaced"
daemon_end TERM || fail "the daemon ends with $?"
finish
