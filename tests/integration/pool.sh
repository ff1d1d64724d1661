#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A name with several addresses is several sources, none of them asked twice. One that is dead is
# replaced by an address that the name gets later, and nobody waits for a name meanwhile.
#
#	pool.test: 11, 14 (dead), 12, then 13 too	a.test: 12, and b.test: 12 as well
. "$(dirname "$0")/lib.sh"
servers 3
for n in 11 14 12; do echo "10.77.0.$n pool.test"; done >"$work/hosts"
printf '10.77.0.12 a.test\n10.77.0.12 b.test\n' >>"$work/hosts"
cat >"$work/chronotick.yaml" <<END
page: {shm_name: $shm_name}
sources:
  - {pool: pool.test, maxsources: 2, iburst: true, minpoll: 0, maxpoll: 2}
  - {ntp: a.test, iburst: true, minpoll: 0, maxpoll: 2}
  - {ntp: b.test, iburst: true, minpoll: 0, maxpoll: 2}
END
# A hosts file of its own, in a mount namespace of its own; names come from there alone.
echo "hosts: files" >"$work/nsswitch.conf"
reference_client+=(unshare -m sh -c "
	mount --bind '$work/hosts' /etc/hosts && mount --bind '$work/nsswitch.conf' /etc/nsswitch.conf
	exec \"\$@\"" sh)
daemon
trusted >"$work/first.log" || { cat "$work/first.log"; fail "no trusted time"; }
echo "10.77.0.13 pool.test" >>"$work/hosts"
"$truth" --seconds 18 --reads 20000 --all-trusted >"$work/truth.log" ||
	{ cat "$work/truth.log"; fail "the truth, see above"; }
"$chronotick" status >"$work/status.log" || fail "status does not call this trusted: $?"
cat "$work/status.log"
for n in 11 12 13; do
	expect "10\.77\.0\.$n.*selected" "$work/status.log"
done
[ "$(grep -c '10\.77\.0\.12.*selected' "$work/status.log")" -eq 1 ] ||
	fail "the address that three have is used other than once"
! grep -q '10\.77\.0\.14' "$work/status.log" || fail "the dead member is still there"
log=$work/daemon-0.log
expect 'pool pool\.test: 10\.77\.0\.14$' "$log"
expect 'pool pool\.test: 10\.77\.0\.13 in place of 10\.77\.0\.14' "$log"
expect 'source [ab]\.test: not used: another source has its address' "$log"
daemon_end TERM || fail "chronotickd ended with $? on SIGTERM"
finish
