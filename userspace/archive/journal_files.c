/* SPDX-License-Identifier: MIT */
#include "archive/journal_files.h"

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
#define PACKED ".gz"
#define PACKING ".gz.new"
#define NAME_SIZE 64
#define LEVEL "6"

struct journal_files {
	struct journal_limits limits;
	const struct journal_names *names;
	int directory;
	int fd; /* of the present period, -1: none */
	int64_t period;
	char name[NAME_SIZE];
	uint64_t lost;
	int lost_why;
	unsigned int unsynced;
};

/* Is it the name of one of the journal's files, with `packed` behind its own ending? */
static bool name_is(const struct journal_names *names, const char *name, const char *packed)
{
	size_t length = strlen(name), end = strlen(names->ending), more = strlen(packed);

	return strncmp(name, names->prefix, strlen(names->prefix)) == 0 && length < NAME_SIZE &&
	       length > end + more && strcmp(name + length - more, packed) == 0 &&
	       strncmp(name + length - more - end, names->ending, end) == 0;
}

/*
 * The journal's files, with `packed` behind their ending. Names begin with the date, so their order
 * is that of the periods.
 */
static int list(const struct journal_files *files, struct dirent ***ret, const char *packed)
{
	struct dirent **all;
	int count = scandirat(files->directory, ".", &all, NULL, alphasort), kept = 0, i;

	if (count < 0)
		return -errno;
	for (i = 0; i < count; i++) {
		if (name_is(files->names, all[i]->d_name, packed))
			all[kept++] = all[i];
		else
			free(all[i]);
	}
	*ret = all;
	return kept;
}

static void list_free(struct dirent **names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

int64_t journal_period(const struct journal_limits *limits, int64_t utc_ns)
{
	int64_t period_ns = limits->rotate_s * NS_PER_S;

	return utc_ns / period_ns - (utc_ns % period_ns < 0);
}

unsigned int journal_lines(const char *text, size_t size)
{
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < size; i++)
		count += text[i] == '\n';
	return count;
}

static void name_of(const struct journal_files *files, int64_t period, char ret[NAME_SIZE])
{
	time_t start = (time_t)(period * files->limits.rotate_s);
	char date[32];
	struct tm tm;

	gmtime_r(&start, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	snprintf(ret, NAME_SIZE, "%s%s%s", files->names->prefix, date, files->names->ending);
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
static int pack(const struct journal_files *files, const char *name)
{
	char packed[NAME_SIZE + 16], packing[NAME_SIZE + 16];
	const char *ending = files->names->ending;
	int stem = (int)(strlen(name) - strlen(ending));
	unsigned int again;
	int from, to, r;

	from = openat(files->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (from < 0)
		return -errno;
	snprintf(packing, sizeof(packing), "%s" PACKING, name);
	unlinkat(files->directory, packing, 0);
	to = openat(files->directory, packing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (to < 0) {
		r = -errno;
		close(from);
		return r;
	}
	r = pack_stream(from, to);
	close(from);
	snprintf(packed, sizeof(packed), "%s" PACKED, name);
	for (again = 1; r == 0; again++) {
		if (linkat(files->directory, packing, files->directory, packed, 0) == 0)
			break;
		r = errno == EEXIST && again < 1000 ? 0 : -errno;
		snprintf(packed, sizeof(packed), "%.*s-%u%s" PACKED, stem, name, again, ending);
	}
	unlinkat(files->directory, packing, 0);
	if (r == 0 && fsync(files->directory) < 0)
		r = -errno;
	if (r == 0 && unlinkat(files->directory, name, 0) < 0)
		r = -errno;
	return r;
}

static int pack_others(const struct journal_files *files)
{
	struct dirent **names;
	int count = list(files, &names, ""), i, r = 0;

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

static int delete_oldest(const struct journal_files *files)
{
	struct dirent **names;
	int count, i, r = 0;

	if (files->limits.keep == 0)
		return 0;
	count = list(files, &names, PACKED);
	if (count < 0)
		return count;
	for (i = 0; i + (int)files->limits.keep < count; i++)
		if (unlinkat(files->directory, names[i]->d_name, 0) < 0)
			r = -errno;
	list_free(names, count);
	return r;
}

/* All of it, or nothing. */
static int append(struct journal_files *files, const char *text, size_t size)
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

static void period_close(struct journal_files *files)
{
	if (files->fd < 0)
		return;
	fdatasync(files->fd);
	close(files->fd);
	files->fd = -1;
}

/* The file of a period: a new one, or one that an earlier process left. */
static int period_open(struct journal_files *files, int64_t period)
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
		r = append(files, files->names->header, strlen(files->names->header));
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

int journal_files_open(struct journal_files **ret, const char *directory,
		       const struct journal_limits *limits, const struct journal_names *names)
{
	struct journal_files *files = calloc(1, sizeof(*files));
	int r;

	if (!files)
		return -ENOMEM;
	*files = (struct journal_files){.limits = *limits, .names = names, .fd = -1};
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
		journal_files_close(files);
		return r;
	}
	*ret = files;
	return 0;
}

static int lost_tell(struct journal_files *files)
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
static bool is_in_place(const struct journal_files *files)
{
	struct stat open, named;

	return fstat(files->fd, &open) == 0 &&
	       fstatat(files->directory, files->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

int journal_files_append(struct journal_files *files, int64_t utc_ns, const char *text, size_t size)
{
	int64_t period = journal_period(&files->limits, utc_ns);
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
		r = append(files, text, size);
	if (r < 0) {
		files->lost += journal_lines(text, size);
		files->lost_why = r;
		return r;
	}
	if (++files->unsynced >= JOURNAL_SYNC_TEXTS) {
		files->unsynced = 0;
		if (fdatasync(files->fd) < 0)
			return -errno;
	}
	return packed < 0 ? packed : deleted;
}

void journal_files_close(struct journal_files *files)
{
	if (!files)
		return;
	period_close(files);
	close(files->directory);
	free(files);
}
