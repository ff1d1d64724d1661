# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts: the tree's top, the one list of Debian packages, and how they get here.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What a build needs
packages_build=(gcc libc6-dev meson ninja-build pkg-config python3 libyaml-dev libjansson-dev
	nettle-dev zlib1g-dev scdoc)
# What the embedded reference needs beside chronyd: iproute2 for the namespaces, and the libraries
# that Debian's chronyd is linked with (see chronyd_find)
packages_reference=(iproute2 procps libcap2 libedit2 libgnutls30 libnettle8 libseccomp2)
# What the tests need: Criterion, a second compiler with sanitizers and libFuzzer, style, tools; and
# what a build does without: cairo, if chronotick-replay is to draw nothing, and libmicrohttpd, if
# there is to be no chronotick-exporter; and what the Python binding is built and packed with
packages_test=(g++ libcriterion-dev clang-14 libclang-rt-14-dev clang-format-14 binutils
	strace libcairo2-dev libmicrohttpd-dev python3-dev python3-pip python3-setuptools python3-wheel)
# What chronotick-trace needs beside clang, and the probes; a build does without either
packages_trace=(libbpf-dev libelf-dev bpftool systemtap-sdt-dev)
# What its documentation shows beside it
packages_trace_test=(bpftrace linux-perf util-linux)

