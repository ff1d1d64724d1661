#!/usr/bin/env node
// SPDX-License-Identifier: MIT
// An agent that knows the time: npm install @anthropic-ai/claude-agent-sdk zod, and chronotick.
//
//	node agent.mjs                       what its tools are, and what get_time says, without a model
//	node agent.mjs "What time is it?"    asks the model, which asks the tools
import {query} from '@anthropic-ai/claude-agent-sdk';
import {callTool} from 'chronotick';
import {createChronotickAgent} from 'chronotick/agent';

const options = createChronotickAgent(); // mcpServers and allowedTools for query()
const prompt = process.argv[2];

if (prompt) {
  for await (const message of query({prompt, options})) {
    if (message.type === 'result') console.log(message.result ?? message.subtype);
  }
} else {
  console.log(`allowed: ${options.allowedTools.join(' ')}`);
  const {content, isError} = await callTool('get_time');
  console.log(content[0].text);
  process.exitCode = isError ? 1 : 0;
}
