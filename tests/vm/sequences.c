/* SPDX-License-Identifier: MIT */
/*
 * Sequences of system calls by several processes that know nothing of each other: they open the
 * device, map it, claim, publish, hand descriptors on by fork, dup and sockets, change and drop
 * mappings that others use, close what a call is under way on, kill each other, and try to unload the
 * module, in any order. Every other process has no rights. What a process has it keeps for the next
 * steps, and a child goes on with all of it.
 *
 *	sequences [STEPS [SEED]]	steps of each process; the seed makes the same ones again
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define STEPS 5000
#define PROCESSES 4
#define SLOTS 6
#define CHILD_STEPS 40
#define GENERATIONS 3 /* of children */
#define SIZE CHRONOTICK_PAGE_SIZE

enum kind {
	OPEN,
	CLOSE,
	DUP,
	MAP,
	UNMAP,
	PROTECT,
	ADVISE,
	REMAP,
	LOAD,
	STORE,
	CLAIM,
	PUBLISH,
	FIGURES,
	CROSS,
	POLL,
	READ,
	FORK,
	KILL,
	SEND,
	RECEIVE,
	THREAD,
	UNLOAD,
	KINDS
};

/* How often each is chosen, of their sum */
static const unsigned char weights[KINDS] = {
	[OPEN] = 12,   [CLOSE] = 9,   [DUP] = 4,    [MAP] = 10,   [UNMAP] = 6,  [PROTECT] = 4,
	[ADVISE] = 5,  [REMAP] = 3,   [LOAD] = 10,  [STORE] = 3,  [CLAIM] = 10, [PUBLISH] = 20,
	[FIGURES] = 4, [CROSS] = 4,   [POLL] = 5,   [READ] = 4,   [FORK] = 1,   [KILL] = 1,
	[SEND] = 2,    [RECEIVE] = 2, [THREAD] = 1, [UNLOAD] = 1,
};

static struct shared {
	_Atomic unsigned long done[KINDS], good[KINDS], unloads, stores, foreign, lives;
	_Atomic pid_t pids[PROCESSES];
} * shared;

static struct writer_rig rig; /* rig.page: a mapping that nobody takes away */
static int descriptors[SLOTS], mail[2];
static char *mappings[SLOTS];
static unsigned int generation;
static bool has_rights;
static uint64_t state;
static sigjmp_buf back;

static uint64_t random_below(uint64_t limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state * 0x2545f4914f6cdd1dULL >> 11) % limit;
}

static void on_fault(int number)
{
	siglongjmp(back, number);
}

static void on_alarm(int number)
{
	(void)number;
}

static void descriptor_put(int fd)
{
	unsigned int slot = (unsigned int)random_below(SLOTS);

	if (fd < 0)
		return;
	close(descriptors[slot]);
	descriptors[slot] = fd;
}

static void mapping_put(char *at)
{
	unsigned int slot = (unsigned int)random_below(SLOTS);

	if (at == MAP_FAILED)
		return;
	if (mappings[slot])
		munmap(mappings[slot], SIZE);
	mappings[slot] = at;
}

static int claim(int fd)
{
	struct chronotick_claim claim;

	claim_make(&claim, &rig.counter);
	claim.flags = (uint32_t)random_below(4);
	return command(fd, CHRONOTICK_IOC_CLAIM, &claim);
}

static int publish(int fd)
{
	struct chronotick_update update;

	update_make(&rig, &update);
	update.flags = (uint32_t)random_below(4);
	if (!random_below(10))
		update.line.state++;
	return command(fd, CHRONOTICK_IOC_PUBLISH, &update);
}

static int figures(int fd)
{
	static struct chronotick_figures figures;

	figures.size = sizeof(figures);
	figures.statistics.source_count = (uint32_t)random_below(CHRONOTICK_SOURCES_MAX + 1);
	return command(fd, CHRONOTICK_IOC_FIGURES, &figures);
}

/* A mapping is always the page, as long as it can be read. */
static int load(const char *at)
{
	int number = sigsetjmp(back, 1);

	if (number)
		return number == SIGSEGV ? -EFAULT : -EIO;
	if (((const volatile struct chronotick_page *)(const void *)at)->header.magic !=
	    CHRONOTICK_MAGIC)
		shared->foreign++;
	return 0;
}

static int store(char *at)
{
	if (sigsetjmp(back, 1))
		return -EFAULT;
	*(volatile char *)at = 1;
	shared->stores++;
	return 0;
}

