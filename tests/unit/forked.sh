#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What stands in for Criterion where that can't run tells failures from passes.
#
# usage: forked.sh PROGRAM
set -u
read -ra emulator <<<"${MESON_EXE_WRAPPER:-}"
work=$(mktemp -d /tmp/chronotick-forked-XXXXXX)
trap 'rm -rf "$work"' EXIT
# In whatever order
sort >"$work/expected" <<'END'
1..10
TAP version 13
not ok - selftest::asserts
not ok - selftest::crashes
not ok - selftest::exits_with_another_code
not ok - selftest::expects
not ok - selftest::fails_and_skips
ok - selftest::begins_with_init
ok - selftest::crashes_as_it_must
ok - selftest::is_disabled # SKIP disabled
ok - selftest::passes
ok - selftest::skips # SKIP no luck here
END
"${emulator[@]}" "$1" >"$work/got" 2>"$work/err"
r=$?
[ "$r" -eq 1 ] || { echo "FAIL: ends with $r"; exit 1; }
[ "$(grep -c '^fini$' "$work/err")" -eq 6 ] || { echo "FAIL: fini is left out"; exit 1; }
grep -q '2 < 1: two is more' "$work/err" || { echo "FAIL: says not what failed"; exit 1; }
sed 's/ok [0-9]* -/ok -/' "$work/got" | sort | diff "$work/expected" - && echo "ten ways to end a test are told apart"
