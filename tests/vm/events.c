/* SPDX-License-Identifier: MIT */
/* What happens to the clock and the counter, and what the page and its readers get to know of it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define CLOCKSOURCES "/sys/devices/system/clocksource/clocksource0/"
#define CLOCKSOURCE CLOCKSOURCES "current_clocksource"
#define WAIT_MS 5000

static struct writer_rig rig;

static const struct chronotick_header *header(void)
{
	return &rig.page->header;
}

static int result_of(int r)
{
	return r < 0 ? -errno : 0;
}

static bool changed(int timeout_ms)
{
	struct pollfd entry = {.fd = rig.fd, .events = POLLIN};
	uint32_t count;

	if (poll(&entry, 1, timeout_ms) != 1)
		return false;
	return read(rig.fd, &count, sizeof(count)) == sizeof(count);
}

static int step_by_settimeofday(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	now.tv_sec += 10;
	return settimeofday(&now, NULL);
}

static int step_by_adjtimex(void)
{
	struct timex change = {.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {-1, 999999000}};

	return adjtimex(&change);
}

static int step_by_clock_settime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec -= 9;
	return clock_settime(CLOCK_REALTIME, &now);
}

/* The lines stay, the record's offsets are none any more, and what was sampled before is refused. */
static void stepped(int (*step)(void), const char *name)
{
	struct chronotick_update update;
	struct chronotick_clock before;
	uint32_t steps = header()->kernel_steps, events = header()->kernel_events;

	while (changed(0))
		;
	check_result(rig_publish(&rig), 0, "%s: a publication", name);
	check(rig.page->record.flags & CHRONOTICK_FLAG_VALID, "%s: the record is valid", name);
	before = rig.page->clock[0];
	update_make(&rig, &update);
	check_result(result_of(step()), 0, "%s", name);
	check(header()->kernel_steps == steps + 1 && header()->kernel_events == events + 1,
	      "%s: it is counted, once", name);
	check(!memcmp(&before, &rig.page->clock[0], sizeof(before)), "%s: the line stays", name);
	check(rig.page->record.flags == 0 && rig.page->record.confidence == 0 &&
		      rig.page->record_shadow.flags == 0 && !(rig.page->record.sequence_number & 1),
	      "%s: the records are not valid any more", name);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -ESTALE,
		     "%s: what was sampled before it is refused", name);
	check(!changed(0), "%s: no change is told", name);
	check_result(rig_publish(&rig), 0, "%s: what is sampled after it is not", name);
	check(rig.page->record.flags & CHRONOTICK_FLAG_VALID, "%s: and the record is valid", name);
}

static void slewed(void)
{
	struct timex frequency = {.modes = ADJ_FREQUENCY, .freq = 100 << 16};
	struct timex offset = {
		.modes = ADJ_OFFSET | ADJ_STATUS | ADJ_NANO, .status = STA_PLL, .offset = 1000000};
	struct timex tai = {.modes = ADJ_TAI, .constant = 37};
	uint32_t events = header()->kernel_events;

	adjtimex(&frequency);
	adjtimex(&offset);
	sleep_ms(1500);
	frequency.freq = 0;
	adjtimex(&frequency);
	check(header()->kernel_events == events, "a slew is no event");
	adjtimex(&tai);
	check(header()->kernel_events == events, "nor is another TAI - UTC");
	check_result(rig_publish(&rig), 0, "publication goes on");
}

/* Nothing on the page holds any more, and everybody learns it. */
static void invalidated(const char *name, struct chronotick_clock before)
{
	const struct chronotick_page *page = rig.page;
	struct chronotick_interval interval;
	struct chronotick *ct;
	uint32_t g = CHRONOTICK_STATE_GENERATION(before.state) + 1;
	unsigned int i;

	for (i = 0; i < 2; i++)
		check(page->clock[i].span == 0 && page->clock[i].mult == 0 &&
			      CHRONOTICK_STATE_GENERATION(page->clock[i].state) == g &&
			      !(page->clock[i].seq & 1),
		      "%s: line %u has no time, in another generation", name, i);
	check(header()->generation == g, "%s: the header has it", name);
	check(page->record.flags == 0, "%s: the record is not valid", name);
	check_result(chronotick_open(&ct, CHRONOTICK_DEVICE_PATH), 0, "%s: readers open it", name);
	check_result(chronotick_now(ct, &interval), -EAGAIN, "%s: they are told no time", name);
	chronotick_close(ct);
	check(changed(WAIT_MS), "%s: those who poll are woken", name);
}

