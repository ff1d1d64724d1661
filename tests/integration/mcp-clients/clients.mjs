// SPDX-License-Identifier: MIT
// Published MCP clients against chronotick-mcp, on a page that is there and one that is not; and the
// schemas that they bring over every line that it prints.
//
// usage: node clients.mjs CHRONOTICK_MCP PAGE [live]
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

import { Client as NewClient, specTypeSchemas } from "@modelcontextprotocol/client";
import { StdioClientTransport as NewTransport } from "@modelcontextprotocol/client/stdio";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import * as types from "@modelcontextprotocol/sdk/types.js";
import { Ajv2020 } from "ajv/dist/2020.js";

const [server, page] = process.argv.slice(2);
const live = process.argv[4] === "live";
const me = { name: "chronotick-test", version: "1.0.0" };
const interval = { earliest_ns: "10", latest_ns: "20", tai_offset: 37, generation: 1 };
const calls = [
	["get_time", {}],
	["get_daemon_status", {}],
	["get_time_with_future_uncertainty", { future_seconds: 60 }],
	["get_time_with_confidence_interval", { confidence_level: 0.95 }],
	["compare_times", { first: interval, second: interval }],
	["wait_until", { seconds: 0.01, timeout_seconds: 20 }],
];

// One client from beginning to end: it checks each result against the tool's output schema itself.
async function session(name, client, transport) {
	await client.connect(transport);
	const { tools } = await client.listTools();
	assert.deepEqual(tools.map((tool) => tool.name).sort(), calls.map((call) => call[0]).sort());
	for (const [tool, args] of calls) {
		const result = await client.callTool({ name: tool, arguments: args });
		assert.ok(!result.isError, `${tool}: ${JSON.stringify(result)}`);
		assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
	}
	const { structuredContent: now } = await client.callTool({ name: "get_time", arguments: {} });
	const before = BigInt(Date.now()) * 1000000n;
	const { structuredContent: past } = await client.callTool({
		name: "wait_until",
		arguments: { until_ns: now.latest_ns },
	});
	assert.ok(now.is_valid && past.reached);
	assert.ok(BigInt(past.earliest_ns) > BigInt(now.latest_ns));
	if (live) {
		// The daemon's servers serve this host's clock.
		const off = before - BigInt(now.utc_ns);
		assert.ok(off < 1000000000n && off > -1000000000n, `off by ${off} ns`);
		assert.equal(now.clock_status, "synchronized");
	}
	const refused = await client.callTool({
		name: "get_time_with_future_uncertainty",
		arguments: { future_seconds: 3601 },
	});
	assert.ok(refused.isError && refused.content[0].text.includes("3600"));
	await assert.rejects(client.callTool({ name: "no_such_tool", arguments: {} }), /-32602|no such tool/);
	await client.close();
	console.log(`ok   ${name}`);
}

function newClient(mode) {
	return new NewClient(me, { capabilities: {}, versionNegotiation: { mode } });
}

async function sessions() {
	const how = () => ({ command: server, args: ["--page", page], stderr: "inherit" });

	await session("@modelcontextprotocol/sdk", new Client(me), new StdioClientTransport(how()));
	for (const mode of ["legacy", "auto", { pin: "2026-07-28" }]) {
		const client = newClient(mode);
		await session(`@modelcontextprotocol/client, ${JSON.stringify(mode)}`, client,
			new NewTransport(how()));
	}
	const chosen = newClient("auto");
	await chosen.connect(new NewTransport(how()));
	assert.equal(chosen.getNegotiatedProtocolVersion(), "2026-07-28");
	await chosen.close();
}

// Without a page: an error that a model can act upon, from every tool that needs one.
async function pageless() {
	const client = new Client(me);
	await client.connect(new StdioClientTransport({ command: server, args: ["--page", "/nonexistent"] }));
	await client.listTools();
	for (const [tool, args] of calls) {
		const result = await client.callTool({ name: tool, arguments: args });
		assert.equal(Boolean(result.isError), tool !== "compare_times");
		if (result.isError)
			assert.match(result.content[0].text, /start chronotickd/);
	}
	await client.close();
	console.log("ok   no page");
}

const modern = {
	"io.modelcontextprotocol/protocolVersion": "2026-07-28",
	"io.modelcontextprotocol/clientCapabilities": {},
	"io.modelcontextprotocol/clientInfo": me,
};

