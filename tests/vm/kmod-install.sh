#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# scripts/kmod-install on machines of all kinds: tests/vm/kmod-install.sh KERNEL
#
# KERNEL is one of those below $CHRONOTICK_KERNELS, whose headers the module is built against. What is
# looked at and installed into lies in memory, in a mount namespace of this test's own, and commands that
# only write down what they are asked stand for the running kernel. What can't be done is to be told
# in words, and to change nothing. Prints TAP.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
headers=${CHRONOTICK_KERNELS:-${XDG_CACHE_HOME:-$HOME/.cache}/chronotick/kernels}/$1/build
PATH=$PATH:/usr/sbin:/sbin
places=(/proc /sys /dev /lib/modules /usr/src /etc/udev/rules.d /etc/modules-load.d /var/lib/dkms)

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

if [ -z "${KMOD_INSTALL_WORK:-}" ]; then
	[ "$(id -u)" -eq 0 ] || skip_all "only root can make a mount namespace"
	[ -e "$headers/Makefile" ] || skip_all "$headers is not there: scripts/test vm unpacks it"
	unshare -m true 2>/dev/null || skip_all "there is no mount namespace to be had"
	KMOD_INSTALL_WORK=$(mktemp -d /tmp/chronotick-install-XXXXXX) || exit 1
	trap 'rm -rf "$KMOD_INSTALL_WORK"' EXIT
	export KMOD_INSTALL_WORK
	unshare -m --propagation private "$0" "$1"
	exit $?
fi

