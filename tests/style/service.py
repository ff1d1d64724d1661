#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The service manager's sandbox lets the daemon do what it does by default, and no more."""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
unit = (TOP / "scripts/chronotickd.service.in").read_text()
protocol = (TOP / "userspace/control/protocol.h").read_text()
path = re.search(r'#define CONTROL_SOCKET "/run/([^"]+)/[^"/]+"', protocol).group(1)
failures = 0

# Without it /run is read-only there, and the daemon goes on without a control socket.
for name, wanted in [("RuntimeDirectory", path), ("StateDirectory", "chronotick")]:
    found = re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)
    if "ProtectSystem=strict" in unit and wanted not in " ".join(found).split():
        print(f"chronotickd.service.in: {name} has no {wanted}: {found}")
        failures += 1

# Publishing in the module's page, and PTP: what they take, and no way to set the clock with it.
device = re.search(r'#define CHRONOTICK_DEVICE_PATH "([^"]+)"',
                   (TOP / "kmod/uapi/chronotick_page.h").read_text()).group(1)
capabilities = "CAP_SYS_TIME CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_NET_ADMIN"
for line, wanted in [("CapabilityBoundingSet=" + capabilities, True), ("ProtectClock=yes", False),
                     (f"DeviceAllow={device} r", True), ("DeviceAllow=char-ptp r", True),
                     ("SystemCallFilter=~@clock", True), ("SystemCallErrorNumber=EPERM", True)]:
    if (line in unit.splitlines()) != wanted:
        print(f"chronotickd.service.in: {'lacks' if wanted else 'has'} {line}")
        failures += 1
sys.exit(failures > 0)
