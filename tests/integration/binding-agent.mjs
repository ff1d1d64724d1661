// SPDX-License-Identifier: MIT
// The tools in an agent's own process: claude-agent-sdk's MCP servers, asked over an in-memory pair by
// the MCP SDK's client, with no model. Every result is held against the schema that the tool declares.
//
// usage: node binding-agent.mjs PAGE STATE...    (chronotick and the SDKs are in ./node_modules)
import assert from 'node:assert';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {pathToFileURL} from 'node:url';
import {SHARE_ENV, Worker} from 'node:worker_threads';

const require = createRequire(path.join(process.cwd(), 'here.js'));
const from = (name) => import(pathToFileURL(require.resolve(name)));
const agent = await from('chronotick/agent');
const {default: chronotick} = await from('chronotick');
const {Client} = await from('@modelcontextprotocol/sdk/client/index.js');
const {InMemoryTransport} = await from('@modelcontextprotocol/sdk/inMemory.js');
const {default: Ajv2020} = await from('ajv/dist/2020.js');

const [page, ...states] = process.argv.slice(2);
process.env.CHRONOTICK_PAGE = page;
const tools = new Map(chronotick.listTools().map((tool) => [tool.name, tool]));
const ajv = new Ajv2020({strict: false});
const NAMES = ['get_time', 'get_daemon_status', 'get_time_with_future_uncertainty',
               'get_time_with_confidence_interval', 'compare_times', 'wait_until'];
let checked = 0;

async function connected(server) {
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  const client = new Client({name: 'test', version: '1.0.0'});
  await server.instance.connect(ours);
  await client.connect(theirs);
  return client;
}

// The same by the SDK's server and by the library alone: both as the schema says.
async function ask(client, name, args = {}) {
  const results = [await client.callTool({name, arguments: args}), await chronotick.callTool(name, args)];
  const validate = ajv.compile(tools.get(name).outputSchema);
  for (const result of results) {
    assert(!result.isError, result.content[0].text);
    assert(validate(result.structuredContent), `${name}: ${ajv.errorsText(validate.errors)}`);
    assert.deepStrictEqual(JSON.parse(result.content[0].text), result.structuredContent);
    checked++;
  }
  return results[0].structuredContent;
}

const options = agent.createChronotickAgent();
assert.deepStrictEqual(Object.keys(options.mcpServers), ['chronotick']);
assert.strictEqual(options.mcpServers.chronotick.type, 'sdk');
assert.deepStrictEqual(options.allowedTools, NAMES.map((name) => `mcp__chronotick__${name}`));
const client = await connected(options.mcpServers.chronotick);
assert.deepStrictEqual((await client.listTools()).tools.map(({name}) => name), NAMES);
for (const tool of (await client.listTools()).tools) {
  const own = tools.get(tool.name);
  assert.strictEqual(tool.description, own.description);
  assert.deepStrictEqual(tool.annotations, own.annotations);
  assert.deepStrictEqual(Object.keys(tool.inputSchema.properties ?? {}),
                         Object.keys(own.inputSchema.properties));
  assert.deepStrictEqual(tool.inputSchema.required ?? [], own.inputSchema.required);
}

// What the tools say is what the binding reads.
const clock = new chronotick.Clock();
const before = clock.now();
const time = await ask(client, 'get_time');
const after = clock.now();
assert(before <= BigInt(time.utc_ns) && BigInt(time.utc_ns) <= after, 'the time is another one');
assert(time.is_valid && BigInt(time.earliest_ns) <= BigInt(time.utc_ns));
const status = await ask(client, 'get_daemon_status');
assert(states.includes(status.status), status.status);
await ask(client, 'get_time_with_future_uncertainty', {future_seconds: 300});
await ask(client, 'get_time_with_confidence_interval', {confidence_level: 0.99});
await ask(client, 'get_time_with_confidence_interval');
const later = await ask(client, 'wait_until', {seconds: 0.05});
assert.strictEqual(later.reached, true);
const ends = ({earliest_ns, latest_ns, tai_offset, generation}) =>
  ({earliest_ns, latest_ns, tai_offset, generation});
