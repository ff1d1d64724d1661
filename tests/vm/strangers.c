/* SPDX-License-Identifier: MIT */
/*
 * What a process can try on another's page, on the kernel's memory behind it and on the writer's
 * rights, without being asked: debuggers, user namespaces, locked and pinned memory, stolen
 * descriptors, arguments that change while the kernel looks at them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define SIZE CHRONOTICK_PAGE_SIZE
#define RELOADS 40
#define CLAIMING_MORE_MS 30000
#define CLAIMING_MS 4000 /* with a size that changes */

static struct writer_rig rig;
static sigjmp_buf back;

static void on_fault(int number)
{
	siglongjmp(back, number);
}

static bool store_faults(const void *at)
{
	if (sigsetjmp(back, 1))
		return true;
	*(volatile char *)(uintptr_t)at = 1;
	return false;
}

static bool is_the_page(const void *at)
{
	const volatile struct chronotick_page *page = at;

	return page->header.magic == CHRONOTICK_MAGIC;
}

static int claim_on(int fd, uint32_t flags)
{
	struct chronotick_claim claim;

	claim_make(&claim, &rig.counter);
	claim.flags = flags;
	return command(fd, CHRONOTICK_IOC_CLAIM, &claim);
}

static int64_t rejections(void)
{
	return atoll(file_line("/sys/class/misc/chronotick/rejected"));
}

/* All capabilities of a user namespace of one's own are none here. */
static int in_a_user_namespace(void *data)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];
	int r = 0;

	if (data)
		privileges_drop();
	if (unshare(CLONE_NEWUSER) < 0)
		return -ENOSYS;
	syscall(SYS_capget, &header, sets);
	r |= !check(sets[0].effective & 1U << CAP_SYS_TIME, "a user namespace gives CAP_SYS_TIME");
	r |= !check_result(device_open(O_RDWR), -EACCES, "of no use: opening for writing");
	r |= !check_result(claim_on(device_open(O_RDONLY), 0), -EPERM, "of no use: claiming");
	r |= !check_result(claim_on(device_open(O_RDONLY), CHRONOTICK_CLAIM_STANDBY), -EPERM,
			   "of no use: standing by");
	return r;
}

static void namespaces(void)
{
	int r = in_child(in_a_user_namespace, NULL);

	if (r == -ENOSYS) {
		check(true, "user namespaces # SKIP this kernel has none");
		return;
	}
	check_result(r, 0, "root, in a user namespace of its own, has no right");
	check_result(in_child(in_a_user_namespace, &rig), 0, "nor has another user");
}

/* Who has no right is no news for the operator either. */
static int calls_all(void *data)
{
	struct chronotick_update update;
	int fd;

	(void)data;
	update_make(&rig, &update);
	if (command(rig.fd, CHRONOTICK_IOC_PUBLISH, &update) != -EPERM)
		return -1;
	privileges_drop();
	fd = device_open(O_RDONLY);
	if (command(fd, CHRONOTICK_IOC_PUBLISH, &update) != -EPERM ||
	    command(fd, CHRONOTICK_IOC_FIGURES, &update) != -EPERM ||
	    command(fd, CHRONOTICK_IOC_PUBLISH, NULL) != -EPERM)
		return -2;
	return 0;
}

static void counts(void)
{
	int64_t before = rejections();

	check_result(in_child(calls_all, NULL), 0, "calls of those who are no writers");
	check(rejections() == before, "are not counted among the updates that were refused: %ld",
	      (long)(rejections() - before));
}

/* A debugger reads the page through the one that it watches, and writes it in no way. */
static void debugged(void)
{
	char *at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, rig.fd, 0), path[64], before[SIZE];
	struct iovec from = {before, 8}, to = {at, 8};
	int status, fd;
	pid_t pid = fork();

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(is_the_page(at) && store_faults(at) ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	memcpy(before, at, SIZE);
	errno = 0;
	check((uint64_t)ptrace(PTRACE_PEEKDATA, pid, at + offsetof(struct chronotick_page, header),
			       NULL) == CHRONOTICK_MAGIC &&
		      errno == 0,
	      "a debugger reads the page");
	check(ptrace(PTRACE_POKEDATA, pid, at, NULL) < 0, "a debugger does not write it");
	check(process_vm_writev(pid, &from, 1, &to, 1, 0) < 0, "nor by process_vm_writev");
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	check(fd >= 0 && pwrite(fd, "x", 1, (off_t)(uintptr_t)at) < 0, "nor by /proc/PID/mem");
	close(fd);
	check(!memcmp(before, at, SIZE), "nothing has changed");
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	check(status == 0, "who is debugged still reads it, and can't write it");
	munmap(at, SIZE);
}

