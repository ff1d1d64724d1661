# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the scripts: Debian's kernels for the virtual machines of tests/vm, and how those are
# run. Kernels are unpacked, not installed, and outside of this tree, so that the next clone finds
# them: 0.5 GB each, below $CHRONOTICK_KERNELS/NAME as vmlinuz, build (what a module is built
# against), root, and make where that is what builds it. NAME is
#	6.1, 6.12	that line of this Debian's, for amd64
#	6.1-arm64	or for arm64
#	newest		the newest that Debian has for its stable release; its make runs that release's
#			compiler and tools, as this one's may be too old for it
# Beside them is emulator, a newer QEMU than this Debian's, with what it is linked with: 170 MB.

# The emulator, and what a module's build needs beside a compiler
packages_vm=(qemu-system-x86 make dwarves libelf1 zstd busybox-static dash iproute2 kmod dkms)
packages_vm_arm64=(qemu-system-arm)
vm_lines=(6.1 6.12)
# Where the newest is, and what builds a module for it there, beside what its headers name
vm_newest_releases=(trixie trixie-backports)
vm_newest_tools=(binutils make dash bash coreutils sed grep findutils diffutils mawk perl-base
	dpkg kmod)
# Whose QEMU is newer, and what has to be in it: the device that this Debian's lacks
vm_emulator_release=trixie
vm_emulator_device=igb
CHRONOTICK_KERNELS=${CHRONOTICK_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/chronotick/kernels}
export CHRONOTICK_KERNELS

# Why this machine can't do it; empty where it can.
vm_obstacle() {
	[ "$(uname -m)" = x86_64 ] || echo "the virtual machines are emulated on x86-64 ones"
}

# vm_release LINE ARCHITECTURE [OPTION...]: the newest kernel release, unless for clouds or real
# time, that apt-cache with these options knows headers of. LINE: a regular expression
vm_release() {
	local line=$1 architecture=$2
	shift 2
	apt-cache "$@" search --names-only "^linux-headers-$line" |
		sed -nE "s/^linux-headers-([0-9.]+[0-9+-][a-z0-9]*-$architecture) .*/\1/p" |
		sort -V | tail -n 1
}

# vm_depends FILE: what of the kernel's own the package depends on
vm_depends() {
	dpkg-deb -f "$1" Depends | tr ',' '\n' |
		sed -nE 's/^ *(linux-(headers|kbuild)-[^ ]*).*/\1/p'
}

vm_download() {
	apt_quiet -o APT::Sandbox::User=root "$@"
}

# Each of these puts a kernel's packages into the working directory and sets $release.

# vm_fetch LINE
vm_fetch() {
	release=$(vm_release "${1/./\\.}\\." amd64)
	[ -n "$release" ] || return 1
	vm_download download "linux-image-$release-unsigned" "linux-headers-$release" &&
		vm_download download $(vm_depends linux-headers-*.deb)
}

# vm_fetch_arm64 LINE: with this machine's programs, which build for any
vm_fetch_arm64() {
	local apt_apart
	apt_apart "${PWD%/*}/apt" arm64 || return 1
	release=$(vm_release "${1/./\\.}\\." arm64 "${apt_apart[@]}")
	[ -n "$release" ] || return 1
	vm_download "${apt_apart[@]}" download "linux-image-$release-unsigned" \
		"linux-headers-$release" &&
		vm_download download $(vm_depends linux-headers-*.deb)
}

