/* SPDX-License-Identifier: MIT */
/* Finding and mapping a page. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_OPEN_H
#define CHRONOTICK_OPEN_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "handle.h"

/* The negative errno of a call that failed: never 0, whatever errno says. */
static inline int chronotick_errno(void)
{
	return errno > 0 ? -errno : -EIO;
}

/* Is there a page of the kernel module's, with a writer? Without one it tells no time. */
static inline int chronotick_device_serves(void)
{
	int fd = open(CHRONOTICK_DEVICE_PATH, O_RDONLY | O_CLOEXEC);
	const struct chronotick_page *page;
	int serves;

	if (fd < 0)
		return 0;
	page = (const struct chronotick_page *)mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ,
						    MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return 0;
	serves = __atomic_load_n(&page->header.magic, __ATOMIC_ACQUIRE) == CHRONOTICK_MAGIC &&
		 (__atomic_load_n(&page->header.kernel_state, __ATOMIC_RELAXED) &
		  CHRONOTICK_KERNEL_WRITER) != 0;
	munmap((void *)(uintptr_t)page, CHRONOTICK_PAGE_SIZE);
	return serves;
}

/* A program that runs with more rights than its user has does not ask that user's environment. */
CHRONOTICK_API const char *chronotick_page_path(const char *path)
{
	const char *environment = getauxval(AT_SECURE) ? NULL : getenv("CHRONOTICK_PAGE");

	if (path)
		return path;
	if (environment && *environment)
		return environment;
	if (chronotick_device_serves())
		return CHRONOTICK_DEVICE_PATH;
	return CHRONOTICK_SHM_DIR CHRONOTICK_SHM_NAME;
}

/* PROC_SUPER_MAGIC of linux/magic.h */
#define CHRONOTICK_PROC_MAGIC 0x9fa0

/*
 * The boot that this process runs in: 16 bytes. Returns 0, or -ENOENT where it can't be told:
 * systemd-nspawn and LXC lay a file with an id of the container's own over the kernel's.
 */
static inline int chronotick_boot_id(uint8_t ret[16])
{
	static const char digits[] = "0123456789abcdef";
	char text[37] = "";
	unsigned int nibbles = 0;
	const char *c, *digit;
	struct statfs where;
	ssize_t length;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -ENOENT;
	length = fstatfs(fd, &where) == 0 && where.f_type == CHRONOTICK_PROC_MAGIC
			 ? read(fd, text, sizeof(text) - 1)
			 : -1;
	close(fd);
	memset(ret, 0, 16);
	for (c = text; length > 0 && c < text + length && nibbles < 32; c++) {
		digit = *c ? strchr(digits, *c) : NULL;
		if (!digit)
			continue;
		ret[nibbles / 2] = (uint8_t)(ret[nibbles / 2] << 4 | (digit - digits));
		nibbles++;
	}
	return nibbles == 32 ? 0 : -ENOENT;
}

/* Is that a page that this library can read? 0, -EBADMSG, -EPROTONOSUPPORT, -ENOTSUP. */
static inline int chronotick_page_check(const struct chronotick_page *page)
{
	const struct chronotick_header *header = &page->header;
	uint32_t kind = header->counter_kind;
	uint8_t boot[16];

	if (__atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != CHRONOTICK_MAGIC ||
	    header->page_size != CHRONOTICK_PAGE_SIZE)
		return -EBADMSG;
	if (header->abi_version != CHRONOTICK_ABI_VERSION)
		return -EPROTONOSUPPORT;
	if (chronotick_boot_id(boot) == 0 && memcmp(boot, header->boot_id, sizeof(boot)) != 0)
		return -EBADMSG;
	if (!chronotick_kind_is_native(kind) && kind != CHRONOTICK_COUNTER_MONOTONIC_RAW)
		return -ENOTSUP;
	return 0;
}