/* Those that are not the counter: how many of them, two at most. */
static unsigned int foreign_find(char names[2][32])
{
	char present[32], *word, available[256];
	unsigned int count = 0;

	snprintf(present, sizeof(present), "%s", file_line(CLOCKSOURCE));
	snprintf(available, sizeof(available), "%s",
		 file_line(CLOCKSOURCES "available_clocksource"));
	for (word = strtok(available, " "); word && count < 2; word = strtok(NULL, " "))
		if (strcmp(word, present) != 0)
			snprintf(names[count++], sizeof(names[0]), "%s", word);
	return count;
}

static void clocksource(void)
{
	char foreign[2][32] = {"", ""}, own[32];
	struct chronotick_cross cross = {.size = sizeof(cross)};
	struct chronotick_update update;
	struct chronotick_claim claim;
	struct chronotick_clock before;
	uint32_t events = header()->kernel_events, count = header()->kernel_clocksources;

	if (foreign_find(foreign) < 2) {
		check(true, "clocksource # SKIP there are not two others");
		return;
	}
	snprintf(own, sizeof(own), "%s", file_line(CLOCKSOURCE));
	while (changed(0))
		;
	rig_publish(&rig);
	before = rig.page->clock[0];
	update_make(&rig, &update);
	check_result(file_write(CLOCKSOURCE, foreign[0]), 0, "clocksource: to %s", foreign[0]);
	check(!strcmp(file_line(CLOCKSOURCE), foreign[0]), "clocksource: it is that");
	check(header()->kernel_clocksources == count + 1 && header()->kernel_events == events + 1,
	      "clocksource: it is counted");
	check(!(header()->kernel_state & CHRONOTICK_KERNEL_COUNTER), "clocksource: the state");
	invalidated("clocksource", before);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -ENXIO,
		     "clocksource: what was sampled before it is refused");
	check_result(rig_publish(&rig), -ENXIO, "clocksource: and what is sampled after it");
	check_result(command(rig.fd, CHRONOTICK_IOC_CROSS, &cross), -ENXIO,
		     "clocksource: no cross-timestamp");
	claim_make(&claim, &rig.counter);
	check_result(command(rig.fd, CHRONOTICK_IOC_CLAIM, &claim), -ENXIO,
		     "clocksource: no claim");
	update = (struct chronotick_update){.size = sizeof(update)};
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0,
		     "clocksource: a sign of life is one");
	check_result(file_write(CLOCKSOURCE, foreign[1]), 0, "clocksource: to %s", foreign[1]);
	check(header()->kernel_clocksources == count + 2, "clocksource: it is counted");
	check_result(file_write(CLOCKSOURCE, own), 0, "clocksource: back to %s", own);
	check(header()->kernel_state & CHRONOTICK_KERNEL_COUNTER, "clocksource: the state again");
	check_result(rig_publish(&rig), 0, "clocksource: a line of the new generation");
	check_result(command(rig.fd, CHRONOTICK_IOC_CROSS, &cross), 0,
		     "clocksource: a cross-timestamp");
}

/* Nor does any of it make a writer that is gone come back. */
static void ownerless(void)
{
	char foreign[2][32] = {"", ""}, own[32];
	struct chronotick_interval interval;
	struct chronotick *ct;
	unsigned int i;

	if (foreign_find(foreign) < 1) {
		check(true, "no writer # SKIP there is no other clocksource");
		return;
	}
	snprintf(own, sizeof(own), "%s", file_line(CLOCKSOURCE));
	rig_publish(&rig);
	close(rig.fd);
	check_result(file_write(CLOCKSOURCE, foreign[0]), 0, "no writer: to %s", foreign[0]);
	check_result(file_write(CLOCKSOURCE, own), 0, "no writer: back to %s", own);
	for (i = 0; i < 2; i++)
		check(!rig.page->clock[i].span &&
			      (CHRONOTICK_STATE_STATUS(rig.page->clock[i].state) &
			       CHRONOTICK_STATUS_MASK) == CHRONOTICK_WRITER_GONE,
		      "no writer: line %u has no time, and tells that there is none", i);
	check_result(chronotick_open(&ct, CHRONOTICK_DEVICE_PATH), 0, "no writer: readers open it");
	check_result(chronotick_now(ct, &interval), -ESTALE, "no writer: they wait for none");
	check_result(rig_open(&rig), 0, "no writer: there is one again");
	check_result(chronotick_now(ct, &interval), -EAGAIN, "no writer: for which they wait");
	chronotick_close(ct);
	check_result(rig_publish(&rig), 0, "no writer: and who publishes");
}

