# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by scripts/test: an arm64 build on another machine, with Debian's cross compiler, and its
# programs run by qemu-user. The host's dpkg learns of no second architecture: the few libraries are
# unpacked below build-packages/. Nor does its kernel: the emulator is named in each command.

# The compiler with its C library, and the emulator
packages_arm64=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user)
arm64_dir=$top/build-packages/arm64
arm64_libc=/usr/aarch64-linux-gnu

# Why this machine can't do it; empty where it can.
arm64_obstacle() {
	case "$(uname -m)" in
	aarch64) echo "this machine is one: the other builds are for it" ;;
	x86_64) ;;
	*) echo "Debian 12 has the cross compiler for x86-64 machines only" ;;
	esac
	if dpkg-query -W -f='${db:Status-Status}' gcc-multilib 2>/dev/null | grep -qx installed; then
		echo "Debian's cross compilers cannot be installed beside gcc-multilib"
	fi
}

# arm64_unpack PACKAGE...: each below $arm64_dir/root.
arm64_unpack() {
	local package
	(cd "$arm64_dir/debs" && apt_quiet "${apt_apart[@]}" download "$@") || return 1
	for package; do
		dpkg-deb -x "$arm64_dir/debs/${package}"_*_arm64.deb "$arm64_dir/root" || return 1
	done
}

# What programs are linked with, below $arm64_dir/root: of what a build needs the -dev packages,
# and the libraries that these name. The compiler brings the C library.
arm64_libraries() {
	local package link devs=() libraries=()
	for package in "${packages_build[@]}"; do
		case $package in
		libc6-dev) ;;
		*-dev) devs+=("$package") ;;
		esac
	done
	[ "$(cat "$arm64_dir/done" 2>/dev/null)" != "${devs[*]}" ] || return 0
	say "unpacking ${devs[*]} for arm64"
	rm -rf "$arm64_dir"
	mkdir -p "$arm64_dir"/{debs,root}
	apt_apart "$arm64_dir/apt" arm64 && arm64_unpack "${devs[@]}" || return 1
	for package in "${devs[@]}"; do
		libraries+=($(dpkg-deb -f "$arm64_dir/debs/${package}"_*.deb Depends |
			tr ',' '\n' | sed 's/^ *//; s/[ (|].*//' | grep -vE '^$|^libc6|-dev$'))
	done
	arm64_unpack "${libraries[@]}" || return 1
	# One directory for all: links into /lib would lead out of here.
	[ ! -d "$arm64_dir/root/lib" ] || cp -a "$arm64_dir/root/lib/." "$arm64_dir/root/usr/lib/"
	for link in "$arm64_dir"/root/usr/lib/aarch64-linux-gnu/*.so; do
		case $(readlink "$link") in
		/*) ln -sf "$(basename "$(readlink "$link")")" "$link" ;;
		esac
	done
	rm -rf "$arm64_dir/apt" "$arm64_dir/debs"
	echo "${devs[*]}" >"$arm64_dir/done"
}

# Meson's cross file, on standard output.
arm64_cross_file() {
	local root=$arm64_dir/root
	local libs=$root/usr/lib/aarch64-linux-gnu
	cat <<-END
		[constants]
		includes = '$root/usr/include'

		[binaries]
		c = 'aarch64-linux-gnu-gcc'
		ar = 'aarch64-linux-gnu-ar'
		strip = 'aarch64-linux-gnu-strip'
		pkgconfig = 'pkg-config'
		exe_wrapper = ['qemu-aarch64', '-L', '$arm64_libc', '-E', 'LD_LIBRARY_PATH=$libs']

		[built-in options]
		c_args = ['-isystem', includes, '-isystem', includes / 'aarch64-linux-gnu']
		c_link_args = ['-L$libs']

		[properties]
		needs_exe_wrapper = true
		pkg_config_libdir = '$libs/pkgconfig'
		sys_root = '$root'

		[host_machine]
		system = 'linux'
		cpu_family = 'aarch64'
		cpu = 'cortex-a72'
		endian = 'little'
	END
}

# arm64_configure DIRECTORY: set up below the top if it is new.
arm64_configure() {
	arm64_libraries || return 1
	if [ ! -e "$top/$1/build.ninja" ]; then
		arm64_cross_file >"$top/$1.cross"
		set -- "$1" --cross-file "$top/$1.cross"
	fi
	configure "$@" -Dwerror=true -Ddocs=disabled
}

# arm64_build DIRECTORY: and build.
arm64_build() {
	arm64_configure "$1" && work ninja -C "$top/$1"
}

# Does the emulator run here, with the little that a unit test needs: a program that forks?
arm64_runs() {
	local program
	program=$(mktemp /tmp/chronotick-arm64-XXXXXX) || return 1
	aarch64-linux-gnu-gcc -x c -o "$program" - <<-END || return 1
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			int status = 1;
			pid_t pid = fork();

			if (pid == 0)
				_exit(0);
			return waitpid(pid, &status, 0) == pid ? status : 1;
		}
	END
	qemu-aarch64 -L "$arm64_libc" "$program"
	local r=$?
	rm -f "$program"
	return $r
}
