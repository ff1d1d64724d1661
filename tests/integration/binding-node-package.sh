#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The Node.js binding as users get it, with no network: packed, installed where nothing of the tree
# is, built by its install script, and used.
#
# usage: binding-node-package.sh SOURCE_ROOT MAKE_PAGE VERSION
set -u
root=$(realpath "$1") make_page=$(realpath "$2") version=$3
command -v npm >/dev/null || { echo "SKIP: npm is not here"; exit 77; }
work=$(mktemp -d /tmp/chronotick-node-package-XXXXXX)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

unset LD_PRELOAD
export npm_config_cache=$work/cache npm_config_offline=true npm_config_update_notifier=false \
	npm_config_audit=false npm_config_fund=false npm_config_loglevel=error HOME=$work

# Nothing is built in the tree, but in a copy of what a build needs of it.
mkdir -p "$work/tree/lib/bindings" "$work/tree/kmod" "$work/user"
cp -r "$root/LICENSES" "$work/tree" && cp -r "$root/lib/include" "$work/tree/lib" &&
	cp -r "$root/kmod/uapi" "$work/tree/kmod" &&
	cp -r "$root/lib/bindings/node" "$work/tree/lib/bindings" || exit 1
cd "$work/user" || exit 1
npm pack "$work/tree/lib/bindings/node" >"$work/pack.log" 2>&1 || { cat "$work/pack.log"; exit 1; }
package=$work/user/chronotick-$version.tgz
[ -f "$package" ] || { ls; fail "no $package"; exit 1; }
for file in include LICENSE; do
	[ ! -e "$work/tree/lib/bindings/node/$file" ] || fail "packing leaves its $file behind"
done
rm -rf "$work/tree"
tar -tzf "$package" >"$work/contents"
for file in include/chronotick/chronotick.h include/chronotick/chronotick_page.h src/native.h \
	index.js index.d.ts build.js README.md LICENSE; do
	grep -qx "package/$file" "$work/contents" || fail "$file is not in the package"
done
grep -E 'meson|native/' "$work/contents" && fail "more than a package needs"

echo '{"name": "user", "private": true}' >package.json
npm install --foreground-scripts "$package" >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
# Where install scripts are not run, users call it.
[ -e node_modules/chronotick/native/chronotick.node ] || node node_modules/chronotick/build.js ||
	fail "its build fails"
module=node_modules/chronotick/native/chronotick.node
objdump -p "$module" | awk '$1 == "NEEDED" {print $2}' |
	grep -vE '^(libc|libm|ld-linux.*)\.so\.[0-9]+$' && fail "linked with more than libc"

"$make_page" trusted "$work/page" || exit 1
CHRONOTICK_PAGE=$work/page node -e '
	const assert = require("assert"), chronotick = require("chronotick");
	assert.strictEqual(require("chronotick/package.json").version, process.argv[1]);
	assert(chronotick.interval().trusted);
	console.log(chronotick.now());' "$version" || fail "does not work"
echo "$(basename "$package"): $failures failures"
[ "$failures" -eq 0 ]
