#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Containers in user namespaces, where the page's owner has no number: whom readers believe there.
. "$(dirname "$0")/lib.sh"
if ! why=$(unshare --user true 2>&1); then
	echo "SKIP: no user namespaces here (a chroot has none): $why"
	exit 77
fi
. "$(dirname "$0")/contained.sh"

# A user namespace: root outside is nobody inside.
contained 'unshare --user "$chronotick" read' >"$work/user.log" 2>&1 ||
	fail "not believed in a user namespace, on a read-only mount: $(cat "$work/user.log")"
contained 'unshare --user --map-root-user "$chronotick" read' >"$work/user.log" 2>&1 ||
	fail "not believed by a namespace's own root: $(cat "$work/user.log")"
# The same with all of the host's users in sight, where anybody may make files.
contained 'mount -o remount,bind,rw "$root/host"
	CHRONOTICK_PAGE=$root/host/$shm_name unshare --user "$chronotick" read' \
	>"$work/writable.log" 2>&1 && fail "an unknown owner is believed on a writable mount"
expect 'not trusted' "$work/writable.log"
CHRONOTICK_PAGE_OWNER=65534 contained 'mount -o remount,bind,rw "$root/host"
	CHRONOTICK_PAGE=$root/host/$shm_name unshare --user "$chronotick" read' \
	>"$work/named.log" 2>&1 || fail "an owner who is named is not believed"
finish
