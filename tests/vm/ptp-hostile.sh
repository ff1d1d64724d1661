#!/bin/dash
# SPDX-License-Identifier: MIT
# Somebody else on the segment (port 2) who wants to be believed, while the daemon has its time from the
# master at port 0, whose clock is the truth: without keys, if he has no address but his own; with them,
# whatever he sends.
. /bin/ports.sh
. /bin/cases.sh

ports_up ports=3
case_port 2 ev
ip -n ev link set sim2 up
for i in 0 1 2; do
	knob $i delay_ns 2000
	knob $i jitter_ns 100
done
knob 0 frequency_ppb 12000
knob 1 frequency_ppb -35000
knob 1 step_ns 987654321000
lie='offset-ns=5000000'

# Without keys; a master that is silent for as long as the timeout has to be found anew, and a slow machine
# may make one silent.
case_master gm gm-plain sim0 'network_transport L2' 'domainNumber 1' 'masterOnly 1'
# From before the daemon starts: better ones that send nothing else, one with an identity of his own and
# one with the master's
case_run ev silent fake-ptp sim2 l2 silent domain=1 priority1=0 identity=67 $lie
case_run ev squatter ptp-forger sim2 domain=1 announce
case_daemon plain 'ptp: sim1' 'domain: 1' 'delay_interval: -3' 'timescale: utc' 'announce_timeout: 10'

# With keys: the first master has one, ptp4l has none, and one daemon has another.
echo '7 SHA256 ASCII:secret' >/tmp/keys
echo '7 SHA256 ASCII:other' >/tmp/other-keys
$busybox chmod 600 /tmp/keys /tmp/other-keys
case_run gm gm-key fake-ptp sim0 l2 hardware domain=2 key=7:secret spp=2
case_keys=/tmp/keys
case_daemon key 'ptp: sim1' 'domain: 2' 'key: 7' 'spp: 2' 'delay_interval: -3' 'announce_timeout: 6'
case_daemon no-tlv 'ptp: sim1' 'domain: 1' 'key: 7' 'spp: 2' 'delay_interval: -3'
case_keys=/tmp/other-keys
case_daemon wrong-key 'ptp: sim1' 'domain: 2' 'key: 7' 'spp: 2' 'delay_interval: -3'

cases_ready plain key

# All of the master's messages from another address; Sync, Follow_Up and Delay_Resp messages of a port that
# nobody has heard of; and a better master in another domain
case_run ev forger ptp-forger sim2 domain=1 announce sync response $lie
case_run ev stranger ptp-forger sim2 domain=1 sync response identity=66 $lie
case_run ev domain fake-ptp sim2 l2 domain=9 priority1=0 identity=68 $lie
# Masters without the key, and with another one; the master's messages forged and from its own address;
# and all that it sent, and that it was sent, once more
case_run ev keyless fake-ptp sim2 l2 domain=2 priority1=0 identity=2 $lie
case_run ev other-key fake-ptp sim2 l2 domain=2 priority1=0 identity=3 key=7:third spp=2 $lie
case_run ev forger-key ptp-forger sim2 domain=2 announce sync response forged-address $lie
case_run ev replay ptp-forger sim2 domain=2 replay=7000
cases_true 15 'plain 0 1000' 'key 0 1000'
check "plain: the master is the one that it was" case_says plain \
	'port: slave, masters 2, changes 0,.* grandmaster 025349.fffe.4d0000,' 10
check "plain: what was forged is counted" case_says plain 'rejected bogus [1-9][0-9]{2,}'
check "plain: as is the other domain" case_says plain 'rejected other domain [1-9][0-9]{2,}'
check "key: the master is the one that it was" case_says key \
	'port: slave, masters 1, changes 0,.* grandmaster 020000.fffe.000001,' 10
check "key: what is not authentic is counted" case_says key 'rejected unauthentic [1-9][0-9]{2,}'
check "key: and what comes again" case_says key 'rejected duplicate [1-9][0-9]{1,}' 10
for i in wrong-key no-tlv; do
	check "$i: is not used" case_says $i 'unreachable'
	check "$i: has no master" case_says $i 'port: listening, masters 0,'
	check "$i: nothing is taken" case_says $i ' accepted 0, .*rejected unauthentic [1-9][0-9]{2,}'
done
cases_told plain key wrong-key no-tlv

# The master is gone, and what it sent seven seconds ago looks new.
case_kill gm-key
cases_true 8 'key 0 0'
check "key: nobody is there" case_says key 'unreachable|no fresh sample' 10
cases_told key
[ $fail = 0 ] || $busybox tail -n 6 /tmp/*.log
cases_end
ip netns del ev
ports_down
exit $fail
