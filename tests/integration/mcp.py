#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""chronotick-mcp as a process: what it prints, how it ends, what it does with hostile input, and
how much memory it takes.

usage: mcp.py CHRONOTICK_MCP MAKE_PAGE SANITIZED"""
import json
import os
import select
import subprocess
import sys
import tempfile
import time

failed = 0


def check(condition, text):
    global failed
    if not condition:
        failed += 1
        print(f"FAIL: {text}")


def request(number, method, **params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


class Server:
    def __init__(self, *options, environment=None):
        self.process = subprocess.Popen([sys.argv[1], *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, **(environment or {})})

    def send(self, data):
        self.process.stdin.write(data if isinstance(data, bytes) else data.encode() + b"\n")
        self.process.stdin.flush()

    def receive(self):
        """The next message, or None if there is none within ten seconds."""
        if not select.select([self.process.stdout], [], [], 10)[0]:
            return None
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def ask(self, number, method, **params):
        self.send(request(number, method, **params))
        return self.receive()

    def end(self):
        """Close its input; returns its status and what else it printed."""
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err.decode()

    def resident_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


def whole_session(page):
    server = Server("--page", page)
    answer = server.ask(1, "initialize", protocolVersion="2025-11-25", capabilities={},
                        clientInfo={"name": "test", "version": "1"})
    check(answer["result"]["protocolVersion"] == "2025-11-25", f"initialize: {answer}")
    server.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    answer = server.ask("two", "tools/call", name="get_time", arguments={})
    check(answer["id"] == "two" and answer["result"]["structuredContent"]["is_valid"],
          f"get_time: {answer}")
    status, out, err = server.end()
    check((status, out, err) == (0, b"", ""), f"at the end: {status}, {out}, {err}")


def waiting(page):
    """Others are answered while one waits, who cancels is not, and the end of input ends it all."""
    server = Server("--page", page)
    server.send(request(1, "tools/call", name="wait_until", arguments={"seconds": 0.3}))
    server.send(request(2, "tools/call", name="wait_until", arguments={"seconds": 0.2}))
    server.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}')
    answer = server.ask(3, "ping")
    check(answer["id"] == 3, f"the first answer is {answer}")
    answer = server.receive()
    check(answer["id"] == 1 and answer["result"]["structuredContent"]["reached"],
          f"the wait ends with {answer}")
    waited = answer["result"]["structuredContent"]["waited_seconds"]
    check(0.29 < waited < 5, f"waited {waited} s for 0.3 s")
    server.send(request(4, "tools/call", name="wait_until", arguments={"seconds": 3000}))
    status, out, _ = server.end()
    check((status, out) == (0, b""), f"with a call that waits: {status}, {out}")


def hostile(page):
    """Each gets an error, or nothing, and the next request is answered as ever."""
    bad = [
        (b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 10_000_000 + b'"}\n', -32600),
        (b"[" * 60_000 + b"\n", -32700),
        (b'{"a":' * 10_000 + b"\n", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"\xc3\x28"}\n', -32700),
        (b"\xff\xfe\x00\x00\n", -32700),
        (b'{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}\n', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_time",'
         b'"arguments":{"a":1,"a":2}}}\n', -32700),
        (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]\n', -32600),
        (b"\0" * 100 + b"\n", -32700),
    ]
    server = Server("--page", page)
    for data, code in bad:
        server.send(data)
        answer = server.receive()
        check(answer and answer.get("error", {}).get("code") == code and "id" not in answer,
              f"{data[:60]} is answered with {answer}")
        answer = server.ask("after", "ping")
        check(answer == {"jsonrpc": "2.0", "id": "after", "result": {}},
              f"after {data[:60]}: {answer}")
    resident = server.resident_kb()
    print(f"resident after hostile lines: {resident} kB")
    check(sanitized or resident < 4096, f"{resident} kB resident after hostile lines")
    # A last line without an end is one; and whoever goes without reading does no harm.
    server.send(b'{"jsonrpc":"2.0","id":9,"method":"ping"}')
    status, out, _ = server.end()
    check(status == 0 and json.loads(out)["id"] == 9, f"the last line: {status}, {out}")
    gone = Server("--page", page)
    gone.process.stdout.close()
    gone.send(request(1, "tools/list"))
    check(gone.process.wait(timeout=20) == 0, "a client that has gone")
    gone.process.stdin.close()
    gone.process.stderr.close()


def not_blocking(page):
    """Whoever started it may have set its pipes not to block, and may be slow to read."""
    ours, its = os.pipe(), os.pipe()
    for end in (ours[0], its[1]):
        os.set_blocking(end, False)
    process = subprocess.Popen([sys.argv[1], "--page", page], stdin=ours[0], stdout=its[1])
    os.close(ours[0])
    os.close(its[1])
    time.sleep(0.1)
    count = 60  # of which the answers do not fit into a pipe
    os.write(ours[1], b"".join(request(i, "tools/list").encode() + b"\n" for i in range(count)))
    time.sleep(0.2)
    with os.fdopen(its[0], "rb") as output:
        answers = [json.loads(output.readline()) for _ in range(count)]
        check([answer["id"] for answer in answers] == list(range(count)), "answers are missing")
        os.close(ours[1])
        check(output.read() == b"" and process.wait(timeout=20) == 0, "the end of such a session")


def memory(page):
    server = Server("--page", page)
    for number in range(2000):
        server.ask(number, "tools/call", name="get_daemon_status", arguments={})
    server.ask("list", "tools/list")
    resident = server.resident_kb()
    print(f"resident after 2000 calls: {resident} kB")
    check(sanitized or resident < 4096, f"{resident} kB resident")
    server.end()


def no_side_effects():
    """Without a page it starts, says in each result what to start, and leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="chronotick-mcp-") as work:
        before = set(os.listdir("/dev/shm"))
        server = Server(environment={"CHRONOTICK_PAGE": f"{work}/none"})
        answer = server.ask(1, "tools/call", name="get_time", arguments={})
        check(answer["result"]["isError"] and
              "start chronotickd" in answer["result"]["content"][0]["text"], f"{answer}")
        # A page that comes later is found.
        subprocess.run([sys.argv[2], "trusted", f"{work}/none"], check=True)
        answer = server.ask(2, "tools/call", name="get_time", arguments={})
        check(answer["result"]["structuredContent"]["is_valid"], f"the page came: {answer}")
        server.end()
        check(os.listdir(work) == ["none"], f"left behind: {os.listdir(work)}")
        # Other tests have their own pages there.
        mine = {name for name in set(os.listdir("/dev/shm")) - before if "mcp" in name and
                str(server.process.pid) in name}
        check(not mine, f"left behind: {mine}")