say() {
	printf '== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# retried COMMAND...: three tries, for mirrors that hiccup.
retried() {
	local try
	for try in 1 2 3; do
		"$@" && return 0
		printf '%s: try %s failed\n' "$1" "$try" >&2
		sleep $((try * 3))
	done
	return 1
}

apt_quiet() {
	DEBIAN_FRONTEND=noninteractive retried apt-get -qq -o Acquire::Retries=3 \
		-o Dpkg::Use-Pty=0 "$@" </dev/null >/dev/null
}

# apt_apart DIRECTORY ARCHITECTURE [RELEASE...]: a state of apt's own in a new DIRECTORY, for Debian's
# packages of another architecture or of other releases than this machine's, from where it has its
# own. This machine's apt and dpkg learn nothing of it. Sets $apt_apart to the options with which
# apt-get and apt-cache work there; "install" takes nothing for installed.
apt_apart() {
	local dir=$1 architecture=$2 keys=/usr/share/keyrings/debian-archive-keyring.gpg own
	shift 2
	apt_apart=(-o Dir::State="$dir" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir"
		-o Dir::Etc::sourcelist="$dir/sources.list" -o Dir::Etc::sourceparts=-
		-o APT::Architecture="$architecture" -o APT::Architectures="$architecture"
		-o APT::Sandbox::User=root)
	mkdir -p "$dir"/{lists,archives}/partial
	: >"$dir/status"
	apt_quiet update
	own=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sort -u | sed -n "s,^Debian ,deb [signed-by=$keys] ,p")
	echo "$own" >"$dir/sources.list"
	if [ $# -gt 0 ]; then
		# Security's is another place than the releases' own.
		own=$(sed -n '/-security /d; s, [^ ]* main$,,p' <<<"$own" | head -n 1)
		printf '%s main\n' "${@/#/$own }" >"$dir/sources.list"
	fi
	apt_quiet "${apt_apart[@]}" update
}

# packages_need PACKAGE...: install those that are missing; touch nothing if none is.
packages_need() {
	local package missing=()
	for package; do
		dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null |
			grep -qx installed || missing+=("$package")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	say "installing ${missing[*]}"
	[ "$(id -u)" -eq 0 ] || die "run as root, or first: apt-get install ${missing[*]}"
	apt_quiet update
	apt_quiet install --no-install-recommends "${missing[@]}" ||
		die "cannot install ${missing[*]}"
}

# Node.js with its headers and npm, for the Node.js binding: Debian's, unless one is here already, from
# whatever repository.
node_need() {
	local prefix
	if command -v node >/dev/null && command -v npm >/dev/null; then
		prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
		[ ! -e "$prefix/include/node/node_api.h" ] || return 0
	fi
	packages_need nodejs libnode-dev npm
}

# unpacked PACKAGE: have Debian's package unpacked as build-packages/PACKAGE, as installing it would
# start its daemon, perhaps in the place of the host's own. Returns 1 if it is not to be had.
unpacked() {
	local dir=$top/build-packages new=.$1.$$
	[ ! -d "$dir/$1" ] || return 0
	say "unpacking $1"
	mkdir -p "$dir"
	apt_quiet update
	(cd "$dir" && apt_quiet -o APT::Sandbox::User=root download "$1" &&
		dpkg-deb -x "$1"_*.deb "$new" && { mv -T "$new" "$1" || rm -r "$new"; })
}

# Set $chronyd and $chronyc to Debian's chrony: this machine's, or unpacked.
chronyd_find() {
	PATH=$PATH:/usr/sbin
	if chronyd=$(command -v chronyd) && chronyc=$(command -v chronyc); then
		return 0
	fi
	unpacked chrony || die "cannot get Debian's package chrony"
	chronyd=$top/build-packages/chrony/usr/sbin/chronyd
	chronyc=$top/build-packages/chrony/usr/bin/chronyc
}

# Set $ptp4l to Debian's linuxptp, likewise.
ptp4l_find() {
	PATH=$PATH:/usr/sbin
	ptp4l=$(command -v ptp4l) && return 0
	unpacked linuxptp || die "cannot get Debian's package linuxptp"
	ptp4l=$top/build-packages/linuxptp/usr/sbin/ptp4l
}

# Set $prometheus and $promtool to Debian's, likewise. Returns 1 if they are not to be had.
prometheus_find() {
	if prometheus=$(command -v prometheus) && promtool=$(command -v promtool); then
		return 0
	fi
	unpacked prometheus || return 1
	prometheus=$top/build-packages/prometheus/usr/bin/prometheus
	promtool=$top/build-packages/prometheus/usr/bin/promtool
}

# The npm packages that tests use, in $npm_dir: those that the lock file names, each with its hash,
# from whatever registry npm is set up for. Both return 0; or 1, and say what is missing in $npm_missing.
npm_dir=$top/build-npm
npm_from=$top/tests/integration/mcp-clients
npm_installed() {
	npm_missing="needs the npm packages of tests/integration/mcp-clients, which scripts/test installs"
	[ -d "$npm_dir/node_modules" ] && cmp -s "$npm_from/package-lock.json" "$npm_dir/installed"
}
npm_install() {
	! npm_installed || return 0
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		npm_missing="needs node and npm, version 20 or later"
		return 1
	fi
	if [ "$(node -p 'parseInt(process.versions.node)')" -lt 20 ]; then
		npm_missing="needs node 20 or later: this is $(node --version)"
		return 1
	fi
	say "installing npm packages"
	mkdir -p "$npm_dir"
	rm -f "$npm_dir/installed"
	cp "$npm_from/package.json" "$npm_from/package-lock.json" "$npm_dir"
	if ! (cd "$npm_dir" && retried npm ci --omit=optional --ignore-scripts --no-audit --no-fund \
		--loglevel=error >/dev/null); then
		npm_missing="npm cannot install tests/integration/mcp-clients/package-lock.json"
		return 1
	fi
	cp "$npm_dir/package-lock.json" "$npm_dir/installed"
}

# configure DIRECTORY MESON-OPTION...: set up below the top if it is new.
configure() {
	local dir=$top/$1
	shift
	if [ ! -e "$dir/build.ninja" ]; then
		meson setup "$dir" "$top" "$@"
	else
		meson configure "$dir" "$@"
	fi
}

# work COMMAND...: what takes a machine's CPUs for a while; scripts/test has one of its own.
work() {
	"$@"
}

# build DIRECTORY MESON-OPTION...: and build.
build() {
	configure "$@" && work ninja -C "$top/$1"
}
