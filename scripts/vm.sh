# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by scripts/test: Debian's kernels for the virtual machines of tests/vm. They are unpacked,
# not installed, and outside of this tree, so that the next clone finds them: 0.5 GB each, below
# $CHRONOTICK_KERNELS/LINE as vmlinuz, build (what a module is built against) and root.

# The emulator, and what a module's build needs beside a compiler
packages_vm=(qemu-system-x86 make dwarves libelf1 zstd busybox-static dash iproute2 kmod dkms)
vm_lines=(6.1 6.12)
CHRONOTICK_KERNELS=${CHRONOTICK_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/chronotick/kernels}
export CHRONOTICK_KERNELS

# Why this machine can't do it; empty where it can.
vm_obstacle() {
	[ "$(uname -m)" = x86_64 ] || echo "the virtual machines are x86-64 ones"
}

# vm_release LINE: the newest kernel release of Debian's for amd64, unless for clouds or real time.
vm_release() {
	apt-cache search --names-only "^linux-image-${1/./\\.}\\..*-unsigned\$" |
		sed -nE 's/^linux-image-([0-9.]+[0-9+-][a-z0-9]*-amd64)-unsigned .*/\1/p' |
		sort -V | tail -n 1
}

# vm_depends FILE: what of the kernel's own the package depends on
vm_depends() {
	dpkg-deb -f "$1" Depends | tr ',' '\n' |
		sed -nE 's/^ *(linux-(headers|kbuild)-[^ ]*).*/\1/p'
}

# vm_kernel LINE: see to it that it is there.
vm_kernel() {
	local dir=$CHRONOTICK_KERNELS/$1 next=$CHRONOTICK_KERNELS/.$1.$$ release deb
	[ ! -e "$dir/build/Makefile" ] || return 0
	release=$(vm_release "$1")
	[ -n "$release" ] || return 1
	say "unpacking Linux $release"
	mkdir -p "$next/debs" "$next/root"
	(
		cd "$next/debs" &&
			apt_quiet -o APT::Sandbox::User=root download \
				"linux-image-$release-unsigned" "linux-headers-$release" &&
			apt_quiet -o APT::Sandbox::User=root download \
				$(vm_depends linux-headers-*.deb)
	) || return 1
	for deb in "$next"/debs/*.deb; do
		dpkg-deb -x "$deb" "$next/root" || return 1
	done
	rm -rf "$next/debs"
	ln -s "root/boot/vmlinuz-$release" "$next/vmlinuz"
	ln -s "root/usr/src/linux-headers-$release" "$next/build"
	# It names its other half by where a package would put it.
	sed -i "s,/usr/src/,$dir/root/usr/src/," "$next/build/Makefile"
	rm -rf "$dir"
	mv -T "$next" "$dir"
}

# All of them. One that Debian does not have here is left out; its tests say that they are skipped.
vm_kernels() {
	local line
	mkdir -p "$CHRONOTICK_KERNELS"
	for line in "${vm_lines[@]}"; do
		[ -e "$CHRONOTICK_KERNELS/$line/build/Makefile" ] || { apt_quiet update; break; }
	done
	for line in "${vm_lines[@]}"; do
		vm_kernel "$line" || say "no Linux $line to be had"
		rm -rf "$CHRONOTICK_KERNELS/.$line.$$"
	done
}
