#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An agent that knows the time: pip install claude-agent-sdk, and chronotick.

    agent.py                       what its tools are, and what get_time says, without a model
    agent.py "What time is it?"    asks the model, which asks the tools
"""
import asyncio
import sys

from chronotick.tools.agents import create_chronotick_agent, tool_names
from chronotick.tools.sdk_tools import get_time


async def ask(prompt: str) -> None:
    from claude_agent_sdk import ClaudeSDKClient

    async with ClaudeSDKClient(create_chronotick_agent()) as client:
        await client.query(prompt)
        async for message in client.receive_response():
            if getattr(message, "result", None):
                print(message.result)


async def show() -> int:
    print("allowed:", *tool_names())
    told = await get_time.handler({})  # as the SDK's server calls it
    print(told["content"][0]["text"])
    return 1 if told["isError"] else 0


if len(sys.argv) > 1:
    asyncio.run(ask(sys.argv[1]))
else:
    sys.exit(asyncio.run(show()))
