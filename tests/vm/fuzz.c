/* SPDX-License-Identifier: MIT */
/*
 * Sequences of calls that nobody should make, from several processes at once, some of them without
 * rights: good arguments with words changed, rubbish, wrong sizes, memory that ends, and descriptors
 * that are closed, duplicated, inherited and mapped meanwhile. The kernel must not mind, the page
 * must stay whole, and the module must go when all is over.
 *
 *	fuzz [CALLS [SEED]]
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define CALLS 100000
#define PROCESSES 4 /* of which every other one has no rights */
#define DESCRIPTORS 8

struct tally {
	unsigned long calls, accepted[4], lines;
};

static struct tally *tallies;
static struct writer_rig rig; /* rig.fd: whichever is used at the moment */
static int descriptors[DESCRIPTORS];
static int claimed = -1; /* the one that has claimed last */
static char *edge;       /* a page of memory with none behind it */
static uint64_t state;

static uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static uint64_t random_below(uint64_t limit)
{
	return random64() % limit;
}

/* A value that has a chance to be at some limit */
static uint64_t random_word(void)
{
	static const uint64_t some[] = {
		0,
		1,
		2,
		UINT64_MAX,
		1ULL << 63,
		1ULL << 62,
		1ULL << 53,
		(1ULL << 53) + 1,
		UINT32_MAX,
		1ULL << 32,
		0x7ff0000000000000,
		0x7ff8000000000000,
		1ULL << 54,
		INT64_MAX,
		4096,
		1000000000,
	};

	if (random_below(2))
		return some[random_below(sizeof(some) / sizeof(some[0]))] + random_below(3) - 1;
	return random64() >> random_below(64);
}

union argument {
	uint32_t size;
	struct chronotick_claim claim;
	struct chronotick_update update;
	struct chronotick_figures figures;
	struct chronotick_cross cross;
	char bytes[8192];
};

/* What is good for that command, now; returns its size. */
static uint32_t argument_make(union argument *ret, unsigned int number)
{
	memset(ret, 0, sizeof(*ret));
	switch (number) {
	case 0:
		claim_make(&ret->claim, &rig.counter);
		ret->claim.flags = random_below(4) ? 0 : CHRONOTICK_CLAIM_STANDBY;
		return sizeof(ret->claim);
	case 1:
		update_make(&rig, &ret->update);
		ret->update.flags = (uint32_t)random_below(4);
		if (!random_below(8)) {
			ret->update.line.state++; /* another generation: anywhere */
			ret->update.line.utc_ns += (int64_t)random_below(SECOND);
		}
		return sizeof(ret->update);
	case 2:
		ret->size = sizeof(ret->figures);
		ret->figures.statistics.source_count = (uint32_t)random_below(34);
		return sizeof(ret->figures);
	case 3:
		ret->size = sizeof(ret->cross);
		return sizeof(ret->cross);
	}
	ret->size = (uint32_t)random_word();
	return 256;
}

static void mutate(union argument *argument, uint32_t size)
{
	unsigned int times = (unsigned int)random_below(4);
	uint64_t word;

	while (times--) {
		size_t at = random_below(size - 7);
		size_t width = 1ULL << random_below(4);

		if (random_below(4))
			at &= ~(width - 1);
		word = random_word();
		memcpy(argument->bytes + at, &word, width);
	}
	if (!random_below(10))
		argument->size =
			random_below(2) ? (uint32_t)random_below(5000) : (uint32_t)random_word();
}

static void command_try(struct tally *tally, int fd)
{
	static union argument argument;
	unsigned int number = (unsigned int)random_below(random_below(10) ? 4 : 8);
	uint32_t size = argument_make(&argument, number);
	void *pointer = &argument;
	int r;

	if ((number == 1 || number == 2) && random_below(4))
		fd = claimed;
	if (random_below(3))
		mutate(&argument, size);
	switch (random_below(20)) {
	case 0: /* ends where the memory does, or a little later */
		size -= (uint32_t)random_below(2) * (uint32_t)random_below(size);
		pointer = memcpy(edge + 4096 - size, &argument, size);
		break;
	case 1:
		pointer = (void *)(uintptr_t)random_word();
		break;
	case 2: /* the page itself, where nothing can be written back */
		pointer = (char *)(uintptr_t)rig.page + random_below(4096);
		break;
	}
	r = command(fd, _IO(0xc7, number), pointer);
	if (r == 0 && number == 0)
		claimed = fd;
	if (r == 0 && number < 4) {
		tally->accepted[number]++;
		tally->lines += number == 1 && argument.update.flags & CHRONOTICK_UPDATE_LINE;
	}
}

static void descriptor_change(unsigned int i)
{
	static const int modes[] = {O_RDONLY, O_RDWR, O_WRONLY, O_RDONLY | O_NONBLOCK};

	if (descriptors[i] >= 0)
		close(descriptors[i]);
	if (random_below(4))
		descriptors[i] = device_open(modes[random_below(4)]);
	else
		descriptors[i] = dup(descriptors[random_below(DESCRIPTORS)]);
}

