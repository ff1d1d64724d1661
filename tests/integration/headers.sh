#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The headers compile without a warning in C and in C++, header-only and linked, with every
# compiler that is here; and the header-only programs run.
#
# usage: headers.sh SOURCE_ROOT
set -u
root=$1
work=$(mktemp -d /tmp/chronotick-headers-XXXXXX)
trap 'rm -rf "$work"' EXIT

cat >"$work/user.c" <<'END'
#include <chronotick/chronotick.h>
int main(void);
int main(void)
{
	struct chronotick_interval now = {0, 0, 0, 0, 0, 0};
	struct chronotick_change last = {0, 0, 0, 0};
	struct chronotick_tai tai;
	struct chronotick *ct;
	uint64_t counter = 0;
	int timeout_ms = 0;

	if (chronotick_compare(&now, &now) != CHRONOTICK_OVERLAP ||
	    chronotick_interval_tai(&now, &tai) != 0)
		return 1;
	if (chronotick_open(&ct, "/nonexistent/page") != -ENOENT)
		return 1;
	ct = 0;
	chronotick_close(ct);
	return ct ? chronotick_now(ct, &now) | chronotick_now_unordered(ct, &now) |
			    chronotick_at(ct, 0, &now) | chronotick_now_within(ct, 0, &now) |
			    chronotick_at_within(ct, 0, 0, &now) |
			    chronotick_at_batch(ct, &counter, 1, &now, 0) |
			    chronotick_wait_until(ct, 0, 0, &now) |
			    chronotick_wait_change(ct, &last, 0) | chronotick_poll_fd(ct) |
			    chronotick_poll_change(ct, 0, &last, &timeout_ms)
		  : 0;
}
END
# Two files that both include the header: nothing is defined twice.
cat >"$work/other.c" <<'END'
#include <chronotick/chronotick.h>
#include <chronotick/tools.h>
int other(const struct chronotick *ct, struct chronotick_record *record);
int other(const struct chronotick *ct, struct chronotick_record *record)
{
	return chronotick_record_read(ct, record);
}
END
flags=(-O2 -Wall -Wextra -Werror -Wshadow -I "$root/lib/include" -I "$root/kmod/uapi")
cases=(
	"gcc|-x c -std=gnu11 -Wmissing-prototypes -Wundef"
	"gcc|-x c -std=c11 -pedantic -D_GNU_SOURCE"
	"clang|-x c -std=gnu11 -Wmissing-prototypes -Wundef"
	"clang|-x c -std=c11 -pedantic -D_GNU_SOURCE"
	"gcc|-x c -std=gnu11 -Wmissing-prototypes -Wundef PROBES"
	"clang|-x c -std=gnu11 -Wmissing-prototypes -Wundef PROBES"
	"g++|-x c++ -std=c++11 PROBES"
	"g++|-x c++ -std=c++11"
	"g++|-x c++ -std=c++20 -pedantic"
	"clang++|-x c++ -std=c++11"
	"clang++|-x c++ -std=c++20 -pedantic"
)
failures=0 done=0
for case in "${cases[@]}"; do
	compiler=${case%%|*}
	read -ra language <<<"${case#*|}"
	command -v "$compiler" >/dev/null || continue
	if [[ $case = *PROBES ]]; then
		[ -e /usr/include/sys/sdt.h ] || [ -e /usr/include/*/sys/sdt.h ] || continue
		language=("${language[@]/PROBES/-DCHRONOTICK_PROBES}")
	fi
	# What is linked later asks the C library for no extension.
	linked=("${language[@]/-D_GNU_SOURCE/}")
	if "$compiler" "${language[@]}" "${flags[@]}" -DCHRONOTICK_HEADER_ONLY \
		"$work/user.c" "$work/other.c" -o "$work/user" -lm &&
		"$work/user" &&
		"$compiler" ${linked[@]} "${flags[@]}" -c "$work/user.c" -o "$work/user.o"; then
		echo "ok   $compiler ${language[*]}"
	else
		echo "FAIL $compiler ${language[*]}"
		failures=$((failures + 1))
	fi
	done=$((done + 1))
done

# For arm64: what needs no library is only compiled.
arm64=(-isystem /usr/aarch64-linux-gnu/include)
for compiler in aarch64-linux-gnu-gcc "clang-14 --target=aarch64-linux-gnu"; do
	read -ra command <<<"$compiler"
	if [ ! -d "${arm64[1]}" ] || ! command -v "${command[0]}" >/dev/null; then
		echo "not compiled for arm64 by ${command[0]}: it, or the C library for it, is missing"
		continue
	fi
	if "${command[@]}" "${arm64[@]}" -x c -std=gnu11 -Wmissing-prototypes -Wundef "${flags[@]}" \
		-DCHRONOTICK_HEADER_ONLY -c "$work/user.c" -o "$work/user.o"; then
		echo "ok   $compiler"
	else
		echo "FAIL $compiler"
		failures=$((failures + 1))
	fi
	done=$((done + 1))
done
[ "$done" -gt 0 ] || { echo "skipped: no compiler"; exit 77; }
[ "$failures" -eq 0 ]