vm_fetch_newest() {
	local apt_apart
	apt_apart "${PWD%/*}/apt" amd64 "${vm_newest_releases[@]}" || return 1
	release=$(vm_release '[0-9]' amd64 "${apt_apart[@]}")
	[ -n "$release" ] || return 1
	vm_download "${apt_apart[@]}" install --download-only --yes --no-install-recommends \
		"linux-binary-$release" "linux-headers-$release" "${vm_newest_tools[@]}" &&
		mv ../apt/archives/*.deb .
}

# vm_make_newest DIRECTORY ROOT RELEASE: a make for modules of that kernel, into DIRECTORY; ROOT is
# what its root will be called. All programs and libraries of a Debian release are in /usr: its own
# stand in for this machine's, for this make alone.
vm_make_newest() {
	ln -sf mawk "$1/root/usr/bin/awk" # which installing it would do
	cat >"$1/make" <<-END
		#!/bin/sh
		exec unshare --mount sh -c 'mount --bind "\$0" /usr && exec make "\$@"' '$2/usr' \\
			-C '/usr/src/linux-headers-$3' "\$@"
	END
	chmod +x "$1/make"
}

# vm_kernel NAME: see to it that it is there.
vm_kernel() {
	local dir=$CHRONOTICK_KERNELS/$1 next=$CHRONOTICK_KERNELS/.$1.$$ release= deb image
	[ ! -e "$dir/build/Makefile" ] || return 0
	say "unpacking Linux $1"
	mkdir -p "$next/debs" "$next/root"
	pushd "$next/debs" >/dev/null || return 1
	case $1 in
	newest) vm_fetch_newest ;;
	*-arm64) vm_fetch_arm64 "${1%-arm64}" ;;
	*) vm_fetch "$1" ;;
	esac
	local r=$?
	popd >/dev/null || return 1
	[ $r -eq 0 ] || return 1
	for deb in "$next"/debs/*.deb; do
		dpkg-deb -x "$deb" "$next/root" || return 1
	done
	rm -rf "$next/debs" "$next/apt"
	image=root/boot/vmlinuz-$release
	[ -e "$next/$image" ] || image=root/usr/lib/modules/$release/vmlinuz
	ln -s "$image" "$next/vmlinuz"
	ln -s "root/usr/src/linux-headers-$release" "$next/build"
	if [ "$1" = newest ]; then
		vm_make_newest "$next" "$dir/root" "$release"
	else
		# It names its other half by where a package would put it.
		sed -i "s,/usr/src/,$dir/root/usr/src/," "$next/build/Makefile"
	fi
	rm -rf "$dir"
	mv -T "$next" "$dir"
	say "Linux $release"
}

# vm_kernels NAME...: all of these. One that Debian does not have here is left out; its tests say
# that they are skipped.
vm_kernels() {
	local name
	mkdir -p "$CHRONOTICK_KERNELS"
	for name; do
		[ -e "$CHRONOTICK_KERNELS/$name/build/Makefile" ] || { apt_quiet update; break; }
	done
	for name; do
		vm_kernel "$name" || say "no Linux $name to be had"
		rm -rf "$CHRONOTICK_KERNELS/.$name.$$"
	done
}

# vm_emulator: have the newer QEMU as $CHRONOTICK_KERNELS/emulator/qemu-system-x86_64, which run.py
# takes for devices that this Debian's does not have. Its release's programs and libraries stand in for
# this machine's, for it alone. Where there is none, the tests of those devices say that they are skipped.
vm_emulator() {
	local dir=$CHRONOTICK_KERNELS/emulator next=$CHRONOTICK_KERNELS/.emulator.$$ deb apt_apart whole=yes
	[ ! -x "$dir/qemu-system-x86_64" ] || return 0
	qemu-system-x86_64 -device help 2>/dev/null | grep -q "^name \"$vm_emulator_device\"" &&
		return 0
	say "unpacking $vm_emulator_release's emulator"
	mkdir -p "$next/root"
	if apt_apart "$next/apt" amd64 "$vm_emulator_release" &&
		vm_download "${apt_apart[@]}" install --download-only --yes \
			--no-install-recommends qemu-system-x86; then
		for deb in "$next"/apt/archives/*.deb; do
			dpkg-deb -x "$deb" "$next/root" || whole=
		done
		cat >"$next/qemu-system-x86_64" <<-'END'
			#!/bin/sh
			exec unshare --mount sh -c 'mount --bind "$0/root/usr" /usr &&
				exec qemu-system-x86_64 "$@"' "$(dirname "$(realpath "$0")")" "$@"
		END
		chmod +x "$next/qemu-system-x86_64"
		[ -n "$whole" ] && "$next/qemu-system-x86_64" -device help 2>/dev/null |
			grep -q "^name \"$vm_emulator_device\"" &&
			rm -rf "$next/apt" "$dir" && mv -T "$next" "$dir"
	fi
	rm -rf "$next"
	[ -x "$dir/qemu-system-x86_64" ] || say "no newer emulator to be had"
}

# vm_machine KERNEL LABEL ARGUMENT...: run tests/vm/run.py and count its checks in $passed, $failed
# and $skipped. It works below $work and leaves its output there.
vm_machine() {
	local kernel=$1 label=$2 log=$work/$1-${2// /-}.log start=$SECONDS good bad skips
	shift 2
	python3 "$top/tests/vm/run.py" "$kernel" --work "$work/$kernel" "$@" >"$log" 2>&1
	if grep -q '^1\.\.0 # SKIP' "$log"; then
		skipped=$((skipped + 1))
		echo "skip $kernel: $label: $(sed -n 's/^1\.\.0 # SKIP //p' "$log")"
		return
	fi
	skips=$(grep -c '^ok .* # SKIP' "$log")
	good=$(($(grep -c '^ok ' "$log") - skips)) bad=$(grep -c '^not ok ' "$log")
	grep '^not ok ' "$log"
	# Whatever ends a run before its plan is a failure as well.
	grep -q '^1\.\.[1-9]' "$log" || { tail -n 20 "$log" && bad=$((bad + 1)); }
	passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
	echo "$([ "$bad" -eq 0 ] && echo "ok  " || echo FAIL) $kernel: $label," \
		"$good of $((good + bad)) checks ($((SECONDS - start)) s)"
}

# vm_programs DIRECTORY NAME...: build these in a build directory that is configured.
vm_programs() {
	local dir=$1
	shift
	ninja -C "$dir" "${@/#/tests/vm/vm-}"
}
