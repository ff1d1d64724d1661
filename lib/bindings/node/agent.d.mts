// SPDX-License-Identifier: MIT
import type {McpServerConfig, McpSdkServerConfigWithInstance, SdkMcpToolDefinition} from '@anthropic-ai/claude-agent-sdk';

/** What goes into the SDK's query({prompt, options}) */
export interface AgentOptions {
  mcpServers: Record<string, McpServerConfig>;
  allowedTools: string[];
}

export interface OwnAgentOptions extends AgentOptions {
  mcpServers: Record<string, McpSdkServerConfigWithInstance>;
}

/** The tools, or those of some names, for a server of one's own. RangeError for a name that is none. */
export function chronotickTools(names?: string[]): Array<SdkMcpToolDefinition<any>>;

/**
 * All tools. Their names are mcp__{serverKey}__{tool}; in allowedTools, ours may stand without that
 * prefix. By default all are allowed.
 */
export function createChronotickAgent(allowedTools?: string[], serverKey?: string): OwnAgentOptions;

/** get_time alone, with the key `time` */
export function createMinimalAgent(): OwnAgentOptions;

/** get_daemon_status alone, with the key `monitor` */
export function createMonitoringAgent(): OwnAgentOptions;

/** All tools beside other servers; of those, otherTools are allowed, by default everything. */
export function createMultiServiceAgent(options?: {
  otherServers?: Record<string, McpServerConfig>;
  otherTools?: string[];
}): AgentOptions;
