#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The command line: exit statuses, where an error is, what a bad configuration is told.
. "$(dirname "$0")/lib.sh"

# bad NAME PATTERN CONFIGURATION
bad() {
	local r
	printf '%s\n' "$3" >"$work/$1.yaml"
	"$chronotickd" --config "$work/$1.yaml" --check-config >"$work/$1.log" 2>&1 </dev/null
	r=$?
	[ "$r" -eq 2 ] || fail "$1: --check-config ends with $r, not 2"
	expect "$work/$1.yaml:$2" "$work/$1.log"
	"$chronotickd" --config "$work/$1.yaml" --foreground >"$work/$1.log" 2>&1 </dev/null
	r=$?
	[ "$r" -eq 2 ] || fail "$1: the daemon ends with $r, not 2"
	expect "$work/$1.yaml:$2" "$work/$1.log"
}

sources='sources: [{ntp: 192.0.2.1}]'
bad unknown '2: .*warmup_s' "$sources
warmup_s: 5"
bad nested '3: .*frequency' "$sources
page:
  frequency: 5"
bad range '3: .*frequency_hz.*1000' "$sources
page:
  frequency_hz: 1001"
bad type '2: .*warm_up_s' "$sources
warm_up_s: soon"
bad duplicate '3: .*warm_up_s' "$sources
warm_up_s: 5
warm_up_s: 6"
bad missing '[0-9]+: .*sources' 'warm_up_s: 5'
bad empty '1: .*sources' 'sources: []'
bad kind '2: ' 'sources:
  - iburst: true'
bad syntax '[0-9]+: ' 'sources: ['
bad poll '3: .*minpoll' 'sources:
  - ntp: 192.0.2.1
    minpoll: 99'

# usage PATTERN ARGUMENT...
usage() {
	local pattern=$1 r
	shift
	"$chronotickd" "$@" >"$work/usage.log" 2>&1 </dev/null
	r=$?
	[ "$r" -eq 2 ] || fail "chronotickd $*: ends with $r, not 2"
	expect "$pattern" "$work/usage.log"
}
usage 'none.yaml' --config "$work/none.yaml" --check-config
usage 'freq' --freq 1001 --check-config
usage 'freq' --freq fast --check-config
usage 'counter' --counter sundial --check-config
usage 'log-level' --log-level LOUD --check-config
usage 'nosuch' --nosuch
usage 'more|argument|operand' left-over

printf '%s\n' "$sources" >"$work/good.yaml"
"$chronotickd" --config "$work/good.yaml" --check-config || fail "a good file is refused: $?"
"$chronotickd" --config "$top/Documentation/chronotickd.example.yaml" --check-config ||
	fail "the shipped example is refused: $?"
"$chronotickd" --help >"$work/help.log" || fail "--help ends with $?"
for option in config check-config freq counter cpu-affinity log-level foreground; do
	grep -q -- "--$option" "$work/help.log" || fail "--help does not tell of --$option"
done

# Started with its standard descriptors closed, it goes to the background all the same, and keeps
# its lock, its page and its log apart from them.
config "" 127.0.0.1
"$chronotickd" --config "$work/chronotick.yaml" <&- >&- 2>&-
r=$?
[ "$r" -eq 0 ] || fail "with closed descriptors, the start ends with $r"
"$chronotickd" --config "$work/chronotick.yaml" --foreground >"$work/busy.log" 2>&1 </dev/null &
second=$!
daemons+=("$second")
wait "$second"
r=$?
[ "$r" -eq 1 ] || fail "the lock of a daemon with closed descriptors does not hold: $r"
owner=$(cat "$CHRONOTICK_PAGE.lock")
expect "\b$owner\b" "$work/busy.log"
kill "$owner"
finish
