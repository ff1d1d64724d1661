/* SPDX-License-Identifier: MIT */
/* One writer at a time, who has the right; what is left of one who ends, and who comes after. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define STANDBYS 5
#define WAIT_MS 5000

static struct writer_rig rig;

static int claim_on(int fd, uint32_t flags)
{
	struct chronotick_claim claim;

	claim_make(&claim, &rig.counter);
	claim.flags = flags;
	return command(fd, CHRONOTICK_IOC_CLAIM, &claim);
}

static unsigned int status_of(unsigned int line)
{
	return CHRONOTICK_STATE_STATUS(rig.page->clock[line].state) & CHRONOTICK_STATUS_MASK;
}

static bool lines_have(unsigned int status)
{
	return status_of(0) == status && status_of(1) == status;
}

static short poll_of(int fd, int timeout_ms)
{
	struct pollfd entry = {.fd = fd, .events = POLLIN | POLLOUT};

	poll(&entry, 1, timeout_ms);
	return entry.revents;
}

static int has_no_right(void *data)
{
	struct chronotick_figures *figures = calloc(1, sizeof(*figures));
	struct chronotick_cross cross = {.size = sizeof(cross)};
	struct chronotick_update update;
	int fd, r = 0;

	(void)data;
	privileges_drop();
	r |= !check_result(device_open(O_RDWR), -EACCES, "nobody: opening for writing");
	r |= !check_result(device_open(O_WRONLY), -EACCES, "nobody: opening for writing only");
	fd = device_open(O_RDONLY);
	r |= !check(fd >= 0, "nobody: opening for reading");
	r |= !check_result(claim_on(fd, 0), -EPERM, "nobody: claiming");
	r |= !check_result(claim_on(fd, CHRONOTICK_CLAIM_WAIT), -EPERM, "nobody: standing by");
	update_make(&rig, &update);
	r |= !check_result(command(fd, CHRONOTICK_IOC_PUBLISH, &update), -EPERM,
			   "nobody: publishing");
	figures->size = sizeof(*figures);
	r |= !check_result(command(fd, CHRONOTICK_IOC_FIGURES, figures), -EPERM, "nobody: figures");
	r |= !check_result(command(fd, CHRONOTICK_IOC_CROSS, &cross), 0,
			   "nobody: a cross-timestamp");
	r |= !check(page_map(fd)->header.magic == CHRONOTICK_MAGIC, "nobody: reading the page");
	return r;
}

/* Root, but for the one capability that counts */
static int has_all_but_the_right(void *data)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];
	int r = 0;

	(void)data;
	syscall(SYS_capget, &header, sets);
	sets[0].effective &= ~(1U << CAP_SYS_TIME);
	sets[0].permitted &= ~(1U << CAP_SYS_TIME);
	syscall(SYS_capset, &header, sets);
	r |= !check_result(device_open(O_RDWR), -EPERM, "root without CAP_SYS_TIME: for writing");
	r |= !check_result(claim_on(device_open(O_RDONLY), 0), -EPERM,
			   "root without CAP_SYS_TIME: claiming");
	return r;
}

static int is_refused(void *data)
{
	struct chronotick_update update;
	int r = 0;

	(void)data;
	r |= !check_result(device_open(O_RDWR), -EBUSY, "another process: opening for writing");
	r |= !check_result(claim_on(device_open(O_RDONLY), 0), -EBUSY, "another process: claiming");
	update_make(&rig, &update);
	r |= !check_result(command(device_open(O_RDONLY), CHRONOTICK_IOC_PUBLISH, &update), -EPERM,
			   "another process: publishing");
	r |= !check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), -EPERM,
			   "a forked child: publishing with the writer's descriptor");
	r |= !check_result(claim_on(rig.fd, 0), -EBUSY, "a forked child: claiming with it");
	close(rig.fd);
	return r;
}

static void *publish_in_thread(void *data)
{
	*(int *)data = rig_publish(&rig);
	return NULL;
}

