#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# README's C program: taken from README, compiled as README says against an installed tree, run.
. "$(dirname "$0")/lib.sh"
readme=$top/README.md
sed -n '/^```c$/,/^```$/{/^```/!p;/^```$/q}' "$readme" >"$work/now.c"
command=$(grep -m 1 '^gcc .*pkg-config' "$readme")
lines=$(wc -l <"$work/now.c")
echo "$lines lines; $command"
[ "$lines" -gt 0 ] && [ "$lines" -le 12 ] || fail "README's program has $lines lines, not 1 to 12"

DESTDIR=$work/root meson install -C "$BUILD" --no-rebuild >"$work/install.log" 2>&1 ||
	fail "meson install: $?"
pc=$(find "$work/root" -name chronotick.pc)
export PKG_CONFIG_PATH=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root
libraries=$(find "$work/root" -name libchronotick.so -printf '%h\n')
(cd "$work" && eval "$command -Wall -Wextra -Werror") || fail "it does not compile"

servers 1
config "" 10.77.0.11
CHRONOTICK_PAGE=/dev/shm/$shm_name-none LD_LIBRARY_PATH=$libraries "$work/now" &&
	fail "without a page it does not fail"
daemon
trusted || fail "no trusted time"
before=$(date +%s)
LD_LIBRARY_PATH=$libraries "$work/now" >"$work/now.log" || fail "it ends with $?"
cat "$work/now.log"
seconds=$(grep -oE '[0-9]{19}' "$work/now.log" | head -n 1 | cut -c 1-10)
[ "${seconds:-0}" -ge "$before" ] && [ "$seconds" -le $((before + 2)) ] ||
	fail "it does not print the time"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
