#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Python binding as users get it, with no network: source distribution, wheel of that, installed
# in a folder of its own, and used; and that it needs the stable ABI only, and no library of ours.
#
# usage: binding-python-package.sh SOURCE_ROOT MAKE_PAGE VERSION
set -u
root=$(realpath "$1") make_page=$(realpath "$2") version=$3
work=$(mktemp -d /tmp/chronotick-python-package-XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# The first interpreter that can build: its own headers, setuptools, wheel and pip
python=
for candidate in python3 /usr/bin/python3; do
	"$candidate" - 2>/dev/null <<-END && python=$candidate && break
		import os, setuptools, sys, sysconfig, wheel, pip
		sys.exit(not (sys.version_info >= (3, 11) and
		              os.path.exists(sysconfig.get_path("include") + "/Python.h")))
	END
done
[ -n "$python" ] || {
	echo "SKIP: no Python here has pip, setuptools, wheel and its headers"
	exit 77
}
unset LD_PRELOAD PYTHONPATH
pip=("$python" -m pip --disable-pip-version-check --no-input)
export PIP_NO_INDEX=1 PIP_ROOT_USER_ACTION=ignore

# Nothing is built in the tree, but in a copy of what a build needs of it.
mkdir -p "$work/tree/lib/bindings" "$work/tree/kmod"
cp -r "$root/LICENSES" "$work/tree" && cp -r "$root/lib/include" "$work/tree/lib" &&
	cp -r "$root/kmod/uapi" "$work/tree/kmod" &&
	cp -r "$root/lib/bindings/python" "$work/tree/lib/bindings" || exit 1
(cd "$work/tree/lib/bindings/python" &&
	"$python" -c "from setuptools import build_meta as b; b.build_sdist('$work/dist')") \
	>"$work/sdist.log" 2>&1 || { cat "$work/sdist.log"; exit 1; }
sdist=$work/dist/chronotick-$version.tar.gz
[ -f "$sdist" ] || { ls "$work/dist"; fail "no $sdist"; exit 1; }
tar -tzf "$sdist" >"$work/contents"
for file in include/chronotick/chronotick.h include/chronotick/chronotick_page.h src/native.h LICENSE \
	chronotick/py.typed chronotick/_native.pyi chronotick_shm/shm_config.py; do
	grep -q "^chronotick-$version/$file$" "$work/contents" || fail "$file is not in the sdist"
done

"${pip[@]}" wheel --no-build-isolation --no-deps -w "$work/wheels" "$sdist" >"$work/wheel.log" 2>&1 ||
	{ tail -n 30 "$work/wheel.log"; exit 1; }
wheel=$(echo "$work"/wheels/chronotick-"$version"-cp311-abi3-linux_*.whl)
[ -f "$wheel" ] || { ls "$work/wheels"; fail "no wheel for the stable ABI"; exit 1; }
"${pip[@]}" install --no-deps --target "$work/site" "$wheel" >"$work/install.log" 2>&1 ||
	{ cat "$work/install.log"; exit 1; }
module=$work/site/chronotick/_native.abi3.so
for file in "$module" "$work/site/chronotick/LICENSE" "$work/site/chronotick/py.typed" "$work/site/chronotick/_native.pyi"; do
	[ -f "$file" ] || fail "$file is not installed"
done

# What it is linked with, and what it asks the interpreter for
objdump -p "$module" | awk '$1 == "NEEDED" {print $2}' >"$work/needed"
grep -vE '^(libc|libm|ld-linux.*)\.so\.[0-9]+$' "$work/needed" && fail "linked with more than libc"
nm -D --defined-only "$module" | awk '{print $3}' | grep -v '^PyInit__native$' &&
	fail "exports more than its entry"
nm -D --undefined-only "$module" | grep -E ' _Py' |
	grep -vE ' _Py_(Dealloc|NoneStruct|TrueStruct|FalseStruct)$|_SizeT$' &&
	fail "uses what is not in the stable ABI"

"$make_page" trusted "$work/page" || exit 1
cd "$work" || exit 1
PYTHONPATH=$work/site CHRONOTICK_PAGE=$work/page "$python" - "$version" <<-END || fail "does not work"
	import sys
	import chronotick, chronotick_shm.shm_config
	assert chronotick.__version__ == sys.argv[1], chronotick.__version__
	assert chronotick.__file__.startswith("$work/site")
	print(chronotick.now(), chronotick_shm.ChronoTickClient().get_time())
END
echo "$(basename "$sdist"), $(basename "$wheel"): $failures failures"
[ "$failures" -eq 0 ]
