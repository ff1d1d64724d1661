/* SPDX-License-Identifier: MIT */
#include "archive/audit_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"

#define NS_PER_S 1000000000LL
#define PREFIX "audit-"
#define PLAIN ".csv"
#define PACKED ".csv.gz"
#define PACKING ".csv.gz.new"
#define NAME_SIZE 64
#define LEVEL "6"

struct audit_files {
	struct audit_limits limits;
	const char *header;
	int directory;
	int fd; /* of the present period, -1: none */
	int64_t period;
	char name[NAME_SIZE];
	uint64_t lost;
	int lost_why;
	unsigned int unsynced;
};

static bool name_is(const char *name, const char *ending)
{
	size_t length = strlen(name), end = strlen(ending);

	return strncmp(name, PREFIX, strlen(PREFIX)) == 0 && length < NAME_SIZE && length > end &&
	       strcmp(name + length - end, ending) == 0;
}

static int is_plain(const struct dirent *entry)
{
	return name_is(entry->d_name, PLAIN);
}

static int is_packed(const struct dirent *entry)
{
	return name_is(entry->d_name, PACKED);
}

/* Names begin with the date, so their order is that of the periods. */
static int list(const struct audit_files *files, struct dirent ***ret,
		int (*wanted)(const struct dirent *))
{
	int count = scandirat(files->directory, ".", ret, wanted, alphasort);

	return count < 0 ? -errno : count;
}