static void exclusion(void)
{
	pthread_t thread;
	int r = -1, fd;

	if (!check_result(rig_open(&rig), 0, "a writer"))
		exit(1);
	check(status_of(0) != CHRONOTICK_WRITER_GONE, "its status is not that of one who is gone");
	check_result(rig_publish(&rig), 0, "it publishes");
	check_result(in_child(has_no_right, NULL), 0, "users have no right");
	check_result(in_child(has_all_but_the_right, NULL), 0, "root alone has no right");
	check_result(in_child(is_refused, NULL), 0, "there is one writer");
	check_result(rig_publish(&rig), 0, "a child that has closed its copy does no harm");
	check_result(device_open(O_RDWR), -EBUSY, "not even the writer opens it for writing again");
	fd = device_open(O_RDONLY);
	check_result(claim_on(fd, 0), -EBUSY, "nor claims with another descriptor");
	close(fd);
	pthread_create(&thread, NULL, publish_in_thread, &r);
	pthread_join(thread, NULL);
	check_result(r, 0, "its threads publish too");
}

static void orderly_end(void)
{
	struct chronotick_clock before = rig.page->clock[0];
	uint32_t writers = rig.page->header.kernel_writers, changes = rig.page->header.changes;
	int fd;

	close(dup(rig.fd));
	check(lines_have(CHRONOTICK_WRITER_GONE), "closing a duplicate ends the writer");
	check_result(rig_publish(&rig), -EPERM, "it publishes no more");
	check(rig.page->header.writer_pid == 0 &&
		      !(rig.page->header.kernel_state & CHRONOTICK_KERNEL_WRITER),
	      "the header says so");
	check(rig.page->header.changes != changes, "it is a change");
	check(rig.page->clock[0].span == before.span && rig.page->clock[0].mult == before.mult &&
		      rig.page->clock[0].anchor == before.anchor &&
		      rig.page->clock[0].bound_ns == before.bound_ns,
	      "the line is as it was");
	close(rig.fd);

	fd = device_open(O_RDWR);
	check(fd >= 0, "the next one opens for writing");
	check(rig.page->header.kernel_writers == writers + 1, "writers are counted");
	check(lines_have(CHRONOTICK_HOLDOVER), "the line is one of holdover then");
	check(strcmp(chronotick_page_path(NULL), CHRONOTICK_DEVICE_PATH) != 0,
	      "readers look elsewhere while it has not claimed");
	rig.fd = fd;
	check_result(rig_publish(&rig), -EBADFD, "without a claim it can't publish");
	check_result(claim_on(fd, 0), 0, "it claims");
	check(!strcmp(chronotick_page_path(NULL), CHRONOTICK_DEVICE_PATH), "readers take it then");
	check_result(rig_publish(&rig), 0, "and publishes");
	close(fd);
	fd = device_open(O_WRONLY);
	check(fd >= 0, "opening for writing only will do");
	close(fd);
}

/* A writer in a process of its own, which says when it is one, and has a child with its descriptor */
static pid_t writer_start(bool with_child)
{
	int pipes[2];
	char byte;
	pid_t pid;

	if (pipe(pipes) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		if (rig_open(&rig) == 0 && rig_publish(&rig) == 0) {
			if (with_child && fork() == 0) {
				close(pipes[0]);
				close(pipes[1]);
				sleep_ms(3000);
				_exit(0);
			}
			if (write(pipes[1], "x", 1) == 1)
				for (;;)
					pause();
		}
		_exit(1);
	}
	close(pipes[1]);
	check(read(pipes[0], &byte, 1) == 1, "a writer in another process");
	close(pipes[0]);
	return pid;
}

static void killed(bool with_child)
{
	const char *who = with_child ? "a writer whose child has its descriptor" : "a writer";
	pid_t pid = writer_start(with_child);
	uint32_t generation = rig.page->header.generation;
	int status;

	check(rig.page->header.writer_pid == (uint32_t)pid, "the header has its pid");
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	check_result(claim_on(rig.fd, 0), -EBUSY, "%s, stopped, is the writer still", who);
	check(!lines_have(CHRONOTICK_WRITER_GONE), "and is not gone");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	check(lines_have(CHRONOTICK_WRITER_GONE), "%s, killed, is gone", who);
	check_result(claim_on(rig.fd, 0), 0, "and somebody else can be it");
	check_result(rig_publish(&rig), 0, "and continues its line");
	check(rig.page->header.generation == generation, "in its generation");
	close(rig.fd);
	rig.fd = device_open(O_RDONLY);
}