static void mapping_try(int fd)
{
	int protection = (int)random_below(8), flags = (int)random_below(4);
	size_t size = random_below(3) * 4096 + random_below(2);
	char *at = mmap(NULL, size, protection, flags | (int)random_below(2) * MAP_POPULATE, fd,
			(off_t)(random_below(4) ? 0 : random_word() & ~4095ULL));
	char *moved;

	if (at == MAP_FAILED)
		return;
	madvise(at, 4096, (int)random_below(26));
	mprotect(at, 4096, (int)random_below(8));
	moved = mremap(at, 4096, 4096 * random_below(3), (int)random_below(2));
	munmap(moved == MAP_FAILED ? at : moved, 4096);
}

static void other_try(int fd)
{
	struct pollfd entry = {.fd = fd, .events = (short)random64()};
	char bytes[16];
	pid_t pid;

	switch (random_below(7)) {
	case 0:
		poll(&entry, 1, 0);
		break;
	case 1:
		if (fcntl(fd, F_GETFL) & O_NONBLOCK)
			(void)!read(fd, bytes, random_below(sizeof(bytes)));
		break;
	case 2:
		(void)!write(fd, bytes, random_below(sizeof(bytes)));
		break;
	case 3:
		mapping_try(fd);
		break;
	case 4:
		if (random_below(50))
			break;
		/* A child with all descriptors, which ends in its own time */
		pid = fork();
		if (pid == 0) {
			usleep((useconds_t)random_below(5000));
			kill(getpid(), random_below(2) ? SIGKILL : SIGTERM);
		}
		break;
	case 5:
		syscall(SYS_delete_module, "chronotick", O_NONBLOCK);
		break;
	case 6:
		(void)!lseek(fd, (off_t)random_word(), (int)random_below(5));
		break;
	}
}

static void on_signal(int number)
{
	(void)number;
}

static void fuzz(unsigned int number, unsigned long calls, uint64_t seed)
{
	/* Whatever waits is ended: some of what is made up are claims that do. */
	const struct itimerval often = {{0, 5000}, {0, 5000}};
	struct sigaction action = {.sa_handler = on_signal};
	struct tally *tally = &tallies[number];
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	state = seed * 0x9e3779b97f4a7c15ULL + number + 1;
	if (number % 2)
		privileges_drop();
	edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(edge + 4096, 4096);
	for (i = 0; i < DESCRIPTORS; i++)
		descriptors[i] = device_open(O_RDONLY);
	for (tally->calls = 0; tally->calls < calls; tally->calls++) {
		i = (unsigned int)random_below(DESCRIPTORS);
		if (!random_below(100))
			descriptor_change(i);
		else if (random_below(10))
			command_try(tally, descriptors[i]);
		else
			other_try(descriptors[i]);
	}
	_exit(0);
}

static bool lines_are_whole(void)
{
	const struct chronotick_clock *line = rig.page->clock;

	return !(line[0].seq & 1) && !(line[1].seq & 1) && line[0].mult == line[1].mult &&
	       line[0].utc_ns == line[1].utc_ns && line[0].utc_frac == line[1].utc_frac &&
	       line[0].state == line[1].state && line[0].span == line[1].span &&
	       line[0].anchor == line[1].anchor && line[0].bound_ns == line[1].bound_ns;
}

int main(int count, char **arguments)
{
	unsigned long calls = count > 1 ? strtoul(arguments[1], NULL, 0) : CALLS;
	uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
	unsigned long made = 0, lines = 0, accepted[4] = {0}, others = 0;
	unsigned int i, j, good = 0;
	int status;

	tallies = mmap(NULL, PROCESSES * sizeof(*tallies), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!check_result(rig_open(&rig), 0, "a writer"))
		return 1;
	close(rig.fd);
	for (i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			fuzz(i, calls / PROCESSES, seed);
	for (i = 0; i < PROCESSES; i++) {
		wait(&status);
		good += status == 0;
	}
	for (i = 0; i < PROCESSES; i++) {
		made += tallies[i].calls;
		lines += tallies[i].lines;
		for (j = 0; j < 4; j++)
			accepted[j] += tallies[i].accepted[j];
		others += i % 2 ? tallies[i].accepted[0] + tallies[i].accepted[1] +
					  tallies[i].accepted[2]
				: 0;
	}
	check(good == PROCESSES && made >= calls - PROCESSES, "%lu calls, seed %lu", made,
	      (unsigned long)seed);
	check(accepted[0] && accepted[1] && accepted[2] && accepted[3] && lines,
	      "of each kind some are good: %lu claims, %lu updates, %lu figures, %lu crosses",
	      accepted[0], accepted[1], accepted[2], accepted[3]);
	check(others == 0, "none of those who have no rights: %lu", others);
	check(lines_are_whole(), "both lines are whole, and equal");
	check(!(rig.page->record.sequence_number & 1) &&
		      !(rig.page->record_shadow.sequence_number & 1),
	      "both records are");
	check(rig.page->header.magic == CHRONOTICK_MAGIC &&
		      rig.page->header.page_size == CHRONOTICK_PAGE_SIZE &&
		      rig.page->header.counter_kind == rig.counter.kind,
	      "the header is what it was");
	sleep_ms(100); /* children of children */
	check(rig.page->header.standby_count == 0 && rig.page->header.writer_pid == 0,
	      "nobody is left");
	check_result(rig_open(&rig), 0, "a writer, again");
	check_result(rig_publish(&rig), 0, "which publishes");
	rig_close(&rig);
	return checks_end();
}
