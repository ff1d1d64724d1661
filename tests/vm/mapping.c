/* SPDX-License-Identifier: MIT */
/* Nobody can write the page, make it go away, or get another one, in whatever way it is mapped. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define SIZE CHRONOTICK_PAGE_SIZE

static sigjmp_buf back;

static void on_signal(int number)
{
	siglongjmp(back, number);
}

/* Which signal, if any, does storing to that byte raise? */
static int store_raises(volatile char *byte)
{
	int number = sigsetjmp(back, 1);

	if (number == 0)
		*byte = 1;
	return number;
}

static int load_raises(const volatile char *byte)
{
	int number = sigsetjmp(back, 1);

	if (number == 0)
		(void)*byte;
	return number;
}

static bool is_the_page(const void *at)
{
	const struct chronotick_page *page = at;

	return page->header.magic == CHRONOTICK_MAGIC && page->header.page_size == SIZE;
}

static int map_result(int fd, size_t size, int protection, int flags, off_t offset)
{
	void *at = mmap(NULL, size, protection, flags, fd, offset);

	if (at == MAP_FAILED)
		return -errno;
	munmap(at, size);
	return 0;
}

static void refusals(int fd, const char *how)
{
	static const struct {
		const char *what;
		size_t size;
		int protection, flags;
		off_t offset;
		int wanted;
	} table[] = {
		{"the page, shared, for reading", SIZE, PROT_READ, MAP_SHARED, 0, 0},
		{"a length of one byte", 1, PROT_READ, MAP_SHARED, 0, 0},
		{"validated flags", SIZE, PROT_READ, MAP_SHARED_VALIDATE, 0, 0},
		{"for nothing", SIZE, PROT_NONE, MAP_SHARED, 0, 0},
		{"populated", SIZE, PROT_READ, MAP_SHARED | MAP_POPULATE, 0, 0},
		{"for writing", SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0, -EACCES},
		{"for writing only", SIZE, PROT_WRITE, MAP_SHARED, 0, -EACCES},
		{"executable", SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, 0, -EPERM},
		{"a private copy", SIZE, PROT_READ, MAP_PRIVATE, 0, -EINVAL},
		{"a private copy for writing", SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0,
		 -EACCES},
		{"two pages", 2 * SIZE, PROT_READ, MAP_SHARED, 0, -EINVAL},
		{"a page and a byte", SIZE + 1, PROT_READ, MAP_SHARED, 0, -EINVAL},
		{"the page after it", SIZE, PROT_READ, MAP_SHARED, SIZE, -EINVAL},
		{"a page far away", SIZE, PROT_READ, MAP_SHARED, 1LL << 40, -EINVAL},
	};
	unsigned int i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		check_result(map_result(fd, table[i].size, table[i].protection, table[i].flags,
					table[i].offset),
			     table[i].wanted, "mmap, %s: %s", how, table[i].what);
}

static int result_of(int r)
{
	return r < 0 ? -errno : 0;
}