static int message_send(int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(mail[0], &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int message_receive(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header;
	int fd;

	if (recvmsg(mail[1], &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	descriptor_put(fd);
	return 0;
}

/* Closes a descriptor while the other thread may be in a call on it. */
static void *close_later(void *data)
{
	const struct timespec soon = {.tv_nsec = 200000};

	nanosleep(&soon, NULL);
	close(*(int *)data);
	return NULL;
}

static int thread_race(int *fd)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, close_later, fd))
		return -EAGAIN;
	claim(*fd);
	publish(*fd);
	pthread_join(thread, NULL);
	*fd = -1;
	return 0;
}

static void steps_make(unsigned long steps);

/* What waits is ended; a timer is no child's inheritance. */
static void alarms_start(void)
{
	const struct itimerval often = {{0, 3000}, {0, 3000}};

	setitimer(ITIMER_REAL, &often, NULL);
}

static int child_start(void)
{
	pid_t parent = getpid(), pid;

	if (generation >= GENERATIONS)
		return -EAGAIN;
	pid = fork();
	if (pid)
		return pid < 0 ? -errno : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	alarms_start();
	generation++;
	state ^= (uint64_t)getpid() << 20;
	steps_make(random_below(CHILD_STEPS));
	if (random_below(2))
		kill(getpid(), SIGKILL);
	_exit(0);
}

static int step(enum kind kind)
{
	static const int modes[] = {O_RDONLY, O_RDWR, O_WRONLY, O_RDONLY | O_NONBLOCK};
	int *fd = &descriptors[random_below(SLOTS)], r = 0;
	char **mapping = &mappings[random_below(SLOTS)];
	struct pollfd entry = {.fd = *fd, .events = POLLIN | POLLOUT};
	struct chronotick_cross cross = {.size = sizeof(cross)};
	uint32_t count;
	char *moved;
	pid_t pid;

	if (!*mapping && kind >= UNMAP && kind <= STORE)
		return -EINVAL;
	switch (kind) {
	case OPEN:
		r = device_open(modes[random_below(4)]);
		descriptor_put(r);
		return r;
	case CLOSE:
		r = close(*fd);
		*fd = -1;
		break;
	case DUP:
		descriptor_put(random_below(2) ? dup(*fd) : fcntl(*fd, F_DUPFD_CLOEXEC, 200));
		break;
	case MAP:
		mapping_put(
			mmap(NULL, SIZE, (int)random_below(8), 1 + (int)random_below(3), *fd, 0));
		break;
	case UNMAP:
		munmap(*mapping, SIZE);
		*mapping = NULL;
		break;
	case PROTECT:
		r = mprotect(*mapping, SIZE, (int)random_below(8));
		break;
	case ADVISE:
		r = madvise(*mapping, SIZE, (int)random_below(26));
		break;
	case REMAP:
		moved = mremap(*mapping, SIZE, SIZE * (1 + random_below(2)), MREMAP_MAYMOVE);
		if (moved != MAP_FAILED)
			*mapping = moved;
		break;
	case LOAD:
		return load(*mapping);
	case STORE:
		return store(*mapping);
	case CLAIM:
		return claim(*fd);
	case PUBLISH:
		return publish(*fd);
	case FIGURES:
		return figures(*fd);
	case CROSS:
		return command(*fd, CHRONOTICK_IOC_CROSS, &cross);
	case POLL:
		r = poll(&entry, 1, (int)random_below(3));
		break;
	case READ:
		r = (int)read(*fd, &count, sizeof(count)); /* an alarm ends it */
		break;
	case FORK:
		return child_start();
	case KILL:
		pid = shared->pids[random_below(PROCESSES)];
		if (pid <= 0)
			return -ESRCH; /* not started yet; 0 would be all of them, and who waits */
		r = kill(pid, random_below(4) ? SIGSTOP : SIGKILL);
		break;
	case SEND:
		return message_send(*fd);
	case RECEIVE:
		return message_receive();
	case THREAD:
		return thread_race(fd);
	case UNLOAD:
		r = (int)syscall(SYS_delete_module, "chronotick", O_NONBLOCK);
		shared->unloads += r == 0;
		break;
	case KINDS:
		break;
	}
	return r < 0 ? -errno : r;
}

static void steps_make(unsigned long steps)
{
	unsigned int sum = 0, i;

	for (i = 0; i < KINDS; i++)
		sum += weights[i];
	while (steps--) {
		unsigned int at = (unsigned int)random_below(sum);

		for (i = 0; at >= weights[i]; i++)
			at -= weights[i];
		if (step(i) >= 0) {
			shared->good[i]++;
			/* What one without rights has been handed on is not his own. */
			if (!has_rights && (i == PUBLISH || i == FIGURES || i == CLAIM))
				shared->foreign++;
		}
		shared->done[i]++;
	}
}

static void process_run(unsigned int number, unsigned long steps, uint64_t seed)
{
	struct sigaction fault = {.sa_handler = on_fault}, ring = {.sa_handler = on_alarm};
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGALRM, &ring, NULL);
	has_rights = number % 2 == 0;
	if (!has_rights) {
		privileges_drop();
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* which that has undone */
	}
	alarms_start();
	state = (seed + 1) * 0x9e3779b97f4a7c15ULL + number + ((uint64_t)shared->lives << 32);
	for (i = 0; i < SLOTS; i++)
		descriptors[i] = device_open(O_RDONLY);
	steps_make(steps);
	_exit(0);
}

