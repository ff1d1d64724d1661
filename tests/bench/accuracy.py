#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of accuracy.sh, from the series of its scenarios.

accuracy.py WARM-UP-SECONDS SERIES...	the table; 1 and why to stderr if it is not good enough
accuracy.py --write DOCUMENT		the table on stdin replaces the one between the markers
"""
import sys
from statistics import median

BEGIN, END = "<!-- accuracy.sh begins -->", "<!-- accuracy.sh ends -->"
WINS_MIN = 8
WIDTH_MAX = 1.5
HEAD = ("| scenario | RMS error, chronotickd | chronyd | max error, chronotickd | chronyd "
	"| outside the bound | median bound | median root distance | |\n"
	"|---|---|---|---|---|---|---|---|---|")


def rms(errors):
	return (sum(e * e for e in errors) / len(errors)) ** 0.5


def series(name, warm_s):
	with open(name, encoding="utf-8") as file:
		title = file.readline()[2:].strip()
		rows = [line.split() for line in file]
	return title, [row for row in rows if float(row[0]) >= warm_s]


def scenario(name, warm_s):
	"""One line of the table, whether our error is not above chronyd's, and what is wrong."""
	title, rows = series(name, warm_s)
	ours = [[int(v) for v in row[1:4]] for row in rows if row[1] != "-"]
	theirs = [[int(v) for v in row[4:6]] for row in rows if row[4] != "-"]
	if not ours or not theirs or len(ours) < len(rows):
		missing = "of %d reads %d were trusted, and chronyd was synchronised in %d" % (
			len(rows), len(ours), len(theirs))
		return f"| {title} | {missing} |||||||| |", False, [f"{title}: {missing}"]
	errors, other = [o[0] for o in ours], [t[0] for t in theirs]
	outside = sum(not o[1] <= 0 <= o[2] for o in ours)
	bound = median((o[2] - o[1]) / 2 for o in ours)
	distance = median(t[1] for t in theirs)
	won = rms(errors) <= rms(other)
	bad = []
	if outside:
		bad.append(f"{title}: the truth was outside the bound in {outside} of {len(ours)}")
	if bound >= WIDTH_MAX * distance:
		bad.append(f"{title}: the median bound is {bound / distance:.2f} times chronyd's distance")
	cells = [rms(errors), rms(other), max(map(abs, errors)), max(map(abs, other))]
	line = "| %s | %s | %d of %d | %.1f | %.1f | %s |" % (
		title, " | ".join("%.1f" % (c / 1000) for c in cells), outside, len(ours),
		bound / 1000, distance / 1000, "" if won else "chronyd")
	return line, won, bad


def table(warm_s, names):
	results = [scenario(name, warm_s) for name in names]
	wins = sum(won for _, won, _ in results)
	print(HEAD)
	for line, _, _ in results:
		print(line)
	print(f"\nThe smaller RMS error is chronotickd's in {wins} of {len(results)} scenarios.")
	bad = [text for _, _, texts in results for text in texts]
	if wins < WINS_MIN:
		bad.append(f"not {WINS_MIN} scenarios won, but {wins}")
	for text in bad:
		print("BAD: " + text, file=sys.stderr)
	return 1 if bad else 0


def write(name, text):
	with open(name, encoding="utf-8") as file:
		before, rest = file.read().split(BEGIN)
	after = rest.split(END)[1]
	with open(name, "w", encoding="utf-8") as file:
		file.write(f"{before}{BEGIN}\n{text.strip()}\n{END}{after}")
	return 0


def main(args):
	if len(args) == 2 and args[0] == "--write":
		return write(args[1], sys.stdin.read())
	return table(float(args[0]), args[1:])


if __name__ == "__main__":
	sys.exit(main(sys.argv[1:]))