await ask(client, 'compare_times', {first: ends(time), second: ends(later), same_host: true});

// Calls that make no sense are answers, not exceptions, and end nothing.
for (const [name, args] of [['get_time_with_future_uncertainty', {future_seconds: 3601}],
                            ['get_time_with_future_uncertainty', {}],
                            ['get_time_with_future_uncertainty', {future_seconds: 'soon'}],
                            ['compare_times', {first: 1, second: 2}],
                            ['wait_until', {until_ns: '-'}]]) {
  assert((await client.callTool({name, arguments: args})).isError, name);
  assert((await chronotick.callTool(name, args)).isError, name);
}
await assert.rejects(chronotick.callTool('no_such_tool'), {code: 'ENOENT'});
await assert.rejects(chronotick.callTool('get_time', []), {code: 'EINVAL'});
await assert.rejects(chronotick.callTool('get_time', null), TypeError);
await assert.rejects(chronotick.callTool('get\0time'), TypeError);
const none = await chronotick.callTool('get_time', {}, '/nonexistent');
assert(none.isError && /start chronotickd/.test(none.content[0].text));

// Ten waits at a time, and the loop goes on.
let ticks = 0;
const timer = setInterval(() => ticks++, 5);
await Promise.all(Array.from({length: 10}, () => chronotick.callTool('wait_until', {seconds: 0.1})));
clearInterval(timer);
assert(ticks >= 3, `${ticks} turns of the loop`);
await client.close();

// A worker thread that is ended in the middle of calls, and one right when they end
for (const seconds of [0.5, 0.05, 0.05]) {
  const worker = new Worker(`
    const {parentPort, workerData} = require('worker_threads');
    const {callTool} = require(workerData.chronotick);
    for (let i = 0; i < 8; i++) callTool('wait_until', {seconds: workerData.seconds});
    parentPort.postMessage('called');`,
  {eval: true, workerData: {chronotick: require.resolve('chronotick'), seconds}, env: SHARE_ENV});
  await once(worker, 'message');
  await sleep(50);
  await worker.terminate();
}
await chronotick.callTool('wait_until', {seconds: 0.6}); // longer than what was left behind

// The other agents
const renamed = agent.createChronotickAgent(['get_time', 'mcp__clock__wait_until', 'Read'], 'clock');
assert.deepStrictEqual(renamed.allowedTools, ['mcp__clock__get_time', 'mcp__clock__wait_until', 'Read']);
assert.deepStrictEqual(Object.keys(renamed.mcpServers), ['clock']);
for (const [made, key, name] of [[agent.createMinimalAgent(), 'time', 'get_time'],
                                 [agent.createMonitoringAgent(), 'monitor', 'get_daemon_status']]) {
  assert.deepStrictEqual(made.allowedTools, [`mcp__${key}__${name}`]);
  const one = await connected(made.mcpServers[key]);
  assert.deepStrictEqual((await one.listTools()).tools.map((tool) => tool.name), [name]);
  await ask(one, name);
  await one.close();
}
const other = {type: 'stdio', command: 'true'};
const multi = agent.createMultiServiceAgent({otherServers: {files: other}});
assert.deepStrictEqual(Object.keys(multi.mcpServers), ['chronotick', 'files']);
assert.deepStrictEqual(multi.allowedTools, [...NAMES.map((name) => `mcp__chronotick__${name}`), 'mcp__files']);
assert.deepStrictEqual(
    agent.createMultiServiceAgent({otherServers: {files: other}, otherTools: ['mcp__files__read']})
        .allowedTools.slice(-1), ['mcp__files__read']);
assert.throws(() => agent.createMultiServiceAgent({otherServers: {chronotick: other}}), RangeError);
assert.throws(() => agent.chronotickTools(['no_such_tool']), RangeError);
console.log(`${checked} results are as their schemas say`);
