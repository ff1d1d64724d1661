# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by tests that need packages from npm: npm_modules BUILD sets $npm_modules to a folder with
# node_modules in it, as package-lock.json pins them. They are downloaded once for a build. Returns 77,
# with the reason, where there is no npm, or no registry can be reached.

npm_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

npm_modules() {
	local dir=$1/tests/npm lock
	npm_modules=$dir
	command -v npm >/dev/null || { echo "SKIP: npm is not here"; return 77; }
	mkdir -p "$dir" || return 1
	exec {lock}>"$dir/lock"
	flock "$lock"
	if ! cmp -s "$npm_here/package-lock.json" "$dir/node_modules/.installed"; then
		cp "$npm_here/package.json" "$npm_here/package-lock.json" "$dir"
		if ! (cd "$dir" && unset LD_PRELOAD && timeout 300 npm ci --omit=optional --ignore-scripts --no-audit --no-fund \
			--fetch-retries=2 --fetch-timeout=30000) >"$dir/log" 2>&1; then
			exec {lock}>&-
			if grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|ENOTCACHED' "$dir/log"; then
				echo "SKIP: the npm registry cannot be reached"
				return 77
			fi
			cat "$dir/log"
			return 1
		fi
		cp "$npm_here/package-lock.json" "$dir/node_modules/.installed"
	fi
	exec {lock}>&-
}
