// SPDX-License-Identifier: MIT
// The protocol's HTTP transport in front of chronotick-mcp, for tests that know no other: each request
// is handed on as a line, and the line with its id is the response.
//
// usage: node bridge.mjs CHRONOTICK_MCP [ARGUMENT...]	prints the URL
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const child = spawn(process.argv[2], process.argv.slice(3), { stdio: ["pipe", "pipe", "inherit"] });
const waiting = new Map();

createInterface({ input: child.stdout }).on("line", (line) => {
	const { id } = JSON.parse(line);
	waiting.get(JSON.stringify(id))?.(line);
	waiting.delete(JSON.stringify(id));
});

const server = createServer(async (request, response) => {
	let body = "";
	for await (const piece of request)
		body += piece;
	if (request.method !== "POST") {
		response.writeHead(405).end();
		return;
	}
	const { id } = JSON.parse(body);
	const line = JSON.stringify(JSON.parse(body));
	if (id === undefined) {
		child.stdin.write(`${line}\n`);
		response.writeHead(202).end();
		return;
	}
	const answer = new Promise((done) => waiting.set(JSON.stringify(id), done));
	child.stdin.write(`${line}\n`);
	response.writeHead(200, { "Content-Type": "application/json" }).end(await answer);
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
process.on("SIGTERM", () => {
	child.stdin.end();
	server.close();
	server.closeAllConnections();
});