static void standing_by(void)
{
	pid_t pid = writer_start(false);
	int other = device_open(O_RDONLY);

	check((poll_of(rig.fd, 0) & POLLOUT) == 0, "POLLOUT is not for readers");
	check_result(claim_on(rig.fd, CHRONOTICK_CLAIM_STANDBY), -EBUSY, "standing by");
	check_result(claim_on(rig.fd, CHRONOTICK_CLAIM_STANDBY), -EBUSY, "twice");
	check(rig.page->header.standby_count == 1, "one standby is counted");
	check_result(claim_on(other, CHRONOTICK_CLAIM_STANDBY), -EBUSY, "another one");
	check(rig.page->header.standby_count == 2, "two standbys are counted");
	check((poll_of(rig.fd, 0) & POLLOUT) == 0, "no POLLOUT while there is a writer");
	kill(pid, SIGKILL);
	while ((poll_of(rig.fd, WAIT_MS) & (POLLIN | POLLOUT)) == POLLIN) {
		uint32_t changes;

		if (read(rig.fd, &changes, sizeof(changes)) != sizeof(changes))
			break;
	}
	waitpid(pid, NULL, 0);
	check(poll_of(rig.fd, 0) & POLLOUT, "POLLOUT once it is killed");
	check(poll_of(other, 0) & POLLOUT, "for the other one too");
	check_result(claim_on(rig.fd, CHRONOTICK_CLAIM_STANDBY), 0, "the first to ask has it");
	check(rig.page->header.standby_count == 1, "and is no standby any more");
	check_result(claim_on(other, CHRONOTICK_CLAIM_STANDBY), -EBUSY, "the second has not");
	check(poll_of(rig.fd, 0) & POLLOUT && !(poll_of(other, 0) & POLLOUT), "and poll says so");
	close(other);
	check(rig.page->header.standby_count == 0, "a standby that closes is counted no more");
	check_result(rig_publish(&rig), 0, "it publishes");
}

static void on_signal(int number)
{
	(void)number;
}

static int waits_in_vain(void *data)
{
	struct sigaction action = {.sa_handler = on_signal};

	(void)data;
	sigaction(SIGALRM, &action, NULL);
	ualarm(200000, 0);
	return claim_on(device_open(O_RDONLY), CHRONOTICK_CLAIM_WAIT);
}

static int waits(void *data)
{
	(void)data;
	rig.fd = device_open(O_RDONLY);
	if (claim_on(rig.fd, CHRONOTICK_CLAIM_WAIT) < 0 || rig_publish(&rig) < 0)
		return -EIO;
	sleep_ms(20);
	return rig_publish(&rig);
}

/* All that wait become the writer, one after another. */
static void waiting(void)
{
	pid_t pids[STANDBYS];
	uint32_t writers;
	unsigned int i;
	int status, good = 0;
	int64_t limit;

	check_result(in_child(waits_in_vain, NULL), -EINTR, "a signal ends the waiting");
	check(rig.page->header.standby_count == 0, "nobody is left as a standby");
	writers = rig.page->header.kernel_writers;
	for (i = 0; i < STANDBYS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(waits(NULL) < 0);
	}
	for (limit = monotonic_ns() + WAIT_MS * 1000000LL;
	     rig.page->header.standby_count != STANDBYS && monotonic_ns() < limit;)
		sleep_ms(1);
	check(rig.page->header.standby_count == STANDBYS, "%d wait", STANDBYS);
	check_result(rig_publish(&rig), 0, "the writer goes on meanwhile");
	close(rig.fd);
	for (i = 0; i < STANDBYS; i++) {
		waitpid(pids[i], &status, 0);
		good += status == 0;
	}
	check(good == STANDBYS, "each becomes the writer and is not disturbed: %d of %d", good,
	      STANDBYS);
	check(rig.page->header.kernel_writers == writers + STANDBYS, "one after another");
	check(rig.page->header.standby_count == 0, "none is left");
}

