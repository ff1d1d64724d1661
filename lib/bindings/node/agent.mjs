// SPDX-License-Identifier: MIT
// The tools for agents of @anthropic-ai/claude-agent-sdk: MCP servers in the agent's own process. The
// SDK is needed only by what makes a server.
import {createRequire} from 'node:module';

const {callTool, listTools} = createRequire(import.meta.url)('./index.js');

async function optional(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return null;
  }
}

const sdk = await optional('@anthropic-ai/claude-agent-sdk');
const zod = await optional('zod');

function needed() {
  if (!sdk) throw new Error('this needs @anthropic-ai/claude-agent-sdk: npm install it');
  if (!zod?.z?.fromJSONSchema) throw new Error('this needs zod 4.2 or later: npm install it');
  return {sdk, z: zod.z};
}

// The SDK wants a schema of Zod's for each property; the tools have JSON Schema.
function shapeOf({properties = {}, required = []}, z) {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => {
    const type = z.fromJSONSchema(schema);
    return [name, required.includes(name) || 'default' in schema ? type : type.optional()];
  }));
}

/** The tools, or those of some names, as the SDK's tool() makes them, for a server of one's own. */
export function chronotickTools(names) {
  const {sdk: {tool}, z} = needed();
  const tools = listTools();
  for (const name of names ?? []) {
    if (!tools.some((known) => known.name === name)) throw new RangeError(`no tool '${name}'`);
  }
  return tools.filter(({name}) => !names || names.includes(name)).map((known) =>
    tool(known.name, known.description, shapeOf(known.inputSchema, z),
         (args) => callTool(known.name, args), {annotations: known.annotations}));
}

function serverOf(name, names) {
  const {sdk: {createSdkMcpServer}} = needed();
  return createSdkMcpServer({name, version: '1.0.0', tools: chronotickTools(names)});
}

const allowed = (serverKey, names) => names.map((name) => `mcp__${serverKey}__${name}`);

/**
 * Options for the SDK's query(), with all tools. A tool's name is mcp__{serverKey}__{tool}: in
 * allowedTools, ours may stand without that prefix.
 */
export function createChronotickAgent(allowedTools, serverKey = 'chronotick') {
  const names = listTools().map(({name}) => name);
  const full = (name) => names.includes(name) ? allowed(serverKey, [name])[0] : name;
  return {
    mcpServers: {[serverKey]: serverOf('chronotick_server')},
    allowedTools: allowedTools ? allowedTools.map(full) : allowed(serverKey, names),
  };
}

/** The time, and nothing else. */
export function createMinimalAgent() {
  return {
    mcpServers: {time: serverOf('chronotick_minimal', ['get_time'])},
    allowedTools: allowed('time', ['get_time']),
  };
}

/** The daemon's state, and nothing else. */
export function createMonitoringAgent() {
  return {
    mcpServers: {monitor: serverOf('chronotick_monitoring', ['get_daemon_status'])},
    allowedTools: allowed('monitor', ['get_daemon_status']),
  };
}

/**
 * All tools beside other MCP servers, which are as the SDK's mcpServers. otherTools: what is allowed of
 * them; by default, everything.
 */
export function createMultiServiceAgent({otherServers = {}, otherTools} = {}) {
  if ('chronotick' in otherServers) throw new RangeError('the key `chronotick` is taken');
  const own = createChronotickAgent();
  return {
    mcpServers: {...own.mcpServers, ...otherServers},
    allowedTools: [...own.allowedTools,
                   ...(otherTools ?? Object.keys(otherServers).map((key) => `mcp__${key}`))],
  };
}
