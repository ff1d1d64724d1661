#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the released Python client does to a page: attaches by name with SharedMemory, which opens it
for writing and has the resource tracker unlink it at exit, and unpacks 128 bytes in its own order.

usage: released-client.py NAME"""
import struct
import sys
import time
from multiprocessing.shared_memory import SharedMemory

FORMAT = "<8dfIIII4xddIIf12x"


def unpack(segment, offset):
    for _ in range(1000):
        values = struct.unpack_from(FORMAT, segment.buf, offset)
        again = struct.unpack_from(FORMAT, segment.buf, offset)
        if values[9] % 2 == 0 and values[9] == again[9]:
            return values
    raise RuntimeError("torn for ever")


def main():
    segment = SharedMemory(name=sys.argv[1], create=False)
    failed = []
    # A publication may come between the two: those of one sequence are compared.
    for _ in range(1000):
        client, document = unpack(segment, 0), unpack(segment, 384)
        if client[1] == document[1]:
            break
        time.sleep(0.001)
    offset, drift, offset_uncertainty, drift_uncertainty, prediction = client[2:7]
    now = time.time()
    if (prediction, offset, drift, offset_uncertainty, drift_uncertainty) != document[2:7]:
        failed.append(f"{client[2:7]} is not {document[2:7]} in the client's order")
    if abs(now - prediction) > 1:
        failed.append(f"predicted for {prediction}, and it is {now}")
    if abs(offset + drift * (now - prediction)) > 0.001:
        failed.append(f"this host's own clock is the truth, and wrong by {offset}")
    if not 0 < offset_uncertainty < 0.001 or not 0 < drift_uncertainty < 0.001:
        failed.append(f"uncertainties {offset_uncertainty} and {drift_uncertainty}")
    if not client[10] & 1:
        failed.append("not valid")
    segment.close()
    print("\n".join(failed) or "as the client expects it")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