/* userfaultfd(2) does not answer for the kernel's page. */
static void watched_faults(void)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = {.api = UFFD_API};
	char *at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, rig.fd, 0);
	struct uffdio_register range = {.range = {(uintptr_t)at, SIZE},
					.mode = UFFDIO_REGISTER_MODE_MISSING};

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0) {
		check(true, "userfaultfd # SKIP this kernel has none");
	} else {
		check(ioctl(fd, UFFDIO_REGISTER, &range) < 0, "userfaultfd: not for missing pages");
		range.mode = UFFDIO_REGISTER_MODE_WP;
		(void)ioctl(fd, UFFDIO_REGISTER, &range);
		check(is_the_page(at) && store_faults(at),
		      "userfaultfd: the page is there, for reading");
		close(fd);
	}
	munmap(at, SIZE);
}

static int64_t locked_kb(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kb = -1;

	while (file && fgets(line, sizeof(line), file) && sscanf(line, "VmLck: %ld", &kb) != 1)
		;
	if (file)
		fclose(file);
	return kb;
}

/* Locked, counted anew, populated, moved to a node: it is the page afterwards. */
static void kept(void)
{
	char *at, *locked;
	void *pages[1];
	int nodes[1] = {0}, status[1];

	at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, rig.fd, 0);
	check(mlockall(MCL_CURRENT | MCL_FUTURE) == 0, "mlockall");
	locked = mmap(NULL, SIZE, PROT_READ, MAP_SHARED | MAP_LOCKED | MAP_POPULATE, rig.fd, 0);
	check(locked != MAP_FAILED && is_the_page(locked) && is_the_page(at) && store_faults(at),
	      "the page is there while all is locked");
	munlockall();
	check(munmap(locked, SIZE) == 0 && locked_kb() == 0, "and locks nothing afterwards");
	check(madvise(at, SIZE, 23 /* MADV_POPULATE_WRITE */) < 0,
	      "it is not populated for writing");
	pages[0] = at;
	(void)syscall(SYS_move_pages, 0, 1, pages, nodes, status, 2 /* MPOL_MF_MOVE */);
	(void)file_write("/proc/self/clear_refs", "1");
	(void)file_write("/proc/self/clear_refs", "4");
	check(is_the_page(at) && store_faults(at), "it is the page, for reading, after all that");
	munmap(at, SIZE);
}

/* Another process with rights takes the writer's descriptor: a descriptor is not the writer. */
static int steals(void *data)
{
	struct chronotick_update update;
	int pidfd, fd, r;

	(void)data;
	pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, rig.fd, 0);
	if (fd < 0)
		return -ENOSYS;
	update_make(&rig, &update);
	r = command(fd, CHRONOTICK_IOC_PUBLISH, &update);
	if (r == -EPERM)
		r = claim_on(fd, 0) == -EBUSY ? 0 : -1;
	close(fd);
	return r;
}

static void stolen(void)
{
	check_result(in_child(steals, NULL), 0, "a descriptor that is stolen gives no right");
	check_result(rig_publish(&rig), 0, "and its end is not the writer's");
}

/* A claim whose size another thread changes: either refused, or all that it says. */
static struct chronotick_claim flickering;
static atomic_bool flickers;

static void *flicker(void *data)
{
	(void)data;
	while (flickers) {
		__atomic_store_n(&flickering.size, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&flickering.size, sizeof(flickering), __ATOMIC_RELAXED);
	}
	return NULL;
}

