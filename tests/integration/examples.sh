#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The examples, built as their README says against an installed tree, on two machines: two daemons,
# whose server serves this host's clock. The MCP configuration is used as a client would use it.
. "$(dirname "$0")/lib.sh"
DESTDIR=$work/root meson install -C "$BUILD" --no-rebuild >"$work/install.log" 2>&1 ||
	fail "meson install: $?"
pc=$(find "$work/root" -name chronotick.pc)
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root
LD_LIBRARY_PATH=$(find "$work/root" -name libchronotick.so -printf '%h\n')
export LD_LIBRARY_PATH

# README's commands, for each program
build_as() {
	local file=$1 command
	command=$(grep -m 1 "^$2 .*pkg-config" "$top/examples/README.md")
	command=${command/ now.${file##*.} / $file }
	command=${command/-o now/-o $(basename "${file%.*}")$3}
	(cd "$work" && eval "$command -Wall -Wextra -Werror") || fail "$file does not compile"
}
built=0
for program in "$top"/examples/c/*.c; do
	build_as "$program" gcc ""
	built=$((built + 1))
done
for program in "$top"/examples/cpp/*.cpp; do
	build_as "$program" g++ -cpp
	built=$((built + 1))
done
# And by the other compiler, without a warning
if command -v clang-14 >/dev/null; then
	clang-14 -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -I "$top/lib/include" \
		-I "$top/kmod/uapi" "$top"/examples/c/*.c || fail "clang: C"
	clang++-14 -std=c++17 -Wall -Wextra -Werror -fsyntax-only -I "$top/lib/include" \
		-I "$top/kmod/uapi" "$top"/examples/cpp/*.cpp || fail "clang: C++"
fi
told=$(grep -cE '^\| \[(c|cpp)/' "$top/examples/README.md")
[ "$told" -eq "$built" ] || fail "README tells of $told programs, and there are $built"

programs=(now stamp-loop commit-wait now-cpp "order-events stamp")
for program in "${programs[@]}"; do
	# shellcheck disable=SC2086 # with its arguments
	CHRONOTICK_PAGE=/nonexistent "$work"/$program 2>"$work/error" &&
		fail "without a page $program does not fail"
	expect "not running" "$work/error"
done

servers 1
pages=()
for n in 1 2; do
	shm_name=chronotick_test_$$.$n CHRONOTICK_CONTROL=$work/control-$n.sock
	config "" 10.77.0.11
	cp "$work/chronotick.yaml" "$work/$n.yaml"
	"${reference_client[@]}" "$chronotickd" --config "$work/$n.yaml" --foreground \
		>"$work/daemon-$n.log" 2>&1 </dev/null &
	daemons+=($!)
	pages+=("/dev/shm/$shm_name")
done
shm_name=chronotick_test_$$
for page in "${pages[@]}"; do
	CHRONOTICK_PAGE=$page trusted || fail "no trusted time in $page"
done
export CHRONOTICK_PAGE=${pages[0]}
before=$(date +%s)
for program in now stamp-loop commit-wait now-cpp; do
	"$work/$program" >"$work/$program.out" || fail "$program ends with $?"
	echo "$program: $(cat "$work/$program.out")"
	seconds=$(grep -oE '[0-9]{19}' "$work/$program.out" | head -n 1 | cut -c 1-10)
	[ "${seconds:-0}" -ge "$before" ] && [ "$seconds" -le $((before + 5)) ] ||
		fail "$program does not print the time"
done

cd "$work" || exit 1
stamp() { CHRONOTICK_PAGE=${pages[$1]} ./order-events stamp >"$2" || fail "order-events stamp"; }
stamp 0 first
sleep 0.2
stamp 1 second
# TAI - UTC is not known to these daemons, and then a second is needed.
./order-events compare first second | tee order.out
expect "can't be told" order.out
sed -i 's/[-0-9]*$/37/' first second
./order-events compare first second | tee order.out
expect "^first came first" order.out
./order-events compare second first | tee order.out
expect "^first came first" order.out
./order-events compare first first | tee order.out
expect "can't be told" order.out
echo nonsense >third
./order-events compare first third 2>/dev/null && fail "nonsense is compared"

PATH=$(dirname "$(find "$work/root" -name chronotick-mcp)"):$PATH
export PATH
python3 - "$top/examples/mcp/mcp.json" <<-'END' || fail "the MCP configuration"
	import json, subprocess, sys
	server = json.load(open(sys.argv[1], encoding="utf-8"))["mcpServers"]["chronotick"]
	requests = [("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}),
	            ("tools/call", {"name": "get_time", "arguments": {}})]
	lines = "".join(json.dumps({"jsonrpc": "2.0", "id": i, "method": m, "params": p}) + "\n"
	                for i, (m, p) in enumerate(requests))
	run = subprocess.run([server["command"], *server["args"]], input=lines, text=True, timeout=20,
	                     capture_output=True, check=True)
	now = json.loads(run.stdout.splitlines()[1])["result"]["structuredContent"]
	print("MCP:", now["utc_ns"], now["clock_status"])
	sys.exit(not now["is_valid"])
END
finish
