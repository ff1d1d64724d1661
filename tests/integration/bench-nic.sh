#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# bench-nic on an interface without hardware stamps: what it writes is whole and says what was left out,
# and nothing that goes wrong loses anything. With hardware it runs in a virtual machine.
. "$(dirname "$0")/lib.sh"
bench=$top/scripts/bench-nic
servers 1
config "" 10.77.0.11
daemon
trusted || fail "the daemon tells no time"

# ran DIRECTORY STATUS ARGUMENT...: in the client's namespace; what it says is $work/said.log
ran() {
	local directory=$1 wanted=$2 r
	shift 2
	"${reference_client[@]}" "$bench" "$@" "$directory" >"$work/said.log" 2>&1 </dev/null
	r=$?
	[ "$r" -eq "$wanted" ] || fail "bench-nic $*: ends with $r, not $wanted: $(cat "$work/said.log")"
}

# whole DIRECTORY EXPRESSION...: the results are JSON, as documented, the report is HTML without anything
# from outside, and each expression over the results `r` holds
whole() {
	python3 - "$top/Documentation/bench-nic.md" "$@" <<'END' || fail "see above"
import html.parser, json, math, re, sys
VOID = {"meta", "br", "rect", "polyline"}

class Report(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.points, self.text = [], [], ""
    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href") or "url(" in (value or ""):
                sys.exit(f"{tag} refers to {value}")
        if tag in ("script", "link", "iframe", "img"):
            sys.exit(f"there is a {tag}")
        if tag == "polyline":
            self.points.append([tuple(map(float, point.split(",")))
                                for point in dict(attributes)["points"].split()])
        if tag not in VOID:
            self.open.append(tag)
    handle_startendtag = handle_starttag
    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            sys.exit(f"</{tag}> ends what it has not begun")
    def handle_data(self, data):
        self.text += data

def no_constant(text):
    sys.exit(f"{text} is no JSON")

directory, expressions = sys.argv[2], sys.argv[3:]
r = json.load(open(f"{directory}/results.json"), parse_constant=no_constant)
report = Report()
report.feed(open(f"{directory}/report.html").read())
if report.open:
    sys.exit(f"{report.open} are not ended")
for points in report.points:
    if len(points) < 2 or not all(60 <= x <= 780 and 10 <= y <= 270 for x, y in points):
        sys.exit("a plot leaves its frame")
    if any(a[0] > b[0] for a, b in zip(points, points[1:])):
        sys.exit("a plot goes back")
for text in r["skipped"]:
    if text not in report.text:
        sys.exit(f"the report lacks: {text}")
documented = open(sys.argv[1]).read()
def keys(value):
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from keys(part)
    for part in value if isinstance(value, list) else []:
        yield from keys(part)
missing = [key for key in keys(r) if not re.search(rf"`([a-z]+\.)?{re.escape(key)}`", documented)]
if missing:
    sys.exit(f"bench-nic.md does not tell of {missing}")
skipped = "\n".join(r["skipped"])
plots = len(report.points)
bad = [e for e in expressions if not eval(e)]
if bad:
    sys.exit(f"not true: {bad} of\n{json.dumps(r, indent=1)[:6000]}")
END
}

link=vc
ran "$work/out" 0 --seconds 8 --stamps "$link"
whole "$work/out" 'r["interface"]["driver"] == "veth"' 'r["interface"]["phc"] is None' \
	'"has none" in skipped' '"stamps of packets: " in skipped' 'r["interrupted"] is False' \
	'[p["backend"] for p in r["pages"]] == ["shm"]' '0 < r["pages"][0]["reads"]["read_ordered_ns"]' \
	'r["pages"][0]["publication"]["seen"] > 10' \
	'r["course"]["page"]["bound_ns"]["min"] > 0' 'r["course"]["page"]["samples"] > 0' \
	'abs(r["course"]["page"]["offset_ns"]["p50"]) < 5e6' \
	'abs(r["course"]["page"]["system_offset_ns"]["p50"]) <= r["course"]["page"]["bound_ns"]["max"]' \
	'all(t > 0 and a >= 0 for t, a in r["course"]["page"]["adev"])' \
	'len(r["course"]["page"]["adev"]) > 5' 'r["course"]["page"]["adev_1s"] > 0' \
	'abs(r["course"]["page"]["rate_ppb"]) < 1e6' 'plots >= 3' \
	'7.9 < r["course"]["seconds"] < 30' '"/dev/chronotick" in skipped'
for log in course.csv samples.csv publications.csv machine.log status.log sources.log; do
	[ -s "$work/out/$log" ] || fail "there is no $log"
done
expect 'out/report.html$' "$work/said.log"
python3 - "$work/out/course.csv" <<'END' || fail "course.csv is not what it says"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
counters = [int(row["counter"]) for row in rows]
sys.exit(not (len(rows) > 50 and counters == sorted(counters)
              and all(int(row["bound_ns"]) > 0 for row in rows)))
END

# Nothing that is there is written over, and nothing is begun that cannot be ended.
before=$(cat "$work/out"/* | cksum)
ran "$work/out" 1 --seconds 1 "$link"
expect 'results.json: File exists' "$work/said.log"
[ "$before" = "$(cat "$work/out"/* | cksum)" ] || fail "results of before were written over"
ran "$work/none/there" 1 --seconds 1 "$link"
expect 'none/there: No such file' "$work/said.log"
for name in nosuch0 'a/b' ../lo averyverylongname0; do
	ran "$work/bad" 1 --seconds 1 "$name"
	expect 'there is no interface' "$work/said.log"
	[ ! -e "$work/bad" ] || fail "$name: leaves a directory behind"
done
for arguments in '--seconds 0 lo' '--seconds 5x lo' '--seconds' '--stamps --peer nobody lo' '--what lo' 'lo x y'; do
	# shellcheck disable=SC2086 # words
	"$bench" $arguments >"$work/said.log" 2>&1 </dev/null
	[ $? -eq 2 ] || fail "bench-nic $arguments: is no error of usage"
	expect 'usage: ' "$work/said.log"
done

# A disk that is full: what does not get into a file is said, and the results are printed
mkdir "$work/full"
mount -t tmpfs -o size=4k none "$work/full" 2>/dev/null && mounted=yes
if [ -n "${mounted:-}" ]; then
	ran "$work/full/out" 1 --seconds 1 "$link"
	expect 'No space left on device' "$work/said.log"
	expect '"skipped": ' "$work/said.log"
	umount "$work/full"
fi

# Somebody without privileges who may write there
mkdir -m 777 "$work/user"
chmod 755 "$work"
"${reference_client[@]}" setpriv --reuid 65534 --regid 65534 --clear-groups "$bench" lo \
	"$work/user/out" --seconds 1 --stamps >"$work/said.log" 2>&1 || fail "not root: it fails"
whole "$work/user/out" 'r["interface"]["name"] == "lo"'

# Whoever ends it has what was measured by then.
for signal in INT TERM; do
	"${reference_client[@]}" "$bench" "$link" "$work/$signal" --seconds 600 \
		>"$work/said.log" 2>&1 </dev/null &
	pid=$!
	for _ in $(seq 100); do
		[ -s "$work/$signal/course.csv" ] && break
		sleep 0.1
	done
	# The script's and its program's: as from a terminal
	pkill "-$signal" -P "$pid" 2>/dev/null
	kill "-$signal" "$pid"
	wait "$pid"
	r=$?
	[ "$r" -eq 130 ] || fail "SIG$signal: it ends with $r"
	expect 'interrupted: ' "$work/said.log"
	whole "$work/$signal" 'r["interrupted"] is True' '"interrupted" in skipped' \
		'r["course"]["page"]["readings"] > 0' 'r["course"]["seconds"] < 60'
done
daemon_end TERM
ran "$work/last" 0 --seconds 1 lo
whole "$work/last" '"nothing was published" in skipped'
finish
