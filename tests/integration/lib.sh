# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the integration tests and the daemon's benchmarks: a daemon of the build under test in
# the reference's client namespace, on a page of its own. $BUILD is the build's directory.
#
# A test prints what it finds, calls fail for what is wrong, and ends with finish.

set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../../scripts/lib.sh"
# shellcheck source=tests/integration/reference.sh
. "$here/reference.sh"

BUILD=$(cd "${BUILD:-$top/build}" && pwd) || exit 1
chronotickd=$BUILD/userspace/chronotickd
chronotick=$BUILD/cli/chronotick
truth=$BUILD/tests/integration/truth
fake_ntp=$BUILD/tests/integration/fake-ntp

work=$(mktemp -d /tmp/chronotick-test-XXXXXX)
shm_name=chronotick_test_$$
export CHRONOTICK_PAGE=/dev/shm/$shm_name
export CHRONOTICK_CONTROL=$work/control.sock
daemons=()
failures=0

cleanup() {
	local pid
	for pid in "${daemons[@]+"${daemons[@]}"}"; do
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	reference_down
	rm -f "/dev/shm/$shm_name" "/dev/shm/$shm_name".* "/dev/shm/.$shm_name".*
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# expect PATTERN FILE: the file must have a line that matches, in whatever case.
expect() {
	grep -Eiq -- "$1" "$2" && return 0
	fail "no line matches '$1' in:"
	sed 's/^/    /' "$2"
}

finish() {
	if [ "$failures" -ne 0 ]; then
		local log
		for log in "$work"/*.log; do
			[ ! -e "$log" ] || { echo "--- ${log##*/}"; tail -n 60 "$log"; }
		done
		exit 1
	fi
	exit 0
}

# The reference with servers at the addresses 11 to 10 + N.
servers() {
	chronyd_find
	reference_up || exit $?
	local n
	for n in $(seq 11 $((10 + $1))); do
		reference_server "$n" || { fail "the reference server $n does not start"; finish; }
	done
}

# config "PAGE-KEY: VALUE, ..." ADDRESS...: writes $work/chronotick.yaml. $document and $source are
# further lines of the document and of each source.
document=
source=
config() {
	local page=$1 address
	shift
	{
		echo "page: {shm_name: $shm_name${page:+, $page}}"
		[ -z "$document" ] || echo "$document"
		echo "control: {socket: $CHRONOTICK_CONTROL}"
		echo "sources:"
		for address; do
			printf '  - ntp: "%s"\n    iburst: true\n    minpoll: 0\n    maxpoll: 2\n' \
				"$address"
			[ -z "$source" ] || sed 's/^/    /' <<<"$source"
		done
	} >"$work/chronotick.yaml"
}

# config_simulated "PAGE-KEY: VALUE, ..." ADDRESS...: the same for a network simulator, with everything
# off that it has no stand-in for.
config_simulated() {
	CHRONOTICK_CONTROL=none
	config "$@"
	cat >>"$work/chronotick.yaml" <<-END
		counter: monotonic_raw
		trust: {changes: false, cpus: never}
		realtime: {lock_memory: false}
		state: {file: none}
		leap: {file: none}
		covariates: {temperature: none, cpu_frequency: false, cpu_load: false, memory: false}
	END
}

# daemon [OPTION...]: start one; its pid is $daemon, its log $work/daemon-N.log.
daemon() {
	"${reference_client[@]}" "$chronotickd" --config "$work/chronotick.yaml" --foreground "$@" \
		>"$work/daemon-${#daemons[@]}.log" 2>&1 </dev/null &
	daemon=$!
	daemons+=("$daemon")
}

# daemon_end SIGNAL: end the latest one; its exit status is the result.
daemon_end() {
	kill "-$1" "$daemon"
	wait "$daemon"
}

trusted() {
	"$truth" --stop-at-first --seconds 15 --reads 15000 "$@"
}
