# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced after lib.sh by tests of containers: a daemon with trusted time, and containers that have
# its page bind-mounted read-only, in mount, PID and network namespaces of their own.
#
#	host   chronotickd -> /dev/shm/PAGE ----bind, ro----> /tmp/.../shm/page    container
#	                      /dev/shm      ----bind, ro----> /tmp/.../host        (its /dev/shm: empty)
servers 1
config "writer_timeout_ms: 3000" 10.77.0.11
daemon
trusted || { fail "no trusted time"; finish; }
page=$CHRONOTICK_PAGE
hidden=/dev/shm/.$shm_name.page
export root=$work/root truth chronotick page shm_name
mkdir "$root"

cat >"$work/container" <<'END'
mount --make-rprivate /
mount -t tmpfs tmpfs "$root" && mkdir "$root/shm" "$root/host" && touch "$root/shm/page" || exit 90
mount --bind "$page" "$root/shm/page" && mount -o remount,bind,ro "$root/shm/page" || exit 91
mount --bind /dev/shm "$root/host" && mount -o remount,bind,ro "$root/host" || exit 92
mount -t tmpfs tmpfs /dev/shm || exit 93
export CHRONOTICK_PAGE=$root/shm/page
eval "$1"
END
# contained COMMAND: in a container's namespaces
contained() {
	unshare --mount --pid --net --fork --mount-proc bash "$work/container" "$1"
}
