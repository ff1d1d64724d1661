#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The feed of an external model: the example in Documentation/ is told and heard, who may connect,
# hostile models, off and on line, reload. Time is trusted all along. And what the daemon reads of the
# machine's state, which the feed gets too.
. "$(dirname "$0")/lib.sh"
servers 1
log=$work/daemon-0.log
socket=$work/feed.sock
example=$top/Documentation/feed-example.py
chmod 0755 "$work"
group=$(awk -F: '$3 > 0 && $3 < 65534 { print $1 ":" $3; exit }' /etc/group)
cp "$example" "$work/model.py" # where other users can read it; not every python3 in $PATH is

document='covariates: {interval_s: 1}'
config "" 10.77.0.11
plain=$(cat "$work/chronotick.yaml")
echo "  - {feed: $socket, group: ${group%:*}}" >>"$work/chronotick.yaml"
daemon
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; finish; }
"$truth" --seconds 60 --reads 100000 --all-trusted >"$work/truth.log" 2>&1 &
judge=$!

# of KEY...: of the feed's row in "sources --json"
of() {
	"$chronotick" sources --json | python3 -c 'import json, sys
feed = json.load(sys.stdin)["sources"][-1]
assert feed["name"] == sys.argv[1], feed["name"]
for key in sys.argv[2:]:
    print(feed[key] if key in feed else feed["packets"][key], end=" ")' "$socket" "$@"
}

[ "$(of kind state)" = "gpu_model unreachable " ] || fail "nobody is there, and it is $(of kind state)"
[ "$(stat -c '%a %g' "$socket")" = "660 ${group#*:}" ] || fail "the socket is $(stat -c '%a %g' "$socket")"

echo "a model of the group"
timeout 40 setpriv --reuid 64001 --regid 65534 --groups "${group#*:}" \
	/usr/bin/python3 "$work/model.py" "$socket" --interval 0.5 --horizon 60 --count 4 >"$work/model.log" 2>&1 ||
	fail "the example ends with $?: $(cat "$work/model.log")"
expect 'prediction 4: taken' "$work/model.log"
expect "feed $socket: a model of user 64001, pid [0-9]+, is there" "$log"
[ "$(of state accepted rejected)" = "candidate 4 0 " ] || fail "the row is $(of state accepted rejected)"
"$chronotick" sources -v >"$work/sources.log" 2>&1 || fail "sources -v"
expect "\\+ candidate +$socket .* [-+][0-9.]+ [nu]s +- +- +[0-9.]+ [num]s  none/none" "$work/sources.log"
expect '(not proven yet|in use|not used).*gpu_model' "$work/sources.log"
# Its offset from the daemon's own is within the bound, and that of a perfect reference is small.
offset=$(of offset_ns)
[ "${offset#-}" -lt 5000000 ] || fail "the line is $offset ns off"

echo "a stranger"
setpriv --reuid 64002 --regid 65534 --clear-groups \
	/usr/bin/python3 "$work/model.py" "$socket" --count 1 >"$work/stranger.log" 2>&1 &&
	fail "a stranger may feed"
expect 'Permission denied' "$work/stranger.log"

echo "hostile models"
timeout 120 python3 "$here/feed-hostile.py" "$example" "$socket" || fail "feed-hostile"
[ "$(of rejected_malformed rejected_other_epoch)" != "0 0 " ] || fail "nothing was counted"

echo "off and on line"
"$chronotick" offline "$socket" || fail "offline"
[ "$(of state)" = "offline " ] || fail "it is $(of state), not offline"
timeout 20 python3 "$work/model.py" "$socket" --count 1 >"$work/offline.log" 2>&1 &&
	fail "an offline feed takes predictions"
"$chronotick" online || fail "online"
timeout 20 python3 "$work/model.py" "$socket" --interval 0.5 --count 1 || fail "online, and not fed"

echo "what may move the oscillator"
"$chronotick" sources --json | python3 -c 'import json, sys
covariates = json.load(sys.stdin)["covariates"]
print(covariates)
assert 0 <= covariates["cpu_load"] <= 1 and covariates["age"] < 10' || fail "no covariates"
"$chronotick" status --verbose >"$work/status.log" || fail "status --verbose"
expect 'CPU load +[0-9.]+ %' "$work/status.log"
wait "$judge" || { cat "$work/truth.log"; fail "the time was not trusted, or wrong"; }

echo "reload"
echo "$plain" >"$work/chronotick.yaml"
"$chronotick" reload || fail "reload"
[ ! -e "$socket" ] && [ ! -e "$socket.lock" ] || fail "a feed that was taken out is still there"
echo "  - {feed: $socket}" >>"$work/chronotick.yaml"
"$chronotick" reload || fail "reload"
[ "$(stat -c %a "$socket")" = 600 ] || fail "a feed that was put in is not there"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
[ ! -e "$socket" ] || fail "an orderly end leaves the socket"
finish