static void suspended(void)
{
	struct chronotick_clock before;
	struct chronotick_update update;
	uint32_t events = header()->kernel_events;

	if (access("/sys/power/pm_test", W_OK) < 0) {
		check(true, "suspend # SKIP this kernel has no pm_test");
		return;
	}
	file_write("/sys/module/suspend/parameters/pm_test_delay", "1");
	while (changed(0))
		;
	rig_publish(&rig);
	before = rig.page->clock[0];
	check_result(file_write("/sys/power/pm_test", "freezer"), 0, "suspend: a test of it");
	update_make(&rig, &update);
	check_result(file_write("/sys/power/state", "freeze"), 0, "suspend: frozen and thawed");
	file_write("/sys/power/pm_test", "none");
	check(header()->kernel_events == events + 2, "suspend: its beginning and end are counted");
	check(!(header()->kernel_state & CHRONOTICK_KERNEL_ASLEEP), "suspend: it is over");
	invalidated("suspend", before);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -ESTALE,
		     "suspend: what was sampled before it is refused");
	check_result(rig_publish(&rig), 0, "suspend: a line of the new generation");
}

/* An update whose line leaves the standing one 50 ms from now, slower by `less`. */
static void falling_make(struct chronotick_update *ret, uint64_t less)
{
	uint64_t ahead;
	unsigned __int128 utc;

	update_make(&rig, ret);
	ret->join += counter_from_ns(&rig.counter, 50000000);
	ahead = ret->join - ret->line.anchor;
	utc = standing_utc(&rig.page->clock[0], ret->join);
	ret->line.mult -= less;
	utc -= ((unsigned __int128)ahead << 10) * ret->line.mult;
	ret->line.utc_ns = (int64_t)(utc >> 64);
	ret->line.utc_frac = (uint64_t)utc;
}

/* What the writer itself may do with generations */
static void generations(void)
{
	struct chronotick_update update;
	uint32_t g = header()->generation;
	uint64_t anchor;

	while (changed(0))
		;
	update_make(&rig, &update);
	update.line.state = CHRONOTICK_STATE(g + 1, CHRONOTICK_SYNCHRONIZED, 37);
	update.line.utc_ns += SECOND;
	anchor = update.line.anchor;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "a jump");
	check(header()->generation == g + 1 && header()->generation_start == anchor,
	      "a jump: the header tells where it was");
	check(changed(0), "a jump is a change");
	check_result(rig_publish(&rig), 0, "a jump: the next line goes on there");
	check(!changed(0), "a jump: which is none");

	update_make(&rig, &update);
	update.line.mult += update.line.mult / 100000;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -EINVAL,
		     "another slope, which does not meet the line at the join");
	update_make(&rig, &update);
	update.join = update.line.anchor;
	update.line.mult += update.line.mult / 100000;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0,
		     "a slope that rises from the join on");
	update_make(&rig, &update);
	update.join = update.line.anchor;
	update.line.mult -= update.line.mult / 100000;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -ETIMEDOUT,
		     "one that falls from a join in the past");

	falling_make(&update, update.line.mult / 50000);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -EINVAL,
		     "one that falls by 20 ppm, in good time");
	falling_make(&update, rig.page->clock[0].mult / CHRONOTICK_FALL_PART + 1);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -EINVAL,
		     "or by a little more than 10 ppm");
	falling_make(&update, rig.page->clock[0].mult / CHRONOTICK_FALL_PART);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "but by 10 ppm it may");

	update_make(&rig, &update);
	update.line = rig.page->clock[0];
	update.line.span = 0;
	update.line.state = CHRONOTICK_STATE(g + 1, CHRONOTICK_WARMING_UP, 37);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -ETIMEDOUT,
		     "a valid record with a line that is not to be trusted");
	update.record.flags = 0;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "trust is withdrawn");
	check(changed(0), "which is a change");
	check_result(rig_publish(&rig), 0, "and given again");
	update = (struct chronotick_update){.size = sizeof(update),
					    .flags = CHRONOTICK_UPDATE_LINE,
					    .events = header()->kernel_events};
	update.line.state = CHRONOTICK_STATE(g + 1, CHRONOTICK_UNSYNCHRONIZED, 37);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -EINVAL,
		     "no time at all, in the generation of one");
	update.line.state = CHRONOTICK_STATE(g + 2, CHRONOTICK_UNSYNCHRONIZED, 37);
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0,
		     "no time at all, in the next one");
	check(rig.page->clock[0].mult == 0 && rig.page->clock[1].mult == 0, "there is none");
	check_result(rig_publish(&rig), 0, "and a first line again");
}

int main(void)
{
	if (!check_result(rig_open(&rig), 0, "a writer"))
		return 1;
	generations();
	stepped(step_by_settimeofday, "settimeofday");
	stepped(step_by_adjtimex, "ADJ_SETOFFSET");
	stepped(step_by_clock_settime, "clock_settime");
	slewed();
	clocksource();
	ownerless();
	suspended();
	rig_close(&rig);
	return checks_end();
}