/* Map `fd` behind a private area, with a decoy between them for a foreign counter. */
static inline int chronotick_map(struct chronotick **ret, int fd)
{
	const size_t distance = CHRONOTICK_HANDLE_DISTANCE;
	const size_t mapped = 2 * distance + CHRONOTICK_PAGE_SIZE;
	struct chronotick_private *own;
	char *base, *decoy;
	void *page;
	int r;

	base = (char *)mmap(NULL, mapped, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return chronotick_errno();
	decoy = base + distance;
	page = mmap(decoy, CHRONOTICK_PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED | MAP_POPULATE,
		    fd, 0);
	if (page == MAP_FAILED) {
		r = chronotick_errno();
		goto unmap;
	}
	own = (struct chronotick_private *)(void *)base;
	own->page = (const struct chronotick_page *)page;
	own->mapped = mapped;
	own->kind = own->page->header.counter_kind;
	r = chronotick_page_check(own->page);
	if (r < 0)
		goto unmap;
	if (!chronotick_kind_is_native(own->kind)) {
		struct chronotick_page *blank;

		page = mmap(base + 2 * distance, CHRONOTICK_PAGE_SIZE, PROT_READ,
			    MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0);
		if (page == MAP_FAILED ||
		    mmap(decoy, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
			r = chronotick_errno();
			goto unmap;
		}
		blank = (struct chronotick_page *)(void *)decoy;
		blank->clock[0].seq = 1; /* odd: whatever is asked goes the slow way */
		if (mprotect(decoy, CHRONOTICK_PAGE_SIZE, PROT_READ) < 0) {
			r = chronotick_errno();
			goto unmap;
		}
		own->page = (const struct chronotick_page *)page;
	}
	*ret = (struct chronotick *)(void *)(decoy + offsetof(struct chronotick_page, clock));
	return 0;

unmap:
	munmap(base, mapped);
	return r;
}

/* How a user namespace shows an owner who has no number in it */
#define CHRONOTICK_UID_UNMAPPED 65534

/* Is that the user whose number is in $CHRONOTICK_PAGE_OWNER? */
static inline int chronotick_owner_is_named(uid_t owner)
{
	const char *text = getauxval(AT_SECURE) ? NULL : getenv("CHRONOTICK_PAGE_OWNER");
	unsigned long value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoul(text, &end, 10);
	return !errno && !*end && value == owner;
}

/* Does this process run in a user namespace that lacks some of the host's users? */
static inline int chronotick_users_are_missing(void)
{
	static const char all[] = "0 0 4294967295";
	char text[128] = "", *from, *to;
	ssize_t length;
	int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 1; /* no /proc: it can't be told */
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length < 0)
		return 1;
	/* "         0          0 4294967295": one blank between two numbers will do. */
	for (from = to = text; *from; from++)
		if (*from != '\n' && !(*from == ' ' && (to == text || to[-1] == ' ')))
			*to++ = *from;
	*to = '\0';
	return strcmp(text, all) != 0;
}

/*
 * Anybody may put a file into /dev/shm. Whose page is to be believed: root's, one's own, or that of
 * the user who is named. An owner without a number in this user namespace can't be told, not even
 * from oneself; only who set the namespace's mounts up can have made such a file be seen on a
 * read-only one.
 */
static inline int chronotick_owner_is_trusted(int fd, uid_t owner)
{
	struct statvfs mount;

	if (owner == 0 || chronotick_owner_is_named(owner))
		return 1;
	if (owner == CHRONOTICK_UID_UNMAPPED && chronotick_users_are_missing())
		return fstatvfs(fd, &mount) == 0 && mount.f_flag & ST_RDONLY;
	return owner == geteuid();
}

/* May a page be what has been opened? 0, -EBADMSG, -EPERM. */
static inline int chronotick_file_check(int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return chronotick_errno();
	if (S_ISCHR(status.st_mode)) /* only root makes devices */
		return 0;
	if (!S_ISREG(status.st_mode) || status.st_size != CHRONOTICK_PAGE_SIZE)
		return -EBADMSG;
	if (status.st_mode & (S_IWGRP | S_IWOTH) || !chronotick_owner_is_trusted(fd, status.st_uid))
		return -EPERM;
	return 0;
}

CHRONOTICK_API int chronotick_open(struct chronotick **ret, const char *path)
{
	int fd, r;

	fd = open(chronotick_page_path(path),
		  O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return chronotick_errno();
	r = chronotick_file_check(fd);
	if (r == 0)
		r = chronotick_map(ret, fd);
	close(fd);
	return r;
}

CHRONOTICK_API void chronotick_close(struct chronotick *ct)
{
	const struct chronotick_private *own;

	if (!ct)
		return;
	own = chronotick_private_of(ct);
	munmap((void *)own, own->mapped);
}

CHRONOTICK_API const struct chronotick_page *chronotick_page_of(const struct chronotick *ct)
{
	return chronotick_private_of(ct)->page;
}

CHRONOTICK_API int chronotick_writer_check(const struct chronotick *ct, int64_t *age_ns)
{
	const struct chronotick_header *header = &chronotick_private_of(ct)->page->header;
	uint64_t heartbeat = __atomic_load_n(&header->heartbeat, __ATOMIC_RELAXED);
	uint64_t age = chronotick_counter(ct) - heartbeat;
	uint64_t hz = header->counter_hz;
	uint32_t rate = header->frequency_hz;
	uint32_t pid = __atomic_load_n(&header->writer_pid, __ATOMIC_RELAXED);
	double age_s;

	if (!heartbeat || !hz) {
		if (age_ns)
			*age_ns = INT64_MAX;
		return -EAGAIN;
	}
	/* A heartbeat of this very moment may stand a little after our own counter value. */
	age_s = (int64_t)age < 0 ? 0 : (double)age / (double)hz;
	if (age_ns)
		*age_ns = age_s < 9e9 ? (int64_t)(age_s * 1e9) : INT64_MAX;
	return pid && age_s <= 1 + (rate ? 10.0 / rate : 0) ? 0 : -ESTALE;
}

#endif /* CHRONOTICK_OPEN_H */