/* how: the descriptor that it was mapped with */
static void later_changes(char *at, const char *how)
{
	struct iovec from = {&(char){1}, 1}, to = {at, 1};
	char before[SIZE];
	void *moved;
	int fd;

	check_result(result_of(mprotect(at, SIZE, PROT_READ | PROT_WRITE)), -EACCES,
		     "%s: mprotect for writing", how);
	check_result(result_of(mprotect(at, SIZE, PROT_READ | PROT_EXEC)), -EACCES,
		     "%s: mprotect for executing", how);
	check_result(result_of(mprotect(at, SIZE, PROT_NONE)), 0, "%s: mprotect for nothing", how);
	check(load_raises(at) == SIGSEGV, "%s: no reading then", how);
	check_result(result_of(mprotect(at, SIZE, PROT_READ)), 0, "%s: mprotect for reading again",
		     how);
	check(is_the_page(at), "%s: the page is there again", how);
	check(store_raises(at) == SIGSEGV, "%s: a store raises SIGSEGV", how);

	check_result(result_of(madvise(at, SIZE, MADV_DONTNEED)), 0, "%s: madvise DONTNEED", how);
	check(load_raises(at) == 0 && is_the_page(at), "%s: the page is there after MADV_DONTNEED",
	      how);
	check(result_of(madvise(at, SIZE, MADV_REMOVE)) < 0, "%s: madvise REMOVE is refused", how);
	check(load_raises(at) == 0 && is_the_page(at), "%s: the page is there after MADV_REMOVE",
	      how);
	madvise(at, SIZE, MADV_FREE);
	madvise(at, SIZE, MADV_PAGEOUT);
	check(load_raises(at) == 0 && is_the_page(at), "%s: and after MADV_FREE and MADV_PAGEOUT",
	      how);
	check_result(result_of(mlock(at, SIZE)), 0, "%s: mlock", how);

	memcpy(before, at, SIZE);
	fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	check(fd >= 0 && pwrite(fd, "x", 1, (off_t)(uintptr_t)at) < 0,
	      "%s: /proc/self/mem does not write it", how);
	close(fd);
	check(process_vm_writev(getpid(), &from, 1, &to, 1, 0) < 0,
	      "%s: process_vm_writev does not write it", how);
	check(read(open("/dev/zero", O_RDONLY | O_CLOEXEC), at, 1) < 0 && errno == EFAULT,
	      "%s: read(2) into it fails with EFAULT", how);
	check(syscall(SYS_futex, at, FUTEX_WAKE_OP, 1, 1, at,
		      FUTEX_OP(FUTEX_OP_SET, 1, FUTEX_OP_CMP_EQ, 0)) < 0,
	      "%s: a futex operation does not write it", how);
	check(memcmp(before, at, SIZE) == 0, "%s: nothing of it has changed", how);

	moved = mremap(at, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	check(moved == MAP_FAILED, "%s: mremap does not make it larger", how);
	moved = mremap(at, 0, SIZE, MREMAP_MAYMOVE);
	check(moved == MAP_FAILED || (is_the_page(moved) && store_raises(moved) == SIGSEGV),
	      "%s: mremap's duplicate is the page, for reading", how);
	if (moved != MAP_FAILED)
		munmap(moved, SIZE);
	moved = mremap(at, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 16 * SIZE);
	check(moved == at + 16 * SIZE && is_the_page(moved), "%s: mremap moves it", how);
	check(load_raises(at) == SIGSEGV, "%s: and there is nothing where it was", how);
	munmap(moved, SIZE);
}

static int child_reads(void *data)
{
	char *at = data;

	if (!is_the_page(at) || store_raises(at) != SIGSEGV)
		return -1;
	return mprotect(at, SIZE, PROT_READ | PROT_WRITE) == 0 ? -2 : 0;
}

static int unload(const char *name)
{
	return result_of((int)syscall(SYS_delete_module, name, O_NONBLOCK));
}

static void loads(const char *path, int wanted)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	check_result(result_of((int)syscall(SYS_finit_module, fd, "", 0)), wanted, "loading it %s",
		     wanted ? "twice is refused" : "again");
	close(fd);
}

/* The mapping alone holds the module; once it is gone the module can go, and come back. */
static void unloading(void)
{
	int fd = device_open(O_RDONLY);
	char *at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	check_result(unload("chronotick"), -EAGAIN, "unloading it while it is open");
	close(fd);
	check_result(unload("chronotick"), -EAGAIN, "unloading it while it is mapped");
	check(is_the_page(at), "the page is there still");
	munmap(at, SIZE);
	check_result(unload("chronotick"), 0, "unloading it");
	check(access(CHRONOTICK_DEVICE_PATH, F_OK) < 0, "the device is gone");
	loads("/chronotick.ko", 0);
	loads("/chronotick.ko", -EEXIST);
	fd = device_open(O_RDONLY);
	check(fd >= 0 && map_result(fd, SIZE, PROT_READ, MAP_SHARED, 0) == 0, "it works");
	close(fd);
}

int main(int count, char **arguments)
{
	struct sigaction action = {.sa_handler = on_signal};
	char *at;
	int fd;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	if (count > 1 && !strcmp(arguments[1], "after-exec")) {
		/* The descriptor has come along, the mapping has not. */
		fd = atoi(arguments[2]);
		return is_the_page(mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0)) ? 0 : 1;
	}

	fd = device_open(O_RDONLY);
	if (!check(fd >= 0, "the device opens for reading"))
		return 1;
	refusals(fd, "opened for reading");
	at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	check(at != MAP_FAILED && is_the_page(at), "what is mapped is a page");
	check_result(in_child(child_reads, at), 0, "a forked child reads it, and can't write it");
	if (fork() == 0) {
		char number[16] = {(char)('0' + fd), '\0'};

		fcntl(fd, F_SETFD, 0);
		execl("/proc/self/exe", "mapping", "after-exec", number, NULL);
		_exit(1);
	}
	{
		int status = -1;

		wait(&status);
		check(status == 0, "a program that was executed maps it anew");
	}
	check(lseek(fd, 0, SEEK_SET) < 0 && errno == ESPIPE, "there is no position in it");
	check(write(fd, "x", 1) < 0 && errno == EBADF, "it is not written through the descriptor");
	later_changes(at, "opened for reading");
	close(fd);

	fd = device_open(O_RDWR);
	check(fd >= 0, "the device opens for writing");
	refusals(fd, "opened for writing");
	at = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	later_changes(at, "opened for writing");
	check(write(fd, "x", 1) < 0 && errno == EINVAL, "write(2) is no way to publish");
	close(fd);
	unloading();
	return checks_end();
}
