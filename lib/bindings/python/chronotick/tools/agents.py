# SPDX-License-Identifier: MIT
"""Options for agents of claude-agent-sdk, with the tools as an MCP server in the agent's process."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional

from .sdk_tools import tools

if TYPE_CHECKING:
    from claude_agent_sdk import ClaudeAgentOptions

SERVER_KEY = "chronotick"


def _sdk() -> Any:
    try:
        import claude_agent_sdk
    except ImportError:
        raise ImportError("this needs claude-agent-sdk: pip install claude-agent-sdk") from None
    return claude_agent_sdk


def tool_names(server_key: str = SERVER_KEY, names: Optional[Iterable[str]] = None) -> "list[str]":
    """The names by which an agent knows the tools, or some of them: mcp__{server_key}__{tool}."""
    return [f"mcp__{server_key}__{name}" for name in (tools() if names is None else names)]


def _server(name: str, names: Optional[Iterable[str]] = None) -> Any:
    known = tools()
    chosen = [known[one] for one in (known if names is None else names)]
    return _sdk().create_sdk_mcp_server(name=name, version="1.0.0", tools=chosen)


def create_chronotick_agent(allowed_tools: "Optional[list[str]]" = None,
                            server_key: str = SERVER_KEY) -> "ClaudeAgentOptions":
    """An agent with all tools. In allowed_tools, ours may stand without mcp__{server_key}__."""
    sdk, known = _sdk(), tools()
    if allowed_tools is None:
        allowed_tools = tool_names(server_key)
    else:
        allowed_tools = [tool_names(server_key, [name])[0] if name in known else name
                         for name in allowed_tools]
    return sdk.ClaudeAgentOptions(mcp_servers={server_key: _server("chronotick_server")},
                                  allowed_tools=allowed_tools)


def create_minimal_agent() -> "ClaudeAgentOptions":
    """An agent with the time, and nothing else."""
    return _sdk().ClaudeAgentOptions(
        mcp_servers={"time": _server("chronotick_minimal", ["get_time"])},
        allowed_tools=tool_names("time", ["get_time"]))


def create_monitoring_agent() -> "ClaudeAgentOptions":
    """An agent with the daemon's state, and nothing else."""
    return _sdk().ClaudeAgentOptions(
        mcp_servers={"monitor": _server("chronotick_monitoring", ["get_daemon_status"])},
        allowed_tools=tool_names("monitor", ["get_daemon_status"]))


def create_multi_service_agent(include_other_tools: bool = True,
                               other_servers: "Optional[Mapping[str, Any]]" = None,
                               other_tools: "Optional[Iterable[str]]" = None) -> "ClaudeAgentOptions":
    """An agent with all tools beside other MCP servers, by their keys.

    other_tools: what is allowed of those, by default everything; nothing, unless include_other_tools.
    """
    servers = dict(other_servers or {})
    if SERVER_KEY in servers:
        raise ValueError(f"the key {SERVER_KEY!r} is taken")
    others = [f"mcp__{key}" for key in servers] if other_tools is None else list(other_tools)
    return _sdk().ClaudeAgentOptions(
        mcp_servers={SERVER_KEY: _server("chronotick_server"), **servers},
        allowed_tools=tool_names() + (others if include_other_tools else []))
