/* SPDX-License-Identifier: MIT */
/* chronotick benchmark: what a read costs here and now. */
#include <inttypes.h>
#include <math.h>

#include <jansson.h>

#include "cli.h"
#include "measure.h"
#include "measure_json.h"
#include "text.h"

static void json_print(const struct measure *measure)
{
	json_t *object = measure_json(measure);

	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(object);
}

static const char *rating(double average_ns)
{
	static const struct {
		double below_ns;
		const char *text;
	} ratings[] = {
		{500, "EXCELLENT: below 500 ns"},
		{1000, "GOOD: below 1 us"},
		{10000, "ACCEPTABLE: below 10 us"},
		{INFINITY, "SLOW: 10 us or more, is the machine overloaded?"},
	};
	size_t i = 0;

	while (average_ns >= ratings[i].below_ns && i < 3)
		i++;
	return ratings[i].text;
}

static void text_print(const struct cli *cli, const struct measure *measure)
{
	char text[TEXT_SIZE];
	unsigned int i;

	printf("%-38s %9s   %s\n", "one ...", "ns", "chronotick_now against it");
	for (i = 0; i < MEASURE_OPERATIONS; i++) {
		if (!isfinite(measure->ns[i]))
			continue;
		printf("%-38s %9.2f", measure_label(i), measure->ns[i]);
		if (i < MEASURE_READ_ORDERED)
			printf("   %.2f x", measure_ratio(measure, MEASURE_READ_ORDERED, i));
		putchar('\n');
	}
	printf("(medians over %u interleaved batches of %d)\n\n", measure->rounds, MEASURE_BATCH);
	text_field(cli, "Average", TEXT_PLAIN, "%.2f ns", measure->average_ns);
	text_field(cli, "p50", TEXT_PLAIN, "%s",
		   text_number(text, measure->p50_ns, 2, false, " ns"));
	text_field(cli, "p99", TEXT_PLAIN, "%s",
		   text_number(text, measure->p99_ns, 2, false, " ns"));
	text_field(cli, "p99.9", TEXT_PLAIN, "%s",
		   text_number(text, measure->p999_ns, 2, false, " ns"));
	printf("(of single reads; this machine's counter steps by %.0f ns)\n\n", measure->step_ns);
	text_field(cli, "Throughput", TEXT_PLAIN, "%.2f million reads/s",
		   1e3 / measure->average_ns);
	text_field(cli, "Reads", TEXT_PLAIN, "%" PRIu64 ", %" PRIu64 " torn", measure->reads,
		   measure->torn_reads);
	text_field(cli, "Rating", measure->average_ns < 1000 ? TEXT_GOOD : TEXT_WARN, "%s",
		   rating(measure->average_ns));
}

int cli_benchmark(const struct cli *cli)
{
	struct chronotick_interval now;
	struct measure measure;
	struct chronotick *ct;
	int r;

	r = chronotick_open(&ct, cli->page);
	if (r < 0) {
		fprintf(stderr, "chronotick: %s: %s\n", chronotick_page_path(cli->page),
			chronotick_strerror(r));
		return CLI_UNTRUSTED;
	}
	r = measure_run(&measure, ct, cli->iterations);
	if (r < 0) {
		fprintf(stderr, "chronotick: benchmark: %s\n", chronotick_strerror(r));
		chronotick_close(ct);
		return CLI_UNTRUSTED;
	}
	r = chronotick_now(ct, &now);
	if (r < 0)
		fprintf(stderr, "chronotick: these are the figures of reads that fail: %s\n",
			chronotick_strerror(r));
	if (cli->json)
		json_print(&measure);
	else
		text_print(cli, &measure);
	measure_free(&measure);
	chronotick_close(ct);
	return r == 0 ? CLI_TRUSTED : CLI_UNTRUSTED;
}