// What is sent, by its id: the result's schema, and what else is asked of it
function conversation() {
	const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
	const lines = [];
	const expected = new Map();
	const declared = new Map();
	const ask = (method, params, schema, check) => {
		const id = `${lines.length}`;
		lines.push(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
		expected.set(id, { schema, check });
	};
	const list = (result) => {
		for (const tool of result.tools) {
			assert.ok(ajv.validateSchema(tool.inputSchema), ajv.errorsText());
			declared.set(tool.name, {
				input: ajv.compile(tool.inputSchema),
				output: ajv.compile(tool.outputSchema),
			});
		}
	};
	const call = (tool, args) => (result) => {
		const { input, output } = declared.get(tool);
		assert.ok(input(args), ajv.errorsText(input.errors));
		assert.ok(output(result.structuredContent), ajv.errorsText(output.errors));
	};
	const complete = (check) => (result) => {
		assert.equal(result.resultType, "complete");
		assert.equal(result._meta["io.modelcontextprotocol/serverInfo"].name, "chronotick");
		check?.(result);
	};
	const cached = (check) => complete((result) => {
		assert.ok(Number.isInteger(result.ttlMs) && ["public", "private"].includes(result.cacheScope));
		check?.(result);
	});
	const spec = (name) => (result) => {
		const outcome = specTypeSchemas[name]["~standard"].validate(result);
		assert.ok(!outcome.issues, JSON.stringify(outcome.issues));
	};
	const zod = (schema) => (result) => schema.parse(result);

	for (const version of types.SUPPORTED_PROTOCOL_VERSIONS)
		ask("initialize", { protocolVersion: version, capabilities: {}, clientInfo: me },
			zod(types.InitializeResultSchema));
	lines.push(JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" }));
	ask("ping", undefined, zod(types.EmptyResultSchema.strict()));
	ask("tools/list", {}, zod(types.ListToolsResultSchema), list);
	for (const [tool, args] of calls)
		ask("tools/call", { name: tool, arguments: args }, zod(types.CallToolResultSchema),
			call(tool, args));
	ask("server/discover", { _meta: modern }, spec("DiscoverResult"), cached());
	ask("tools/list", { _meta: modern }, spec("ListToolsResult"), cached(list));
	for (const [tool, args] of calls)
		ask("tools/call", { name: tool, arguments: args, _meta: modern }, spec("CallToolResult"),
			complete(call(tool, args)));
	for (const [method, params, code] of [
		["resources/list", {}, -32601],
		["tools/call", { name: "none" }, -32602],
		["tools/list", { cursor: "x" }, -32602],
		["tools/list", { _meta: { ...modern, "io.modelcontextprotocol/protocolVersion": "2099-01-01" } },
			-32022],
	])
		ask(method, params, null, (error) => assert.equal(error.code, code));
	// Errors that have no id
	lines.push("nonsense", "[]", '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}');
	return { lines, expected };
}

async function everyLine() {
	const { lines, expected } = conversation();
	const child = spawn(server, ["--page", page], { stdio: ["pipe", "pipe", "inherit"] });
	let seen = 0, nameless = 0;
	for (const line of lines)
		child.stdin.write(`${line}\n`);
	for await (const line of createInterface({ input: child.stdout })) {
		const message = JSON.parse(line);
		types.JSONRPCMessageSchema.parse(message);
		const outcome = specTypeSchemas.JSONRPCMessage["~standard"].validate(message);
		assert.ok(!outcome.issues, `${line}: ${JSON.stringify(outcome.issues)}`);
		seen++;
		if (message.id === undefined) {
			assert.ok(message.error);
			nameless++;
		} else {
			const { schema, check } = expected.get(message.id);
			expected.delete(message.id);
			if (schema) {
				assert.ok(message.result, line);
				schema(message.result);
				check?.(message.result);
			} else {
				check(message.error);
			}
		}
		if (expected.size === 0 && nameless === 3)
			child.stdin.end();
	}
	assert.equal(nameless, 3);
	assert.equal(await new Promise((done) => child.exitCode === null ? child.on("exit", done)
		: done(child.exitCode)), 0);
	console.log(`ok   ${seen} lines against the schemas of both eras`);
}

function inspector() {
	const run = (...args) => {
		const { status, stdout, stderr } = spawnSync("node_modules/.bin/mcp-inspector",
			["--cli", "-e", `CHRONOTICK_PAGE=${page}`, server, ...args],
			{ encoding: "utf8", timeout: 60000 });
		assert.equal(status, 0, stdout + stderr);
		return JSON.parse(stdout);
	};
	assert.equal(run("--method", "tools/list").tools.length, calls.length);
	const result = run("--method", "tools/call", "--tool-name", "get_time_with_future_uncertainty",
		"--tool-arg", "future_seconds=5");
	assert.ok(result.structuredContent.is_valid && result.structuredContent.future_seconds === 5);
	console.log("ok   inspector --cli");
}

await sessions();
await pageless();
await everyLine();
inspector();
