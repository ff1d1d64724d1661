#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The control socket of a running daemon: who may ask and who may change, sources off and on line,
# reload, hostile peers, and two daemons that want the same socket.
. "$(dirname "$0")/lib.sh"
servers 3
log=$work/daemon-0.log
hostile=$BUILD/tests/integration/control-hostile
chmod 0755 "$work" # other users reach the socket, as they do below /run
group=$(awk -F: '$3 > 0 && $3 < 65534 { print $1 ":" $3; exit }' /etc/group)
sed_group="s/^control: {/&group: ${group%:*}, /"

# as UID "GROUP,..." COMMAND...: run as another user. The programs must be where it can read them.
cp "$chronotick" "$BUILD"/lib/libchronotick.so.1 "$hostile" "$work/"
as() {
	local uid=$1 groups=(--clear-groups)
	[ -z "$2" ] || groups=(--groups "$2")
	shift 2
	setpriv --reuid "$uid" --regid 65534 "${groups[@]}" env LD_LIBRARY_PATH="$work" "$@"
}

# state ADDRESS: its state as "sources" has it
state() {
	"$chronotick" sources --json | python3 -c 'import json, sys
for source in json.load(sys.stdin)["sources"]:
    if source["name"] == sys.argv[1]:
        print(source["state"])' "$1"
}

# becomes ADDRESS STATE: within 8 s
becomes() {
	local try
	for try in $(seq 80); do
		[ "$(state "$1")" != "$2" ] || return 0
		sleep 0.1
	done
	fail "$1 is $(state "$1"), not $2"
}

config "" 10.77.0.11 10.77.0.12 10.77.0.13
sed -i "$sed_group" "$work/chronotick.yaml"
daemon
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; }

echo "who may what (group $group)"
for user in "64001 " "64001 64002" "64001 ${group#*:}"; do
	read -r uid groups <<<"$user"
	as "$uid" "$groups" "$work/chronotick" sources -v >"$work/asked" 2>&1 ||
		fail "user $user may not ask: $(cat "$work/asked")"
	expect '10\.77\.0\.13' "$work/asked"
	as "$uid" "$groups" "$work/chronotick" status --verbose >"$work/asked" 2>&1 ||
		fail "user $user gets no status: $(cat "$work/asked")"
	expect 'half of the exchange.s delay' "$work/asked"
	expect 'The time rests on .*: ' "$work/asked"
	expect "you may $([ "$groups" = "${group#*:}" ] || echo not)" "$work/asked"
done
"$chronotick" status --json >"$work/status.json" || fail "status --json: $?"
python3 - "$work/status.json" <<-'CHECK' || fail "status --json: $(cat "$work/status.json")"
	import json, sys
	told = json.load(open(sys.argv[1]))
	bound = told["bound"]
	assert sum(bound["terms_ns"].values()) == bound["published_ns"] > 0, "the terms' sum"
	assert told["rests_on"] in ("fusion", "short_term", "long_term", "sources_only"), "level"
	assert set(told["models"]) == {"short_term", "long_term", "feed"}, "models"
	assert told["oscillator"]["wander_ppb"] >= 1000, "wander"
CHECK
for verb in online offline reload; do
	as 64001 "" "$work/chronotick" $verb >"$work/changed" 2>&1
	[ $? -eq 1 ] || fail "a stranger's $verb ends with 0"
	expect 'only root, the daemon.s own user and the members of control.group' "$work/changed"
done
as 64001 "64002,${group#*:}" "$work/chronotick" offline 10.77.0.12 || fail "a member may not change"
setpriv --reuid 64001 --regid "${group#*:}" --clear-groups env LD_LIBRARY_PATH="$work" \
	"$work/chronotick" online 10.77.0.12 || fail "one whose own group it is may not change"
expect 'user 64001, pid [0-9]+: offline 10\.77\.0\.12, 1 source' "$log"

echo "off and on line"
becomes 10.77.0.12 selected
"$chronotick" offline '10.77.0.1[12]' || fail "offline"
[ "$(state 10.77.0.11)$(state 10.77.0.12)" = offlineoffline ] || fail "two are not offline"
"$chronotick" offline nobody >"$work/none" 2>&1 && fail "offline of a source that is not there"
expect "no source has a name or an address that matches 'nobody'" "$work/none"
"$chronotick" online || fail "online"
becomes 10.77.0.11 selected
becomes 10.77.0.12 selected

echo "reload"
config "" 10.77.0.11 10.77.0.13
sed -i "$sed_group" "$work/chronotick.yaml"
"$chronotick" reload || fail "reload"
[ -z "$(state 10.77.0.12)" ] || fail "a source that was taken out is still there"
sed -i 's/minpoll: 0/minpoll: x/' "$work/chronotick.yaml"
"$chronotick" reload >"$work/reload" 2>&1 && fail "reload of a broken file ends with 0"
expect 'minpoll: "x" is no integer' "$work/reload"
[ "$(state 10.77.0.13)" = selected ] || fail "a broken file has changed something"

echo "hostile peers"
as 64003 "" "$work/control-hostile" "$CHRONOTICK_CONTROL" || fail "control-hostile"
"$chronotick" sources >/dev/null || fail "after that nobody is answered"
"$chronotick" status >/dev/null || fail "after that the time is not trusted"

echo "who is not there"
"$chronotick" sources --control "$work/nowhere" >"$work/none" 2>&1
[ $? -eq 1 ] || fail "no socket, and it does not end with 1"
expect 'no such socket' "$work/none"
CHRONOTICK_CONTROL=$work/nowhere "$chronotick" status >/dev/null ||
	fail "status needs the socket"
CHRONOTICK_CONTROL=$work/nowhere "$chronotick" status --json >/dev/null 2>&1 &&
	fail "status --json finds no daemon, and ends with 0"
CHRONOTICK_CONTROL=$work/nowhere "$chronotick" status --verbose >/dev/null 2>&1 &&
	fail "status --verbose finds no daemon, and ends with 0"
"$chronotick" sources extra >/dev/null 2>&1
[ $? -eq 2 ] || fail "wrong usage does not end with 2"

echo "two daemons, one socket"
config "" 10.77.0.11 10.77.0.13
first=$daemon
inode=$(stat -c %i "$CHRONOTICK_CONTROL")
sed -i "s/shm_name: $shm_name/&.second/" "$work/chronotick.yaml"
daemon
wait "$daemon"
[ $? -eq 1 ] || fail "the second daemon did not end with 1"
expect 'control\.socket: .*another chronotickd listens' "$work/daemon-1.log"
[ "$(stat -c %i "$CHRONOTICK_CONTROL")" = "$inode" ] || fail "the socket was stolen"
kill -STOP "$first" # one that hangs is not dead
daemon
wait "$daemon"
[ $? -eq 1 ] || fail "the second daemon took a stopped one's socket"
kill -CONT "$first"
"$chronotick" sources >/dev/null || fail "the first is not answered any more"
kill -KILL "$first"
wait "$first" 2>/dev/null
[ -S "$CHRONOTICK_CONTROL" ] || fail "a killed daemon's socket is gone"
daemon
for try in $(seq 50); do
	[ "$(stat -c %i "$CHRONOTICK_CONTROL" 2>/dev/null)" != "$inode" ] && break
	sleep 0.1
done
"$chronotick" sources >/dev/null || fail "a dead daemon's socket is not replaced"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
[ ! -e "$CHRONOTICK_CONTROL" ] && [ ! -e "$CHRONOTICK_CONTROL.lock" ] ||
	fail "an orderly end leaves the socket"
rm -f "/dev/shm/$shm_name.second"*
finish
