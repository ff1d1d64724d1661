#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The page handed to a container: command line and library read it there, and go on while the daemon
# is killed and started again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/contained.sh"

contained '"$chronotick" read && "$chronotick" status' >"$work/container.log" 2>&1 ||
	fail "read and status end with $? in a container: $(cat "$work/container.log")"
expect 'Writer.*not to be seen from here' "$work/container.log"
expect 'Status.*(READY|WARMING UP)' "$work/container.log"
"$chronotick" status | grep 'not to be seen' && fail "the writer is not seen on its own host"
contained '"$truth" --seconds 1 --reads 20000 --all-trusted' >"$work/library.log" 2>&1 ||
	fail "the library in a container: $(cat "$work/library.log")"
contained 'echo x >"$CHRONOTICK_PAGE"' 2>/dev/null && fail "a container can write the page"
contained 'python3 - "$CHRONOTICK_PAGE" <<-END
	import mmap, os, sys
	try: os.open(sys.argv[1], os.O_RDWR)
	except OSError: sys.exit(0)
	sys.exit(1)
	END' || fail "a container can open the page for writing"

# systemd-nspawn and LXC give a container a boot id of its own.
contained 'tr a-f0-9 0-9a-f </proc/sys/kernel/random/boot_id >"$root/boot_id" &&
	mount --bind "$root/boot_id" /proc/sys/kernel/random/boot_id || exit 94
	"$chronotick" read' >"$work/boot.log" 2>&1 ||
	fail "not believed where the container has a boot id of its own: $? $(cat "$work/boot.log")"

# The daemon is killed, and another one comes: the container's file is the page still.
contained '"$truth" --seconds 5 --reads 50000 --all-trusted' >"$work/goes-on.log" 2>&1 &
judge=$!
sleep 0.5
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
sleep 0.5
daemon
wait "$judge" || fail "the reader in a container, over a kill: $(cat "$work/goes-on.log")"
"$chronotick" read >/dev/null || fail "no trusted time after the kill"

# Replaced: the file that the container has expires, the directory has the new one.
contained '
	sleep 4.5
	"$chronotick" read --page "$root/shm/page" && exit 1
	exec "$chronotick" read --page "$root/host/$shm_name"' >"$work/replaced.log" 2>&1 &
reader=$!
sleep 0.5
rm "$page" "$hidden"
wait "$reader" || fail "after the page was replaced: $? $(cat "$work/replaced.log")"
finish