def options():
    for arguments, status, text in [(["--help"], 0, "usage: chronotick-mcp"),
                                    (["--version"], 0, "chronotick-mcp "),
                                    (["--nonsense"], 2, "usage"), (["x"], 2, "usage"),
                                    (["--page", ""], 2, "usage")]:
        run = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True, timeout=20,
                             stdin=subprocess.DEVNULL)
        check(run.returncode == status and text in run.stdout + run.stderr, f"{arguments}: {run}")
    server = Server("--debug", "--page", "/nonexistent")
    server.send(request(1, "pi\033[31m\n", name="\u00e9"))
    server.receive()
    status, _, err = server.end()
    check(status == 0 and "pi?[31m?" in err and "/nonexistent" in err, f"--debug: {err}")


def main():
    with tempfile.TemporaryDirectory(prefix="chronotick-mcp-") as work:
        page = f"{work}/page"
        subprocess.run([sys.argv[2], "trusted", page], check=True)
        whole_session(page)
        waiting(page)
        subprocess.run([sys.argv[2], "trusted", page + "-2"], check=True)
        hostile(page + "-2")
        not_blocking(page)
        memory(page)
    no_side_effects()
    options()
    start = time.monotonic()
    for _ in range(20):
        subprocess.run([sys.argv[1]], stdin=subprocess.DEVNULL, timeout=20, check=True)
    print(f"a start and an end take {(time.monotonic() - start) / 20 * 1e3:.1f} ms")
    return 1 if failed else 0


if __name__ == "__main__":
    sanitized = sys.argv[3] == "true"
    sys.exit(main())
