#!/bin/dash
# SPDX-License-Identifier: MIT
# A PTP hardware clock as the daemon's reference: that of port 0, which is the truth.
. /bin/ports.sh

daemon() { # LINE...
	daemon_begin '' 'phc: /dev/ptp0' 'poll: -2' "$@"
}

shows() { # PATTERN SECONDS: a line of the sources' status
	local i=0
	while [ $i -lt $(($2 * 5)) ]; do
		[ -z "$(chronotick sources -v 2>/dev/null | $busybox grep "$1")" ] || return 0
		$busybox sleep 0.2
		i=$((i + 1))
	done
	chronotick sources -v | $busybox sed 's/^/#/'
	return 1
}

true_for() { # PORT SECONDS P99_NS [TAI_S]
	told vm-phc-truth "$@"
}

for way in 'precise 1 1' 'extended 1 0' 'plain 0 0'; do
	set -- $way
	ports_up extended=$2 precise=$3
	knob 0 frequency_ppb -23000
	daemon 'timescale: utc' 'accuracy_ns: 100'
	check "a clock that is read the $1 way is selected" shows 'selected' 10
	check "which is told" shows "read by $1" 2
	$busybox sleep 3
	# The truth needs a precise reading; without one, that the source is used is all that is seen.
	if [ $3 = 1 ]; then
		check "what was off at the start is slewed away" settled 600 40
		check "its time is told" true_for 0 4 300
		knob 0 wander_ppt 1000
		check "also while it wanders" true_for 0 4 1000
		knob 0 wander_ppt 0
		daemon_end
		daemon 'timescale: tai' 'utc_offset_s: 37'
		check "TAI is 37 s ahead" shows 'selected' 10
		check "nothing is off any more" settled 600 40
		check "and told as UTC" true_for 0 3 300 37
		daemon_end
		daemon 'timescale: tai'
		check "what TAI - UTC is has to be known" shows 'TAI - UTC is not known' 10
	fi
	daemon_end
	ports_down
done
ports_up
phc_ctl /dev/ptp0 set 12345 >/dev/null
daemon 'timescale: utc'
check "a clock that nobody has set is not used" shows 'has anybody set it' 10
daemon_end
[ $fail = 0 ] || $busybox tail -n 20 /tmp/chronotickd.log
ports_down
exit $fail
