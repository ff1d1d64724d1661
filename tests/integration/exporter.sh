#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Two machines, each a daemon with its exporter, and a third whose daemon is killed, watched by one
# Prometheus: its parser takes each text in both formats, it finds out who is gone, and every metric
# that the dashboard and the alert rules name is there.
. "$(dirname "$0")/lib.sh"
exporter=$BUILD/cli/chronotick-exporter
if ! prometheus_find; then
	echo "SKIP: needs Debian's package prometheus, which scripts/test unpacks"
	exit 77
fi
if [ ! -x "$exporter" ]; then
	echo "SKIP: built without libmicrohttpd"
	exit 77
fi
"$promtool" check rules "$top/cli/exporter/alerts.yml" || fail "promtool check rules"
"$promtool" test rules "$here/exporter-alerts.yml" || fail "promtool test rules"
for bad in 127.0.0.1 127.0.0.1: 127.0.0.1:0 127.0.0.1:99999 127.0.0.1:-1 127.0.0.1:1x '[]:1' :1; do
	timeout 5 "$exporter" --listen "$bad" >"$work/listen.log" 2>&1
	[ $? -eq 2 ] || fail "--listen $bad: $(cat "$work/listen.log")"
done

servers 1
# All of it stays in the client's namespace, so any port is free.
inside=("${reference_client[@]}")
fetch() {
	"${inside[@]}" python3 - "$@" <<-'END'
		import sys, urllib.request
		request = urllib.request.Request(sys.argv[1], headers={"Accept": sys.argv[2]})
		sys.stdout.write(urllib.request.urlopen(request, timeout=10).read().decode())
	END
}
ask() {
	"${inside[@]}" python3 - "$1" <<-'END'
		import json, sys, urllib.parse, urllib.request
		url = "http://127.0.0.1:9090/api/v1/query?query=" + urllib.parse.quote(sys.argv[1])
		result = json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"]
		print(" ".join(sorted(f"{r['metric'].get('instance', '')}={r['value'][1]}" for r in result)))
	END
}
for n in 1 2 3; do
	shm_name=chronotick_test_$$.$n
	CHRONOTICK_PAGE=/dev/shm/$shm_name CHRONOTICK_CONTROL=$work/control-$n.sock
	config "" 10.77.0.11
	cp "$work/chronotick.yaml" "$work/$n.yaml"
	"${inside[@]}" "$chronotickd" --config "$work/$n.yaml" --foreground >"$work/daemon-$n.log" 2>&1 &
	daemons+=($!)
	"${inside[@]}" "$exporter" --listen 127.0.0.1:$((9100 + n)) --page "$CHRONOTICK_PAGE" \
		--control "$CHRONOTICK_CONTROL" >"$work/exporter-$n.log" 2>&1 &
	daemons+=($!)
done
shm_name=chronotick_test_$$
cat >"$work/prometheus.yml" <<-END
	global: {scrape_interval: 1s, evaluation_interval: 1s}
	rule_files: [$top/cli/exporter/alerts.yml]
	scrape_configs:
	  - job_name: chronotick
	    static_configs: [{targets: ["127.0.0.1:9101", "127.0.0.1:9102", "127.0.0.1:9103"]}]
END
"$promtool" check config "$work/prometheus.yml" >"$work/config.log" || fail "promtool check config"
"${inside[@]}" "$prometheus" --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/tsdb" \
	--web.listen-address 127.0.0.1:9090 >"$work/prometheus.log" 2>&1 &
daemons+=($!)
for n in 1 2 3; do
	CHRONOTICK_PAGE=/dev/shm/chronotick_test_$$.$n trusted || fail "no trusted time of daemon $n"
done

# until_is QUERY ANSWER: within a while
until_is() {
	local try got
	for try in $(seq 60); do
		got=$(ask "$1" 2>/dev/null)
		[ "$got" != "$2" ] || return 0
		sleep 0.5
	done
	fail "$1 is '$got', not '$2'"
}
all() { echo "127.0.0.1:9101=$1 127.0.0.1:9102=$1 127.0.0.1:9103=$1"; }
until_is up "$(all 1)"
until_is chronotick_trusted "$(all 1)"
until_is chronotick_control_up "$(all 1)"
until_is 'sum by (instance) (chronotick_source_state{state="selected"})' "$(all 1)"
until_is 'chronotick_bound_seconds < bool 0.01' "$(all 1)"

fetch http://127.0.0.1:9101/metrics text/plain >"$work/plain" || fail "no metrics"
"$promtool" check metrics <"$work/plain" || fail "promtool check metrics"
fetch http://127.0.0.1:9101/metrics application/openmetrics-text >"$work/open"
[ "$(tail -n 1 "$work/open")" = "# EOF" ] || fail "OpenMetrics has no end"
echo "$(grep -vc '^#' "$work/open") series of one machine with one source"
grep -ohE 'chronotick_[a-z0-9_]+' "$top/cli/exporter/dashboard.json" "$top/cli/exporter/alerts.yml" |
	sort -u >"$work/named"
while read -r name; do
	grep -q "^$name[{ ]" "$work/plain" || fail "there is no $name"
done <"$work/named"
echo "$(wc -l <"$work/named") metrics in the dashboard and the rules"
python3 -m json.tool "$top/cli/exporter/dashboard.json" >/dev/null || fail "dashboard.json"

# A daemon that hangs does not keep several who fetch at a time from what its page says.
kill -STOP "${daemons[2]}"
fetching=()
for n in 1 2 3; do
	fetch http://127.0.0.1:9102/metrics text/plain >"$work/hangs-$n" &
	fetching+=($!)
done
for n in 1 2 3; do
	wait "${fetching[n - 1]}" && grep -q '^chronotick_up 1' "$work/hangs-$n" &&
		grep -q '^chronotick_control_up 0' "$work/hangs-$n" || fail "a daemon that hangs"
done
kill -CONT "${daemons[2]}"
until_is chronotick_control_up "$(all 1)"

# One daemon dies: everybody sees which, while its last time still holds.
kill -KILL "${daemons[4]}"
wait "${daemons[4]}" 2>/dev/null
until_is chronotick_writer_up "127.0.0.1:9101=1 127.0.0.1:9102=1 127.0.0.1:9103=0"
until_is 'count by (instance) (ALERTS{alertname="ChronotickWriterGone"})' "127.0.0.1:9103=1"

# What is no fetching of metrics
for bad in "POST /metrics" "GET /none" "DELETE /"; do
	"${inside[@]}" python3 - $bad <<-'END' || fail "$bad"
		import http.client, sys
		connection = http.client.HTTPConnection("127.0.0.1", 9101, timeout=10)
		connection.request(sys.argv[1], sys.argv[2], body="x" * 100000)
		answer = connection.getresponse()
		allowed = {404: None, 405: "GET, HEAD"}
		sys.exit(allowed.get(answer.status, "") != answer.getheader("Allow"))
	END
done
fetch http://127.0.0.1:9101/metrics text/plain >/dev/null || fail "no metrics after that"
"${inside[@]}" timeout 1 "$exporter" --listen '[::]:9104' --control none >"$work/ipv6.log" 2>&1
grep -qF 'http://[::]:9104/metrics' "$work/ipv6.log" || fail "IPv6: $(cat "$work/ipv6.log")"
for n in 1 3 5; do
	kill -TERM "${daemons[$n]}"
	wait "${daemons[$n]}" || fail "an exporter ended with $?"
done
finish