static void changing_argument(void)
{
	int64_t limit = monotonic_ns() + CLAIMING_MS * 1000000LL;
	unsigned int good = 0, void_ones = 0;
	struct chronotick_update life = {.size = sizeof(life)};
	pthread_t thread;

	claim_make(&flickering, &rig.counter);
	flickers = true;
	pthread_create(&thread, NULL, flicker, NULL);
	/* A busy host may stop the other thread for seconds, just when it says 0. */
	while (!void_ones && monotonic_ns() < limit + (good ? 0 : CLAIMING_MORE_MS * 1000000LL)) {
		if (command(rig.fd, CHRONOTICK_IOC_CLAIM, &flickering) < 0)
			continue;
		good++;
		void_ones += command(rig.fd, CHRONOTICK_IOC_PUBLISH, &life) != 0;
	}
	flickers = false;
	pthread_join(thread, NULL);
	check(good > 0 && void_ones == 0,
	      "a claim is read once: of %u that were good, %u were none", good, void_ones);
	check_result(claim_on(rig.fd, 0), 0, "claiming again");
}

/* A signal whose handler lets calls go on */
static void on_alarm(int number)
{
	(void)number;
}

static int waits(void *data)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

	(void)data;
	sigaction(SIGALRM, &action, NULL);
	ualarm(20000, 20000);
	return claim_on(device_open(O_RDONLY | O_NONBLOCK), CHRONOTICK_CLAIM_WAIT);
}

static void interrupted_wait(void)
{
	pid_t pid = fork();
	int64_t limit = monotonic_ns() + 5 * SECOND;
	bool one = true;
	int status, i;

	if (pid == 0)
		_exit(waits(NULL) != 0);
	while (!rig.page->header.standby_count && monotonic_ns() < limit)
		sleep_ms(1);
	for (i = 0; i < 50; i++) {
		sleep_ms(4);
		one &= rig.page->header.standby_count == 1;
	}
	check(one, "a wait that signals interrupt is one standby all the while");
	close(rig.fd);
	waitpid(pid, &status, 0);
	check(status == 0 && !rig.page->header.standby_count, "and becomes the writer");
	check(rig.page->header.writer_pid == 0, "which is gone in the end");
}

static int unload(void)
{
	return syscall(SYS_delete_module, "chronotick", O_NONBLOCK) < 0 ? -errno : 0;
}

static int load(void)
{
	int fd = open("/chronotick.ko", O_RDONLY | O_CLOEXEC), r = 0;

	if (syscall(SYS_finit_module, fd, "", 0) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* What a pipe has of the page outlives the module, and is nobody else's memory. */
static void pinned(void)
{
	char *at, copy[SIZE];
	struct iovec part;
	int fd = device_open(O_RDONLY), pipes[2];

	at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	part = (struct iovec){at, SIZE};
	if (!check(pipe(pipes) == 0 && vmsplice(pipes[1], &part, 1, 0) == SIZE,
		   "the page is put into a pipe"))
		return;
	munmap(at, SIZE);
	munmap((void *)(uintptr_t)rig.page, SIZE);
	close(fd);
	check_result(unload(), 0, "the module is unloaded");
	check(read(pipes[0], copy, SIZE) == SIZE && is_the_page(copy),
	      "what the pipe has of it is still that");
	close(pipes[0]);
	close(pipes[1]);
	check_result(load(), 0, "the module is loaded again");
}

static void step_on(void)
{
	const struct timex ahead = {.modes = ADJ_SETOFFSET | ADJ_NANO, .time = {0, 1}};
	struct timex step;

	do
		step = ahead;
	while (adjtimex(&step) >= 0);
	_exit(1);
}

/* Events while it comes and goes: what they leave to be done later is done before it is gone. */
static void busy_unloading(void)
{
	const struct chronotick_page *page;
	unsigned int i, rounds = 0, with_events = 0;
	pid_t pid = fork();
	int fd;

	if (pid == 0)
		step_on();
	for (i = 0; i < RELOADS && unload() == 0 && load() == 0; i++, rounds++) {
		fd = device_open(O_RDONLY);
		page = page_map(fd);
		with_events += page->header.kernel_steps > 0;
		munmap((void *)(uintptr_t)page, SIZE);
		close(fd);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	check(rounds == RELOADS && with_events > 0,
	      "it is unloaded %u times while events come, %u times after some", rounds,
	      with_events);
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_fault};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (!check_result(rig_open(&rig), 0, "a writer"))
		return 1;
	check_result(rig_publish(&rig), 0, "it publishes");
	namespaces();
	counts();
	debugged();
	watched_faults();
	kept();
	stolen();
	changing_argument();
	interrupted_wait();
	pinned();
	busy_unloading();
	return checks_end();
}
