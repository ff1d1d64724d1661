#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole daemon in virtual time, under clknetsim, whose directory $CLKNETSIM_PATH names: an hour
# with a server of which everything is known. The client's system clock is 0.1 s ahead of the truth
# and stays so: that is what the last record must say.
. "$(dirname "$0")/lib.sh"
if [ ! -x "${CLKNETSIM_PATH:-}/clknetsim" ] || [ ! -e "$CLKNETSIM_PATH/clknetsim.so" ]; then
	echo "SKIP: CLKNETSIM_PATH names no directory with clknetsim and clknetsim.so"
	exit 77
fi
chronyd_find
seconds=3600
cat >"$work/sim.conf" <<-END
	node2_offset = 0.1
	node1_delay2 = (+ 100e-6 (* 10e-6 (exponential)))
	node2_delay1 = (+ 100e-6 (* 10e-6 (exponential)))
END
printf 'local stratum 1\nallow\ncmdport 0\nbindcmdaddress /\npidfile %s\n' "$work/chronyd.pid" \
	>"$work/chrony.conf"
config_simulated "frequency_hz: 1" 192.168.123.1
# node N COMMAND...
node() {
	local n=$1
	shift
	LD_PRELOAD=$CLKNETSIM_PATH/clknetsim.so CLKNETSIM_NODE=$n CLKNETSIM_SOCKET=$work/sock \
		CLKNETSIM_CONNECT_TIMEOUT=10 "$@" >"$work/node-$n.log" 2>&1 </dev/null &
	daemons+=($!)
}
node 1 "$chronyd" -x -d -u root -f "$work/chrony.conf"
node 2 "$chronotickd" --config "$work/chronotick.yaml" --foreground
client=${daemons[1]}
timeout 120 "$CLKNETSIM_PATH/clknetsim" -s "$work/sock" -l $seconds "$work/sim.conf" 2 \
	>"$work/simulation.log" 2>&1 || fail "the simulation ended with $?"
wait "$client" || fail "chronotickd ended with $? at the end of the simulation"
expect 'synchronized: a majority' "$work/node-2.log"
python3 - "$CHRONOTICK_PAGE" <<-END || fail "the record is not what the simulation knows"
	import struct, sys
	page = open(sys.argv[1], 'rb').read()
	offset, = struct.unpack_from('<d', page, 24)
	uptime, = struct.unpack_from('<d', page, 96)
	print(f'after {uptime:.0f} s: UTC - system clock = {offset * 1e6:.3f} us, true: -100000')
	sys.exit(not (abs(offset + 0.1) < 200e-6 and uptime > $seconds / 2))
END
finish
