#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Node.js binding with what it is made for: claude-agent-sdk in the same process, and TypeScript.
#
# usage: binding-agent.sh BUILD PACKAGE_DIR MAKE_PAGE
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/../../scripts/lib.sh"
build=$(realpath "$1") package=$(realpath "$2") make_page=$(realpath "$3")
npm_installed || {
	echo "SKIP: $npm_missing"
	exit 77
}
work=$(mktemp -d /tmp/chronotick-agent-XXXXXX)
trap 'rm -rf "$work"' EXIT

# A package where the SDKs are its neighbours, as npm would have it
with=$work/with/node_modules bare=$work/bare/node_modules
mkdir -p "$with" "$bare"
ln -s "$npm_dir"/node_modules/* "$with"
cp -rL "$package" "$with/chronotick" || exit 1
cp "$here"/../../lib/bindings/node/*.d.*ts "$with/chronotick" || exit 1
"$make_page" trusted "$work/page" || exit 1
cd "$work/with" || exit 1
export LD_LIBRARY_PATH=$build/lib
# Nobody writes that page, which the tools find after a second.
node "$here/binding-agent.mjs" "$work/page" ready not_running || exit 1

# Without the SDKs the package says what it needs; without the library, what the tools need.
cp -r "$with/chronotick" "$bare" && cd "$work/bare" || exit 1
cat >bare.mjs <<-'END'
	import assert from 'node:assert';
	import {createMinimalAgent} from 'chronotick/agent';
	assert.throws(createMinimalAgent, /needs @anthropic-ai\/claude-agent-sdk/);
END
node bare.mjs || exit 1
LD_LIBRARY_PATH='' node -e '
	const chronotick = require("chronotick"), assert = require("assert");
	assert.throws(chronotick.listTools, {code: "ERR_NO_TOOLS", message: /libchronotick-tools.so.1/});
	assert(new chronotick.Clock(process.argv[1]).interval().trusted);' "$work/page" || exit 1
cd "$work/with" || exit 1

# The types: a program that uses all of it, and one with four mistakes
cat >right.mts <<-'END'
	import {Clock, Interval, PageError, compare, now, interval, waitUntil, BEFORE, callTool} from 'chronotick';
	import {createChronotickAgent, createMultiServiceAgent, chronotickTools} from 'chronotick/agent';
	const clock = new Clock('/a/page');
	const time: bigint = now() + clock.now();
	const {earliestNs, tai, status}: Interval = interval();
	const order: -1 | 0 | 1 = compare(clock.read(), Interval.fromJSON(clock.within(5n).toJSON()));
	const batch: BigInt64Array = clock.atBatch(new BigUint64Array([clock.counter()])).utcNs;
	async function all(): Promise<void> {
	  try {
	    const passed: Interval = await waitUntil(time, {timeoutMs: 5, signal: AbortSignal.abort()});
	    const text: string = (await callTool('get_time')).content[0].text;
	    console.log(passed.boundNs, text, order === BEFORE, batch, status === 'holdover', tai?.taiNs, earliestNs);
	  } catch (error) {
	    if (error instanceof PageError) console.log(error.code);
	  }
	}
	const names: string[] = createChronotickAgent(['get_time'], 'clock').allowedTools;
	const servers = createMultiServiceAgent({otherServers: {x: {type: 'stdio', command: 'x'}}}).mcpServers;
	export {all, names, servers, chronotickTools};
END
cat >wrong.mts <<-'END'
	import {Clock, interval, waitUntil} from 'chronotick';
	const time: number = new Clock().now();
	const status: 'fine' = interval().status;
	waitUntil(5);
	new Clock(5);
	export {time, status};
END
types=(node "$npm_dir/node_modules/typescript/bin/tsc" --noEmit --strict --skipLibCheck
	--target es2022 --module nodenext --types node)
"${types[@]}" right.mts || { echo "FAIL: the types refuse a program that is right"; exit 1; }
"${types[@]}" wrong.mts >wrong.log
[ "$(grep -c 'error TS' wrong.log)" -eq 4 ] || { cat wrong.log; echo "FAIL: the types let faults pass"; exit 1; }
echo "the types let what is right pass, and four faults not"
