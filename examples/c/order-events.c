/* SPDX-License-Identifier: MIT */
/*
 * order-events: which of two events on two machines came first? Each machine stamps its event and
 * sends the stamp as a line of text:
 *
 *	order-events stamp > a		on the one
 *	order-events stamp > b		on the other
 *	order-events compare a b	anywhere
 *
 * Stamps of two machines are compared on TAI, so they have its offset with them; what is left is
 * whether their intervals overlap, and then nobody can tell.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <chronotick/chronotick.h>

static int stamp(void)
{
	struct chronotick_interval now;
	struct chronotick *ct;
	int r;

	r = chronotick_open(&ct, NULL);
	if (r == 0) {
		r = chronotick_now(ct, &now);
		chronotick_close(ct);
	}
	if (r < 0) {
		fprintf(stderr, "order-events: %s\n", chronotick_strerror(r));
		return 1;
	}
	printf("%" PRId64 " %" PRId64 " %d\n", now.earliest_ns, now.latest_ns, now.tai_offset_s);
	return 0;
}

/* Returns 0, or -1 after saying what is wrong. */
static int stamp_load(struct chronotick_interval *ret, const char *path)
{
	FILE *file = fopen(path, "re");
	int tai, fields;

	if (!file) {
		perror(path);
		return -1;
	}
	*ret = (struct chronotick_interval){.status = CHRONOTICK_SYNCHRONIZED};
	fields = fscanf(file, "%" SCNd64 " %" SCNd64 " %d", &ret->earliest_ns, &ret->latest_ns,
			&tai);
	fclose(file);
	if (fields != 3 || ret->earliest_ns > ret->latest_ns || tai < INT16_MIN ||
	    tai > INT16_MAX) {
		fprintf(stderr, "order-events: %s: no stamp\n", path);
		return -1;
	}
	ret->tai_offset_s = (int16_t)tai;
	return 0;
}

static int compare(const char *first, const char *second)
{
	struct chronotick_interval a, b;

	if (stamp_load(&a, first) < 0 || stamp_load(&b, second) < 0)
		return 1;
	/* Generations of two machines say nothing of each other: never equal here. */
	b.generation = a.generation + 1;
	switch (chronotick_compare(&a, &b)) {
	case CHRONOTICK_BEFORE:
		printf("%s came first\n", first);
		break;
	case CHRONOTICK_AFTER:
		printf("%s came first\n", second);
		break;
	case CHRONOTICK_OVERLAP:
		printf("it can't be told which came first\n");
		break;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "stamp") == 0)
		return stamp();
	if (argc == 4 && strcmp(argv[1], "compare") == 0)
		return compare(argv[2], argv[3]);
	fprintf(stderr, "usage: order-events stamp\n       order-events compare FILE FILE\n");
	return 2;
}
