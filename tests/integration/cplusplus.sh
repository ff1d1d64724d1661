#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A C++17 program uses all of the library, linked and header-only, without a warning.
#
# usage: cplusplus.sh SOURCE_ROOT LIBRARY MAKE_PAGE
set -u
root=$1 library=$2 make_page=$3
work=$(mktemp -d /tmp/chronotick-cplusplus-XXXXXX)
trap 'rm -rf "$work"' EXIT
"$make_page" trusted "$work/page" || exit 1
sources=("$root/tests/integration/library.cpp" "$work/other.cpp")
# A second file that includes the header: nothing is defined twice.
cat >"$work/other.cpp" <<'END'
#include <chronotick/chronotick.h>
int other(const chronotick *ct, chronotick_interval *ret);
int other(const chronotick *ct, chronotick_interval *ret)
{
	return chronotick_now(ct, ret) | chronotick_wait_until(ct, 0, 0, ret);
}
END
flags=(-std=c++17 -O2 -Wall -Wextra -Wpedantic -Werror -Wshadow -I "$root/lib/include"
	-I "$root/kmod/uapi")
ways=("-DCHRONOTICK_HEADER_ONLY")
# A program that knows nothing of sanitizers cannot load such a library.
grep -q __asan_init "$library" || ways+=("$library -Wl,-rpath,$(dirname "$(realpath "$library")")")
failures=0 done=0
for compiler in g++ clang++; do
	command -v $compiler >/dev/null || continue
	for way in "${ways[@]}"; do
		# shellcheck disable=SC2086 # several arguments
		if $compiler "${flags[@]}" "${sources[@]}" -o "$work/program" $way -lm &&
			"$work/program" "$work/page"; then
			echo "ok   $compiler $way"
		else
			echo "FAIL $compiler $way"
			failures=$((failures + 1))
		fi
		done=$((done + 1))
	done
done
[ "$done" -gt 0 ] || { echo "skipped: no C++ compiler"; exit 77; }
[ "$failures" -eq 0 ]
