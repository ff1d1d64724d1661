# SPDX-License-Identifier: MIT
from chronotick.tools.agents import (
    create_chronotick_agent,
    create_minimal_agent,
    create_monitoring_agent,
    create_multi_service_agent,
)

__all__ = [
    "create_chronotick_agent", "create_minimal_agent", "create_monitoring_agent",
    "create_multi_service_agent",
]
