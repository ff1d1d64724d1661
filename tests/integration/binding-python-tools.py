#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tools in a Python process, without claude-agent-sdk and with it. Where the SDK is not installed, a
stand-in of its three names serves: it shows what is handed to the SDK, and not what that does with it.

usage: binding-python-tools.py MAKE_PAGE    (package and library are found by the environment)"""
import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

MAKE_PAGE = sys.argv.pop(1)
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")
NAMES = ["get_time", "get_daemon_status", "get_time_with_future_uncertainty",
         "get_time_with_confidence_interval", "compare_times", "wait_until"]
STAND_IN = '''
from dataclasses import dataclass, field
from typing import Any

@dataclass
class SdkMcpTool:
    name: str
    description: str
    input_schema: Any
    handler: Any

@dataclass
class ClaudeAgentOptions:
    mcp_servers: dict = field(default_factory=dict)
    allowed_tools: list = field(default_factory=list)

def tool(name, description, input_schema):
    return lambda handler: SdkMcpTool(name, description, input_schema, handler)

def create_sdk_mcp_server(name, version="1.0.0", tools=None):
    return {"type": "sdk", "name": name, "instance": tools}
'''

from chronotick import ChronoTickError, PageError, tools  # noqa: E402
from chronotick.tools import agents, sdk_tools  # noqa: E402


def run(program, **environment):
    """A program in a process of its own: what is imported cannot be taken back."""
    return subprocess.run([sys.executable, "-c", textwrap.dedent(program)], text=True,
                          capture_output=True, env=dict(os.environ, **environment))


class Tools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="chronotick-tools-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "page")
        subprocess.run([MAKE_PAGE, "trusted", self.path], check=True)
        os.environ["CHRONOTICK_PAGE"] = self.path

    def test_list_and_call(self):
        known = {tool["name"]: tool for tool in tools.list_tools()}
        self.assertEqual(list(known), NAMES)
        for tool in known.values():
            self.assertEqual(tool["inputSchema"]["type"], "object")
            self.assertIn("outputSchema", tool)
        result = tools.call_tool("get_time")
        self.assertFalse(result["isError"])
        self.assertLess(abs(int(result["structuredContent"]["utc_ns"]) - time.time_ns()), 10**9)
        self.assertTrue(tools.call_tool("get_time", page="/nonexistent")["isError"])
        self.assertFalse(tools.call_tool("get_time", page=self.path)["isError"])
        self.assertTrue(tools.call_tool("get_time_with_future_uncertainty",
                                        {"future_seconds": 3601})["isError"])
        self.assertRaises(LookupError, tools.call_tool, "no_such_tool")
        self.assertRaises(ValueError, tools.call_tool, "get\0time")
        self.assertRaises(TypeError, tools.call_tool, "get_time", [1])
        self.assertRaises(TypeError, tools.call_tool, "get_time", {"x": object()})
        self.assertRaises(ValueError, tools.call_tool, "get_time", {"x": float("nan")})

    def test_handlers_do_not_hold_the_loop_up(self):
        async def all_at_once():
            ticks = 0
            waits = asyncio.gather(*(sdk_tools.wait_until.handler({"seconds": 0.1}) for _ in range(3)))
            while not waits.done():
                await asyncio.sleep(0.005)
                ticks += 1
            return ticks, await waits
        ticks, results = asyncio.run(all_at_once())
        self.assertGreater(ticks, 3)
        for result in results:
            self.assertFalse(result["is_error"])
            self.assertTrue(result["structuredContent"]["reached"])
        with self.assertRaises(AttributeError):
            sdk_tools.no_such_tool

    def test_a_wait_that_is_given_up_holds_nothing_up(self):
        begun = time.monotonic()
        done = run("""
            import asyncio
            from chronotick.tools import sdk_tools

            async def main():
                waits = [asyncio.ensure_future(sdk_tools.wait_until.handler({"seconds": 60}))
                         for _ in range(50)]
                await asyncio.sleep(0.1)
                print((await sdk_tools.get_time.handler({}))["is_error"])
                for wait in waits:
                    wait.cancel()
                print(all(isinstance(result, asyncio.CancelledError)
                          for result in await asyncio.gather(*waits, return_exceptions=True)))
            asyncio.run(main())
            """)
        self.assertEqual(done.stdout, "False\nTrue\n", done.stderr)
        self.assertLess(time.monotonic() - begun, 50)

    def test_signals_do_not_begin_a_wait_anew(self):
        caught = []
        old = signal.signal(signal.SIGALRM, lambda *_: caught.append(1))
        self.addCleanup(signal.signal, signal.SIGALRM, old)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        result = tools.call_tool("wait_until", {"seconds": 0.3, "timeout_seconds": 30})
        self.assertTrue(result["structuredContent"]["reached"])
        self.assertGreater(len(caught), 3)

        def stop(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, stop)
        self.assertRaises(KeyboardInterrupt, tools.call_tool, "wait_until", {"seconds": 60})

    def test_shared_memory_by_the_originals_names(self):
        shared = sdk_tools.get_shared_memory()
        self.assertIs(shared, sdk_tools.get_shared_memory())
        self.assertEqual((shared.size, shared.name), (4096, "page"))
        self.assertTrue(shared.buf.readonly)
        self.assertEqual(sdk_tools.read_chronotick_data().measurement_count, 123)
        shared.close()
        self.assertEqual(sdk_tools.read_chronotick_data().measurement_count, 123)
        sdk_tools.get_shared_memory().close()
        os.environ["CHRONOTICK_PAGE"] = "/nonexistent"
        self.assertRaises(PageError, sdk_tools.read_chronotick_data)

    def test_a_hundred_thousand_calls_leave_the_memory_as_it_was(self):
        def resident():
            with open("/proc/self/statm", encoding="ascii") as statm:
                return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")

        def some(count):
            for i in range(count):
                tools.call_tool("compare_times" if i % 100 else "get_time", {})
        some(1000)
        before = resident()
        some(1000 if SANITIZED else 100_000)
        grown = resident() - before
        print(f"tool calls: {grown / 1024:+.0f} KiB resident")
        if not SANITIZED:
            self.assertLess(grown, 2 << 20)

    def test_without_the_library_only_the_tools_are_missing(self):
        done = run("""
            import chronotick, chronotick.tools.agents, chronotick_shm.tools.sdk_tools as own
            assert chronotick.now().trusted and own.read_chronotick_data().measurement_count == 123
            try:
                own.get_time
            except chronotick.ChronoTickError as error:
                print(error)
            """, LD_LIBRARY_PATH="")
        self.assertIn("libchronotick-tools.so.1, which ChronoTick installs", done.stdout, done.stderr)

    def test_without_the_sdk_agents_say_what_they_need(self):
        if importlib.util.find_spec("claude_agent_sdk"):
            self.skipTest("claude-agent-sdk is installed")
        for create in (agents.create_chronotick_agent, agents.create_minimal_agent,
                       agents.create_monitoring_agent, agents.create_multi_service_agent):
            with self.assertRaisesRegex(ImportError, "pip install claude-agent-sdk"):
                create()

    def test_agents(self):
        path = os.environ.get("PYTHONPATH", "")
        if not importlib.util.find_spec("claude_agent_sdk"):
            with open(os.path.join(self.folder, "claude_agent_sdk.py"), "w", encoding="ascii") as module:
                module.write(STAND_IN)
            path += os.pathsep + self.folder
        done = run("""
            import asyncio, claude_agent_sdk as sdk
            from chronotick_shm.tools import agents
            from chronotick_shm.tools.sdk_tools import get_time, get_daemon_status
            from chronotick.tools.sdk_tools import tools
            assert isinstance(get_time, sdk.SdkMcpTool) and get_time.name == "get_time"
            assert not asyncio.run(get_time.handler({}))["is_error"]
            prefix = "mcp__chronotick__"
            made = agents.create_chronotick_agent()
            assert isinstance(made, sdk.ClaudeAgentOptions)
            assert made.mcp_servers["chronotick"]["type"] == "sdk"
            assert made.allowed_tools == [prefix + name for name in tools()], made.allowed_tools
            made = agents.create_chronotick_agent(["get_time", "mcp__clock__wait_until", "Read"], "clock")
            assert made.allowed_tools == ["mcp__clock__get_time", "mcp__clock__wait_until", "Read"]
            assert list(made.mcp_servers) == ["clock"]
            for made, key, name in ((agents.create_minimal_agent(), "time", "get_time"),
                                    (agents.create_monitoring_agent(), "monitor", "get_daemon_status")):
                assert made.allowed_tools == [f"mcp__{key}__{name}"]
                assert list(made.mcp_servers) == [key]
            other = {"files": {"type": "stdio", "command": "true"}}
            made = agents.create_multi_service_agent(other_servers=other)
            assert made.mcp_servers["files"] is other["files"]
            assert made.allowed_tools[-1] == "mcp__files"
            made = agents.create_multi_service_agent(False, other, ["mcp__files__read"])
            assert all(name.startswith(prefix) for name in made.allowed_tools)
            assert agents.create_multi_service_agent().allowed_tools == made.allowed_tools
            try:
                agents.create_multi_service_agent(other_servers={"chronotick": {}})
            except ValueError:
                print("all well")
            """, PYTHONPATH=path)
        self.assertEqual(done.stdout, "all well\n", done.stderr)


if __name__ == "__main__":
    assert issubclass(PageError, ChronoTickError)
    unittest.main(verbosity=1)
