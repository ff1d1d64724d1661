/* SPDX-License-Identifier: MIT */
/*
 * What calls and reads cost, beside what they are compared with. All is emulated: ratios count, not
 * nanoseconds. A read through the device must cost what one through shared memory does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define CALLS 2000
#define BATCHES 300
#define READS 1000
#define TRIES 5
#define COPY "/dev/shm/chronotick_cost"
#define TRACING "/sys/kernel/tracing/"
#define SPAN_MS 1000000

static struct writer_rig rig;

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Median of the calls of one kind, counts */
static int64_t calls_cost(unsigned long request, void (*make)(void *argument), void *argument)
{
	static int64_t took[CALLS];
	unsigned int i;

	for (i = 0; i < CALLS; i++) {
		uint64_t from;

		make(argument);
		from = counter_read(&rig.counter);
		command(rig.fd, request, argument);
		took[i] = (int64_t)(counter_read(&rig.counter) - from);
	}
	qsort(took, CALLS, sizeof(*took), compare);
	return took[CALLS / 2];
}

static void update_of_all(void *argument)
{
	update_make(&rig, argument);
}

static void update_of_nothing(void *argument)
{
	*(struct chronotick_update *)argument =
		(struct chronotick_update){.size = sizeof(struct chronotick_update)};
}

static void cross_none(void *argument)
{
	*(struct chronotick_cross *)argument =
		(struct chronotick_cross){.size = sizeof(struct chronotick_cross)};
}

static double ns(int64_t counts)
{
	return (double)counts * 1e9 / (double)rig.counter.hz;
}

static void calls(void)
{
	struct chronotick_update update;
	struct chronotick_cross cross;
	int64_t none = calls_cost(_IO(0xc7, 99), update_of_nothing, &update);
	int64_t life = calls_cost(CHRONOTICK_IOC_PUBLISH, update_of_nothing, &update);
	int64_t all = calls_cost(CHRONOTICK_IOC_PUBLISH, update_of_all, &update);
	int64_t crossed = calls_cost(CHRONOTICK_IOC_CROSS, cross_none, &cross);

	check(none > 0 && life > 0 && all > 0 && crossed > 0, "calls can be measured");
	printf("# a call that does nothing %.0f ns; of that: sign of life %.2f, line and record "
	       "%.2f, cross-timestamp %.2f\n",
	       ns(none), (double)life / (double)none, (double)all / (double)none,
	       (double)crossed / (double)none);
}

static int64_t batch(const struct chronotick *ct)
{
	struct chronotick_interval now;
	uint64_t from = counter_read(&rig.counter);
	unsigned int i;

	for (i = 0; i < READS; i++)
		chronotick_now(ct, &now);
	return (int64_t)(counter_read(&rig.counter) - from);
}

static void long_line(void)
{
	struct chronotick_update update;
	struct chronotick_claim claim;

	claim_make(&claim, &rig.counter);
	claim.writer_timeout_ms = SPAN_MS;
	command(rig.fd, CHRONOTICK_IOC_CLAIM, &claim);
	update_make(&rig, &update);
	update.line.span = counter_from_ns(&rig.counter, SPAN_MS * 1000000ULL);
	update.line.growth /= 100;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "a line that lasts");
}

static void reads(void)
{
	struct chronotick *ct[2];
	int64_t least[2] = {INT64_MAX, INT64_MAX};
	unsigned int i, try;
	double ratio = 0;
	int fd;

	long_line();
	fd = open(COPY, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (!check(fd >= 0 && write(fd, rig.page, CHRONOTICK_PAGE_SIZE) == CHRONOTICK_PAGE_SIZE,
		   "a copy of the page in shared memory"))
		return;
	close(fd);
	if (!check_result(chronotick_open(&ct[0], COPY), 0, "it opens") ||
	    !check_result(chronotick_open(&ct[1], CHRONOTICK_DEVICE_PATH), 0, "so does the device"))
		return;
	for (try = 0; try < TRIES && (try == 0 || ratio < 0.95 || ratio > 1.05); try++) {
		least[0] = least[1] = INT64_MAX;
		for (i = 0; i < 2 * BATCHES; i++) {
			int64_t took = batch(ct[i % 2]);

			if (took < least[i % 2])
				least[i % 2] = took;
		}
		ratio = (double)least[1] / (double)least[0];
	}
	check(ratio >= 0.95 && ratio <= 1.05, "a read costs the same through both: %.3f", ratio);
	printf("# a read %.1f ns through shared memory, %.1f ns through the device\n",
	       ns(least[0]) / READS, ns(least[1]) / READS);
	chronotick_close(ct[0]);
	chronotick_close(ct[1]);
	unlink(COPY);
}

static void windows(void)
{
	static int64_t windows[CALLS];
	char line[512], *found;
	unsigned int count = 0, i;
	FILE *file;

	file_write(TRACING "events/chronotick/chronotick_publish/enable", "1");
	for (i = 0; i < 300; i++)
		rig_publish(&rig);
	file_write(TRACING "events/chronotick/chronotick_publish/enable", "0");
	file = fopen(TRACING "trace", "re");
	while (file && fgets(line, sizeof(line), file) && count < CALLS) {
		found = strstr(line, "window_ns=");
		if (found)
			windows[count++] = atoll(found + strlen("window_ns="));
	}
	if (file)
		fclose(file);
	if (!check(count >= 300, "write windows are traced: %u", count))
		return;
	qsort(windows, count, sizeof(*windows), compare);
	printf("# write window, ns, emulated: least %ld, median %ld, p90 %ld\n", (long)windows[0],
	       (long)windows[count / 2], (long)windows[count * 9 / 10]);
}

int main(void)
{
	if (!check_result(rig_open(&rig), 0, "a writer"))
		return 1;
	check_result(rig_publish(&rig), 0, "it publishes");
	calls();
	windows();
	reads();
	rig_close(&rig);
	return checks_end();
}
