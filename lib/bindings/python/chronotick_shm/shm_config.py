# SPDX-License-Identifier: MIT
from chronotick.record import *  # noqa: F401,F403
from chronotick.record import __all__  # noqa: F401
