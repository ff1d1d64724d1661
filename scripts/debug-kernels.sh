# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by scripts/test-kernel-debug, after vm.sh: kernels from Debian's source that look on
# themselves. Each is small, has what the programs of tests/vm need, and lies below
# $CHRONOTICK_KERNELS/LINE-NAME as vmlinuz and build, as those of vm.sh do; their sources lie below
# $CHRONOTICK_KERNELS/source-LINE. 2 GB in all.

# What builds a kernel, beside packages_vm
packages_debug=(gcc flex bison bc libelf-dev xz-utils)

# What they have in common: a machine that boots from memory, with what modules and programs ask for.
debug_common=(
	64BIT SMP MODULES MODULE_UNLOAD PRINTK PRINTK_TIME TTY SERIAL_8250 SERIAL_8250_CONSOLE
	BLK_DEV_INITRD HYPERVISOR_GUEST PVH BINFMT_ELF BINFMT_SCRIPT PCI ACPI HPET_TIMER X86_PM_TIMER RTC_CLASS
	RTC_DRV_CMOS HIGH_RES_TIMERS NO_HZ_IDLE MULTIUSER PROC_FS PROC_SYSCTL SYSFS TMPFS SHMEM
	DEVTMPFS DEVMEM POSIX_TIMERS FUTEX EPOLL SIGNALFD TIMERFD EVENTFD AIO ADVISE_SYSCALLS
	MEMBARRIER CROSS_MEMORY_ATTACH KALLSYMS KALLSYMS_ALL FTRACE ENABLE_DEFAULT_TRACERS
	SUSPEND PM_SLEEP PM_DEBUG PM_ADVANCED_DEBUG PM_SLEEP_DEBUG NET UNIX NAMESPACES PID_NS UTS_NS
	DEBUG_KERNEL DEBUG_FS DEBUG_FS_ALLOW_ALL STACKTRACE FRAME_POINTER UNWINDER_FRAME_POINTER
	DEBUG_LIST DEBUG_ATOMIC_SLEEP DETECT_HUNG_TASK SOFTLOCKUP_DETECTOR DEBUG_INFO_NONE
)
# Memory that is not one's own, locks, leaks and arithmetic; and data races, which go with none of
# the first.
debug_kasan=(
	KASAN KASAN_GENERIC KASAN_INLINE KASAN_VMALLOC PROVE_LOCKING PROVE_RAW_LOCK_NESTING
	DEBUG_LOCK_ALLOC DEBUG_KMEMLEAK UBSAN UBSAN_BOUNDS UBSAN_SHIFT UBSAN_BOOL UBSAN_ENUM
	DEBUG_OBJECTS DEBUG_OBJECTS_FREE DEBUG_OBJECTS_TIMERS DEBUG_VM DEBUG_NOTIFIERS
	INET IPV6 PACKET NETDEVICES NET_CORE VETH NET_NS PTP_1588_CLOCK NETWORK_PHY_TIMESTAMPING
)
debug_kcsan=(KCSAN KCSAN_INTERRUPT_WATCHER DEBUG_SPINLOCK)
# A word of one's own to a detector: what it does not say of itself
debug_off=(
	KCSAN_REPORT_VALUE_CHANGE_ONLY DEBUG_KMEMLEAK_DEFAULT_OFF MODULE_SIG WERROR KCSAN_SELFTEST
	UBSAN_TRAP
)
debug_values=(
	DEBUG_KMEMLEAK_MEM_POOL_SIZE=16000 KCSAN_REPORT_ONCE_IN_MS=1000 KCSAN_UDELAY_TASK=20
	KCSAN_SKIP_WATCH=400 CONSOLE_LOGLEVEL_QUIET=7 LOG_BUF_SHIFT=20 LOCKDEP_CHAINS_BITS=16
)

# debug_source LINE: see to it that Debian's source of that kernel is there.
debug_source() {
	local dir=$CHRONOTICK_KERNELS/source-$1 next=$CHRONOTICK_KERNELS/.source-$1.$$
	[ ! -e "$dir/Makefile" ] || return 0
	say "unpacking the source of Linux $1"
	mkdir -p "$next"
	(cd "$next" && apt_quiet -o APT::Sandbox::User=root download "linux-source-$1") || return 1
	dpkg-deb --fsys-tarfile "$next"/linux-source-*.deb |
		tar -x -O --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ -C "$next" --strip-components=1 || return 1
	rm -f "$next"/linux-source-*.deb
	rm -rf "$dir"
	mv -T "$next" "$dir"
}

# debug_make LINE NAME TARGET...: in that kernel's build directory
debug_make() {
	local line=$1 name=$2
	shift 2
	make -s -j "$(nproc)" -C "$CHRONOTICK_KERNELS/source-$line" \
		O="$CHRONOTICK_KERNELS/$line-$name/build" KBUILD_BUILD_TIMESTAMP=@0 \
		KBUILD_BUILD_USER=chronotick KBUILD_BUILD_HOST=debug "$@"
}

# debug_configure LINE NAME OPTION...: a configuration, which has all of them; or tells which it lacks.
debug_configure() {
	local line=$1 name=$2 build=$CHRONOTICK_KERNELS/$1-$2/build option r=0
	local set=$CHRONOTICK_KERNELS/source-$1/scripts/config
	shift 2
	mkdir -p "$build"
	debug_make "$line" "$name" allnoconfig || return 1
	for option; do
		"$set" --file "$build/.config" --enable "$option"
	done
	for option in "${debug_off[@]}"; do
		"$set" --file "$build/.config" --disable "$option"
	done
	for option in "${debug_values[@]}"; do
		"$set" --file "$build/.config" --set-val "${option%=*}" "${option#*=}"
	done
	debug_make "$line" "$name" olddefconfig || return 1
	for option; do
		grep -qx "CONFIG_$option=y" "$build/.config" ||
			{ echo "this kernel has no CONFIG_$option" >&2 && r=1; }
	done
	return $r
}

# debug_kernel LINE NAME: see to it that it is there, as configured by now.
debug_kernel() {
	local dir=$CHRONOTICK_KERNELS/$1-$2 wanted start=$SECONDS
	local -n options=debug_$2
	wanted=$(printf '%s\n' "${debug_common[@]}" "${options[@]}" "${debug_off[@]}" \
		"${debug_values[@]}")
	if [ -e "$dir/vmlinuz" ] && [ "$wanted" = "$(cat "$dir/options" 2>/dev/null)" ]; then
		return 0
	fi
	debug_source "$1" || return 1
	rm -f "$dir/vmlinuz" "$dir/options"
	say "building Linux $1 with $2"
	debug_configure "$1" "$2" "${debug_common[@]}" "${options[@]}" &&
		debug_make "$1" "$2" bzImage modules || return 1
	cp "$dir/build/arch/x86/boot/bzImage" "$dir/vmlinuz" || return 1
	printf '%s\n' "$wanted" >"$dir/options"
	say "it took $((SECONDS - start)) s"
}