static void process_start(unsigned int number, unsigned long steps, uint64_t seed)
{
	pid_t pid = fork();

	if (pid == 0)
		process_run(number, steps, seed);
	shared->pids[number] = pid;
	shared->lives++;
}

/* Those that are stopped go on after a while, those that are killed begin anew with what is left. */
static bool processes_await(unsigned long steps, uint64_t seed)
{
	unsigned long all;
	unsigned int i, j;
	int status;
	pid_t pid;

	for (;;) {
		for (all = 0, j = 0; j < KINDS; j++)
			all += shared->done[j];
		if (all >= steps * PROCESSES)
			break;
		sleep_ms(2);
		for (i = 0; i < PROCESSES; i++)
			kill(shared->pids[i], SIGCONT);
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			for (i = 0; i < PROCESSES; i++)
				if (shared->pids[i] == pid)
					process_start(i, steps, seed);
		if (pid < 0)
			return false;
	}
	for (i = 0; i < PROCESSES; i++)
		kill(shared->pids[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return true;
}

int main(int count, char **arguments)
{
	unsigned long steps = count > 1 ? strtoul(arguments[1], NULL, 0) : STEPS, all = 0;
	uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
	const struct chronotick_page *page;
	struct chronotick_clock first;
	unsigned int i, missing = 0;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (!check_result(rig_open(&rig), 0, "a writer") ||
	    !check(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mail) == 0, "a mailbox"))
		return 1;
	close(rig.fd);
	page = rig.page;
	for (i = 0; i < PROCESSES; i++)
		process_start(i, steps, seed);
	check(processes_await(steps, seed), "the processes come to their end");
	for (i = 0; i < KINDS; i++) {
		all += shared->done[i];
		missing += !shared->done[i] || (!shared->good[i] && i != STORE && i != UNLOAD);
	}
	check(all >= steps * PROCESSES, "%lu steps, seed %lu, %lu processes", all,
	      (unsigned long)seed, (unsigned long)shared->lives);
	check(!missing, "each kind of step is made, and good sometimes");
	check(shared->stores == 0, "no store into the page: %lu", (unsigned long)shared->stores);
	check(shared->foreign == 0, "no other page, and nobody without rights writes: %lu",
	      (unsigned long)shared->foreign);
	check(shared->unloads == 0, "the module stays while it is in use");
	close(mail[0]);
	close(mail[1]);
	for (i = 0; i < 50 && (page->header.standby_count || page->header.writer_pid); i++)
		sleep_ms(100); /* children of those who were killed */
	check(page->header.standby_count == 0 && page->header.writer_pid == 0, "nobody is left");
	/* Their numbers may differ: what comes too late is taken back in the first one. */
	first = page->clock[0];
	first.seq = page->clock[1].seq;
	check(!(page->clock[0].seq & 1) && !(first.seq & 1) &&
		      !memcmp(&first, &page->clock[1], sizeof(first)),
	      "both lines are whole, and equal");
	check(!(page->record.sequence_number & 1) && !(page->record_shadow.sequence_number & 1),
	      "both records are");
	if (!check_result(rig_open(&rig), 0, "a writer, again"))
		return 1;
	check_result(rig_publish(&rig), 0, "which publishes");
	rig_close(&rig);
	return checks_end();
}
