#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""PTP messages as an interface has them.

    ptp-wire.py padding INTERFACE FROM  the next ten over UDP/IPv6 have two octets behind them
    ptp-wire.py send INTERFACE ADDRESS  ten over Ethernet to that address, of which nothing can be made
"""
import socket
import struct
import sys

IPV6, PTP = 0x86DD, 0x88F7


def padding(interface, sender):
    """Of what that address sends to the ports of PTP"""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(IPV6))
    link.bind((interface, IPV6))
    link.settimeout(10)
    seen = 0
    while seen < 10:
        frame = link.recv(2048)
        source = socket.inet_ntop(socket.AF_INET6, frame[22:38])
        if source != sender or frame[20] != socket.IPPROTO_UDP:
            continue
        port, length = struct.unpack("!HH", frame[56:60])
        (message,) = struct.unpack("!H", frame[64:66])
        if port not in (319, 320):
            continue
        seen += 1
        if length - 8 != message + 2:
            sys.exit(f"a message of {message} octets comes in {length - 8}")


def send(interface, address):
    """As from a clock of version 3"""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    to = bytes.fromhex(address.replace(":", ""))
    for _ in range(10):
        link.sendto(b"\x0b\x03" + bytes(62), (interface, PTP, 0, 0, to))


{"padding": padding, "send": send}[sys.argv[1]](*sys.argv[2:])
