#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Install into a directory, then build and run a program against it with nothing but what
# pkg-config says.
#
# usage: installed.sh BUILD_DIR MAKE_PAGE
set -u
build=$1 make_page=$2
work=$(mktemp -d /tmp/chronotick-installed-XXXXXX)
trap 'rm -rf "$work"' EXIT
for tool in meson pkg-config cc; do
	command -v $tool >/dev/null || { echo "skipped: needs $tool"; exit 77; }
done

fail() {
	echo "FAIL: $*"
	exit 1
}

meson install -C "$build" --no-rebuild --destdir "$work/root" >"$work/log" 2>&1 ||
	{ cat "$work/log"; fail "meson install"; }
pc=$(find "$work/root" -name chronotick.pc)
[ -n "$pc" ] || fail "no chronotick.pc is installed"
export PKG_CONFIG_LIBDIR=${pc%/*} PKG_CONFIG_SYSROOT_DIR=$work/root
pkg-config --exists --print-errors chronotick || fail "pkg-config does not find chronotick"
echo "version $(pkg-config --modversion chronotick): $(pkg-config --cflags --libs chronotick)"

lib=$(dirname "$(find "$work/root" -name 'libchronotick.so' | head -n 1)")
if nm -D "$lib/libchronotick.so" 2>/dev/null | grep -q __asan_init; then
	echo "skipped: a program that knows nothing of sanitizers cannot load this build"
	exit 77
fi

# Every function has its man page, by its own name.
if [ -d "$work/root"/usr/local/share/man/man3 ] || command -v scdoc >/dev/null; then
	man=$(find "$work/root" -type d -name man3)
	functions=$(nm -D --defined-only "$lib/libchronotick.so" | sed -n 's/.* T \(chronotick_[a-z_]*\).*/\1/p')
	[ "$(wc -l <<<"$functions")" -gt 20 ] || fail "nm finds no functions"
	for function in $functions; do
		[ "$function" != chronotick_read_slow ] || continue
		[ -s "$man/$function.3" ] || fail "no man page $function(3)"
		[ -s "$man/${function%_fn}.3" ] || fail "no man page ${function%_fn}(3)"
	done
	echo "man pages: $(wc -w <<<"$functions") functions have theirs"
fi

cat >"$work/user.c" <<'END'
#include <stdio.h>
#include <chronotick/chronotick.h>

int main(void)
{
	struct chronotick_interval now;
	struct chronotick *ct;
	int r = chronotick_open(&ct, NULL);

	if (r == 0)
		r = chronotick_now(ct, &now);
	puts(chronotick_strerror(r));
	return r != 0 || now.earliest_ns > now.utc_ns || now.utc_ns > now.latest_ns;
}
END
export CHRONOTICK_PAGE=$work/page
"$make_page" trusted "$CHRONOTICK_PAGE" || fail "make-page"
# shellcheck disable=SC2046 # several flags
cc -Wall -Wextra -Werror "$work/user.c" -o "$work/linked" $(pkg-config --cflags --libs chronotick) ||
	fail "the program does not link"
LD_LIBRARY_PATH=$lib "$work/linked" || fail "the linked program"
# shellcheck disable=SC2046
cc -DCHRONOTICK_HEADER_ONLY -Wall -Wextra -Werror "$work/user.c" -o "$work/header-only" \
	$(pkg-config --cflags chronotick) -lm || fail "the header-only program does not compile"
"$work/header-only" || fail "the header-only program"
cli=$(find "$work/root" -path '*bin/chronotick' -type f)
LD_LIBRARY_PATH=$lib "$cli" read >"$work/read" || { cat "$work/read"; fail "the installed CLI"; }
rm "$CHRONOTICK_PAGE"
LD_LIBRARY_PATH=$lib "$work/linked" && fail "a page that is gone is trusted"
exit 0