static void list_free(struct dirent **names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static int64_t period_of(const struct audit_files *files, int64_t utc_ns)
{
	int64_t period_ns = files->limits.rotate_s * NS_PER_S;

	return utc_ns / period_ns - (utc_ns % period_ns < 0);
}

static void name_of(const struct audit_files *files, int64_t period, char ret[NAME_SIZE])
{
	time_t start = (time_t)(period * files->limits.rotate_s);
	struct tm tm;

	gmtime_r(&start, &tm);
	strftime(ret, NAME_SIZE, PREFIX "%Y%m%dT%H%M%SZ" PLAIN, &tm);
}

static int pack_stream(int from, int to)
{
	char data[16384];
	gzFile gz;
	ssize_t r;

	gz = gzdopen(to, "wb" LEVEL);
	if (!gz) {
		close(to);
		return -ENOMEM;
	}
	do {
		r = read(from, data, sizeof(data));
		if (r < 0 && errno == EINTR)
			r = 1;
		else if (r < 0)
			r = -errno;
		else if (r > 0 && gzwrite(gz, data, (unsigned int)r) != (int)r)
			r = -EIO;
	} while (r > 0);
	if (r == 0 && gzflush(gz, Z_FINISH) != Z_OK)
		r = -EIO;
	if (r == 0 && fsync(to) < 0)
		r = -errno;
	if (gzclose(gz) != Z_OK && r == 0)
		r = -EIO;
	return (int)r;
}

/*
 * Compress one file under a name that no other has: times that went back may give a period twice.
 */
static int pack(const struct audit_files *files, const char *name)
{
	char packed[NAME_SIZE + 16], packing[NAME_SIZE + 16];
	int stem = (int)(strlen(name) - strlen(PLAIN));
	unsigned int again;
	int from, to, r;

	from = openat(files->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (from < 0)
		return -errno;
	snprintf(packing, sizeof(packing), "%.*s" PACKING, stem, name);
	unlinkat(files->directory, packing, 0);
	to = openat(files->directory, packing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (to < 0) {
		r = -errno;
		close(from);
		return r;
	}
	r = pack_stream(from, to);
	close(from);
	snprintf(packed, sizeof(packed), "%.*s" PACKED, stem, name);
	for (again = 1; r == 0; again++) {
		if (linkat(files->directory, packing, files->directory, packed, 0) == 0)
			break;
		r = errno == EEXIST && again < 1000 ? 0 : -errno;
		snprintf(packed, sizeof(packed), "%.*s-%u" PACKED, stem, name, again);
	}
	unlinkat(files->directory, packing, 0);
	if (r == 0 && fsync(files->directory) < 0)
		r = -errno;
	if (r == 0 && unlinkat(files->directory, name, 0) < 0)
		r = -errno;
	return r;
}

static int pack_others(const struct audit_files *files)
{
	struct dirent **names;
	int count = list(files, &names, is_plain), i, r = 0;

	if (count < 0)
		return count;
	for (i = 0; i < count; i++) {
		int failed =
			strcmp(names[i]->d_name, files->name) ? pack(files, names[i]->d_name) : 0;

		r = r < 0 ? r : failed;
	}
	list_free(names, count);
	return r;
}

static int delete_oldest(const struct audit_files *files)
{
	struct dirent **names;
	int count, i, r = 0;

	if (files->limits.keep == 0)
		return 0;
	count = list(files, &names, is_packed);
	if (count < 0)
		return count;
	for (i = 0; i + (int)files->limits.keep < count; i++)
		if (unlinkat(files->directory, names[i]->d_name, 0) < 0)
			r = -errno;
	list_free(names, count);
	return r;
}

/* All of it, or nothing. */
static int append(struct audit_files *files, const char *text, size_t size)
{
	struct stat before;
	int r;

	if (fstat(files->fd, &before) < 0)
		return -errno;
	r = file_write(files->fd, text, size);
	if (r < 0 && ftruncate(files->fd, before.st_size) < 0)
		return -errno;
	return r;
}

static void period_close(struct audit_files *files)
{
	if (files->fd < 0)
		return;
	fdatasync(files->fd);
	close(files->fd);
	files->fd = -1;
}

/* The file of a period: a new one, or one that an earlier process left. */
static int period_open(struct audit_files *files, int64_t period)
{
	struct stat status;
	char last = '\n';
	int r = 0;

	name_of(files, period, files->name);
	files->fd = openat(files->directory, files->name,
			   O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (files->fd < 0)
		return -errno;
	if (fstat(files->fd, &status) < 0)
		r = -errno;
	else if (!S_ISREG(status.st_mode))
		r = -EINVAL;
	else if (status.st_size == 0)
		r = append(files, files->header, strlen(files->header));
	else if (pread(files->fd, &last, 1, status.st_size - 1) == 1 && last != '\n')
		r = append(files, "\n", 1); /* it ends in the middle of a line */
	if (r < 0) {
		close(files->fd);
		files->fd = -1;
		return r;
	}
	files->period = period;
	return 0;
}

int audit_files_open(struct audit_files **ret, const char *directory,
		     const struct audit_limits *limits, const char *header)
{
	struct audit_files *files = calloc(1, sizeof(*files));
	int r;

	if (!files)
		return -ENOMEM;
	*files = (struct audit_files){.limits = *limits, .header = header, .fd = -1};
	files->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (files->directory < 0) {
		r = -errno;
		free(files);
		return r;
	}
	r = flock(files->directory, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
	if (r == -EWOULDBLOCK)
		r = -EBUSY;
	if (r == 0 && faccessat(files->directory, ".", W_OK | X_OK, AT_EACCESS) < 0)
		r = -errno;
	if (r < 0) {
		audit_files_close(files);
		return r;
	}
	*ret = files;
	return 0;
}

static int lost_tell(struct audit_files *files)
{
	char text[128];
	int r;

	if (files->lost == 0)
		return 0;
	snprintf(text, sizeof(text), "# %llu lines lost: %s\n", (unsigned long long)files->lost,
		 strerror(-files->lost_why));
	r = append(files, text, strlen(text));
	if (r == 0)
		files->lost = 0;
	return r;
}

/* Somebody may have removed or renamed the file: then nobody would find what is written to it. */
static bool is_in_place(const struct audit_files *files)
{
	struct stat open, named;

	return fstat(files->fd, &open) == 0 &&
	       fstatat(files->directory, files->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

int audit_files_append(struct audit_files *files, int64_t utc_ns, const char *line, size_t size)
{
	int64_t period = period_of(files, utc_ns);
	int r = 0, packed = 0, deleted = 0;

	if (files->fd < 0 || files->period != period || !is_in_place(files)) {
		period_close(files);
		r = period_open(files, period);
		packed = pack_others(files);
		/* What cannot be compressed does not keep the others for ever. */
		deleted = delete_oldest(files);
	}
	if (r == 0)
		r = lost_tell(files);
	if (r == 0)
		r = append(files, line, size);
	if (r < 0) {
		files->lost++;
		files->lost_why = r;
		return r;
	}
	if (++files->unsynced >= AUDIT_SYNC_LINES) {
		files->unsynced = 0;
		if (fdatasync(files->fd) < 0)
			return -errno;
	}
	return packed < 0 ? packed : deleted;
}

void audit_files_close(struct audit_files *files)
{
	if (!files)
		return;
	period_close(files);
	close(files->directory);
	free(files);
}
