#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The examples in Python and JavaScript run and say what they are to say; and without a page they say
# that, and end with an error.
#
# usage: binding-examples.sh BUILD PYTHON_PATH NODE_PACKAGE MAKE_PAGE    (either binding may be "")
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../../scripts/lib.sh"
examples=$here/../../examples
build=$(realpath "$1") python_path=$2 node_package=$3 make_page=$(realpath "$4")
work=$(mktemp -d /tmp/chronotick-examples-XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0 done=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# example PATTERN COMMAND...: must end well and print a line that matches; and must not without a page.
example() {
	local pattern=$1 name=${*: -1}
	shift
	done=$((done + 1))
	if ! CHRONOTICK_PAGE=$work/page timeout 30 "$@" >"$work/out" 2>"$work/err"; then
		fail "$name ends with an error"
	elif ! grep -Eq -- "$pattern" "$work/out"; then
		fail "$name prints no '$pattern'"
	else
		echo "ok   $(basename "$name"): $(head -n 1 "$work/out" | cut -c 1-100)"
	fi
	[ -s "$work/err" ] && { cat "$work/err"; fail "$name complains"; }
	CHRONOTICK_PAGE=/nonexistent timeout 30 "$@" >"$work/out" 2>&1 && fail "$name ends well without a page"
	grep -q 'start chronotickd' "$work/out" || { cat "$work/out"; fail "$name does not say what to start"; }
}

run() {
	example '^UTC [0-9]{19} ns, \+- [0-9]+ ns, synchronized$' "$@/now.$suffix"
	example '^a turn took [0-9]+ ns, at most [0-9]+ ns$' "$@/stamp-loop.$suffix"
	example '^committed at [0-9]{19} ns, which is past for certain [0-9]+ ns later$' \
		"$@/commit-wait.$suffix"
	example '^the first came first$' "$@/order-events.$suffix"
}

"$make_page" trusted "$work/page" || exit 1
export LD_LIBRARY_PATH=$build/lib PYTHONDONTWRITEBYTECODE=1
if [ -n "$python_path" ]; then
	export PYTHONPATH=$python_path
	suffix=py run python3 "$examples/python"
	example '"is_valid":true' python3 "$examples/agent/agent.py"
	[ "$(find "$examples/python" "$examples/agent" -name '*.py' | wc -l)" -eq "$done" ] ||
		fail "not all examples in Python are run"
fi
if [ -n "$node_package" ]; then
	# Node looks for packages beside the program: the examples are copied to theirs.
	done=0
	mkdir -p "$work/user/node_modules"
	cp -r "$node_package" "$work/user/node_modules/chronotick" &&
		cp "$examples"/node/* "$examples"/agent/*.mjs "$work/user" || exit 1
	suffix=js run node "$work/user"
	if npm_installed; then
		ln -s "$npm_dir"/node_modules/* "$work/user/node_modules"
		example '"is_valid":true' node "$work/user/agent.mjs"
		[ "$(find "$examples/node" "$examples/agent" -name '*.*js' | wc -l)" -eq "$done" ] ||
			fail "not all examples in JavaScript are run"
	else
		echo "without the agent in JavaScript: $npm_missing"
	fi
fi
echo "$failures failures"
[ "$failures" -eq 0 ]
