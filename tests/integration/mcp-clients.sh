#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# From the daemon through the page to published MCP clients: the time that they are told is this
# host's, whose clock the daemon's server serves. scripts/test installs the clients.
. "$(dirname "$0")/lib.sh"
if ! command -v node >/dev/null; then
	echo "SKIP: needs node"
	exit 77
fi
if ! npm_installed; then
	echo "SKIP: $npm_missing"
	exit 77
fi
servers 1
config "" 10.77.0.11
daemon
trusted || fail "no trusted time"
# What a program imports is looked for beside it.
cp "$here/mcp-clients/clients.mjs" "$npm_dir/clients-$$.mjs"
(cd "$npm_dir" && timeout 150 node "clients-$$.mjs" "$BUILD/cli/chronotick-mcp" "$CHRONOTICK_PAGE" live) ||
	fail "the clients"
rm -f "$npm_dir/clients-$$.mjs"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