release=$(basename "$(readlink -f "$headers")")
release=${release#linux-headers-}
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$top/kmod/dkms.conf")
log=$KMOD_INSTALL_WORK/log
bin=$KMOD_INSTALL_WORK/bin
mkdir "$bin"
for place in "${places[@]}"; do
	mkdir -p "$place"
	mount -t tmpfs none "$place" || exit 1
done
umask 0022
mknod /dev/null c 1 3 && chmod 666 /dev/null 2>/dev/null
mkdir -p /proc/sys/kernel /sys/kernel/security "$KMOD_INSTALL_WORK/proc"
# What DKMS asks of the machine that it runs on
mount -t proc none "$KMOD_INSTALL_WORK/proc"
ln -s "$KMOD_INSTALL_WORK/proc/self" "$KMOD_INSTALL_WORK/proc/cpuinfo" /proc
ln -s /proc/self/fd /dev/fd

# stand_in NAME: a command, by the script on standard input
stand_in() {
	{ echo '#!/bin/sh' && cat; } >"$bin/$1"
	chmod 755 "$bin/$1"
}
stand_in uname <<-END
	[ "\$*" = -r ] && echo $release && exit 0
	[ "\$*" = -m ] && [ -n "\$MACHINE" ] && echo "\$MACHINE" && exit 0
	exec /bin/uname "\$@"
END
stand_in modprobe <<-END
	echo "modprobe \$*" >>$log
	mknod /dev/chronotick c 1 3
END
stand_in depmod <<-END
	echo "depmod \$*" >>$log
END
PATH=$bin:$PATH

# machine: one that has all
machine() {
	rm -rf /lib/modules/* /usr/src/* /var/lib/dkms/* /etc/udev/rules.d/* \
		/etc/modules-load.d/* /dev/chronotick
	: >"$log"
	mkdir -p "/lib/modules/$release"
	ln -s "$headers" "/lib/modules/$release/build"
	echo "loop 1 0 - Live 0x0" >/proc/modules
	echo 0 >/proc/sys/kernel/modules_disabled
	echo "[none] integrity confidentiality" >/sys/kernel/security/lockdown
}

count=0
check() {
	local what=$1 r=0
	shift
	"$@" || r=1
	count=$((count + 1))
	[ $r -eq 0 ] && echo "ok $count - $what" || echo "not ok $count - $what"
}

# An earlier release's, which nobody has removed
dkms_has_earlier() {
	command -v dkms >/dev/null || return
	cp -r "$top/kmod" /usr/src/chronotick-0.0.1
	sed -i 's/^PACKAGE_VERSION=.*/PACKAGE_VERSION="0.0.1"/' /usr/src/chronotick-0.0.1/dkms.conf
	dkms add chronotick/0.0.1 >/dev/null 2>&1
}

nothing_is_installed() {
	[ ! -s "$log" ] && [ -z "$(find "${places[@]:3}" -type f)" ]
}

# refused WHAT WORDS [ARGUMENT...]: it ends with 1, says so in those words, and changes nothing.
refused() {
	local what=$1 words=$2 said r
	shift 2
	said=$("$top/scripts/kmod-install" "$@" 2>&1 </dev/null)
	r=$?
	check "$what: is refused" [ $r -eq 1 ]
	check "$what: '$words'" grep -qF "$words" <<<"$said"
	check "$what: nothing has changed" nothing_is_installed
}

# installed WHAT MODULE [ARGUMENT...]: all that belongs to it is there, and asked for.
installed() {
	local what=$1 module=/lib/modules/$release/$2 said r
	shift 2
	said=$("$top/scripts/kmod-install" "$@" 2>&1 </dev/null)
	r=$?
	check "$what: is done" [ $r -eq 0 ]
	[ $r -eq 0 ] || sed 's/^/# /' <<<"$said"
	check "$what: the module is where depmod looks first" [ -s "$module" ]
	check "$what: it is for that kernel" grep -q "^vermagic=$release " \
		<<<"$(modinfo -F vermagic "$module" | sed 's/^/vermagic=/')"
	check "$what: the rule" cmp -s "$top/kmod/60-chronotick.rules" \
		/etc/udev/rules.d/60-chronotick.rules
	check "$what: the start" cmp -s "$top/kmod/chronotick.conf" \
		/etc/modules-load.d/chronotick.conf
	check "$what: it is loaded" grep -qx "modprobe chronotick" "$log"
}

removed() {
	local what=$1
	shift
	: >"$log"
	check "$what: is undone" "$top/scripts/kmod-install" --remove
	: >"$log"
	rm -rf /var/lib/dkms/* # its own record of what there was
	check "$what: nothing is left" nothing_is_installed
}

machine
MACHINE=riscv64 refused "another architecture" "is for x86-64 and arm64"
machine
rm /proc/modules
refused "a kernel without modules" "has no support for modules"
machine
echo 1 >/proc/sys/kernel/modules_disabled
refused "modules are switched off" "kernel.modules_disabled is 1"
for mode in integrity confidentiality; do
	machine
	echo "none [$mode]" >/sys/kernel/security/lockdown
	refused "lockdown, $mode" "the kernel is locked down"
done
machine
rm "/lib/modules/$release/build"
refused "no headers" "apt-get install linux-headers-$release"
machine
KMOD_SIGN_KEY=$KMOD_INSTALL_WORK/none.key refused "a key that is not there" \
	"there is no $KMOD_INSTALL_WORK/none.key"
machine
KMOD_SIGN_KEY=$log KMOD_SIGN_CERT=$log refused "a key, and DKMS that has its own" "DKMS signs" --dkms
machine
ln -s "$KMOD_INSTALL_WORK/none/none" "/lib/modules/$release/updates"
refused "a place that can't be written" "can't be put into"
machine
dkms_has_earlier
installed "by make" updates/chronotick.ko
check "by make: DKMS has no other" [ -z "$(dkms status chronotick 2>/dev/null)" ]
cp "/lib/modules/$release/updates/chronotick.ko" "$KMOD_INSTALL_WORK"
removed "by make"
if command -v dkms >/dev/null; then
	machine
	dkms_has_earlier
	install -D "$KMOD_INSTALL_WORK/chronotick.ko" "/lib/modules/$release/updates/chronotick.ko"
	installed "by DKMS" updates/dkms/chronotick.ko --dkms
	check "by DKMS: it is what DKMS has" grep -q "^chronotick.$version.*$release.*installed" \
		<<<"$(dkms status chronotick 2>&1)"
	check "by DKMS: it has no other version" [ "$(dkms status chronotick | wc -l)" -eq 1 ]
	check "by DKMS: there is one module" \
		[ "$(find /lib/modules -name 'chronotick.ko*' | wc -l)" -eq 1 ]
	removed "by DKMS"
else
	count=$((count + 1))
	echo "ok $count - by DKMS # SKIP there is no dkms here"
fi
echo "1..$count"