/* A process that waits for a change in read(2) */
static pid_t reader_start(void)
{
	uint32_t count;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(read(device_open(O_RDONLY), &count, sizeof(count)) != sizeof(count));
	sleep_ms(300);
	check(waitpid(pid, &status, WNOHANG) == 0, "read waits");
	return pid;
}

static bool ends_soon(pid_t pid)
{
	int64_t limit = monotonic_ns() + WAIT_MS * 1000000LL;
	int status = -1;

	while (waitpid(pid, &status, WNOHANG) == 0 && monotonic_ns() < limit)
		sleep_ms(1);
	kill(pid, SIGKILL);
	return status == 0;
}

static void changes(void)
{
	struct chronotick_update update;
	uint32_t count = 0;
	uint64_t more = 0;
	int fd = device_open(O_RDONLY | O_NONBLOCK);
	pid_t pid;

	check_result(rig_open(&rig), 0, "a writer");
	check_result(rig_publish(&rig), 0, "it publishes");
	check(read(fd, &count, sizeof(count)) == sizeof(count) && count == rig.page->header.changes,
	      "read gives the count of changes");
	check(read(fd, &count, sizeof(count)) < 0 && errno == EAGAIN, "once");
	check(read(fd, &more, 3) < 0 && errno == EINVAL, "four bytes at a time");
	check(read(fd, &more, 8) < 0 && errno == EINVAL, "neither less nor more");
	check((poll_of(fd, 0) & POLLIN) == 0, "no POLLIN then");
	rig_publish(&rig);
	check((poll_of(fd, 0) & POLLIN) == 0, "a publication is no change by itself");
	pid = reader_start();
	update_make(&rig, &update);
	update.line.state++;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "a jump");
	check(ends_soon(pid), "read waits until there is one");
	pid = reader_start();
	close(rig.fd);
	check(ends_soon(pid), "or until the writer is gone");
	check(poll_of(fd, 0) & POLLIN, "POLLIN, then");
	close(fd);
	rig.fd = device_open(O_RDONLY);
}

/* The library's descriptor: woken by a change, which it then takes, and by nothing else. */
static void library_changes(void)
{
	struct chronotick_change last = {0};
	struct chronotick_update update;
	struct chronotick *ct;
	int fd, timeout_ms;

	check_result(rig_open(&rig), 0, "a writer");
	check_result(rig_publish(&rig), 0, "it publishes");
	check_result(chronotick_open(&ct, CHRONOTICK_DEVICE_PATH), 0, "a reader");
	fd = chronotick_poll_fd(ct);
	check(fd >= 0, "the library's descriptor");
	check_result(chronotick_poll_change(ct, fd, &last, &timeout_ms), 0, "a first look");
	check(timeout_ms > 0, "the line's end is the time-out");
	check((poll_of(fd, 0) & POLLIN) == 0, "the library: no POLLIN then");
	rig_publish(&rig);
	check((poll_of(fd, 0) & POLLIN) == 0, "the library: a publication is no change");
	update_make(&rig, &update);
	update.line.state++;
	check_result(command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update), 0, "another jump");
	check(poll_of(fd, WAIT_MS) & POLLIN, "the library: POLLIN at a jump");
	check_result(chronotick_poll_change(ct, fd, &last, &timeout_ms), 0, "a change");
	check((poll_of(fd, 0) & POLLIN) == 0, "the library: it is taken");
	close(rig.fd);
	check(poll_of(fd, WAIT_MS) & POLLIN, "the library: POLLIN when the writer is gone");
	check_result(chronotick_poll_change(ct, fd, &last, &timeout_ms), 0, "the writer is gone");
	check((last.status & CHRONOTICK_STATUS_MASK) == CHRONOTICK_WRITER_GONE,
	      "the library tells so");
	close(fd);
	chronotick_close(ct);
	rig.fd = device_open(O_RDONLY);
}

int main(void)
{
	exclusion();
	orderly_end();
	rig.fd = device_open(O_RDONLY);
	killed(false);
	killed(true);
	standing_by();
	waiting();
	changes();
	library_changes();
	return checks_end();
}
