/* SPDX-License-Identifier: MIT */
/*
 * Handles: shared by threads, inherited over fork, opened and closed 10,000 times without leaving a
 * descriptor or a mapping behind, failed opens included. A plain program: 0 or 1.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#include "support/handmade.h"

enum { ROUNDS = 10000, THREADS = 4, READS = 200000 };

static int descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int n = 0;

	if (!directory)
		return -1;
	while (readdir(directory))
		n++;
	closedir(directory);
	return n;
}

static int mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	int c, n = 0;

	if (!maps)
		return -1;
	while ((c = getc(maps)) != EOF)
		n += c == '\n';
	fclose(maps);
	return n;
}

static int leaks(const char *path, const char *garbage, const char *foreign)
{
	int fds = 0, maps = 0, fds_after, maps_after, i;
	struct chronotick *ct;

	for (i = 0; i < ROUNDS; i++) {
		if (chronotick_open(&ct, i % 2 ? path : foreign) < 0) {
			printf("open %d failed\n", i);
			return 1;
		}
		chronotick_close(ct);
		if (chronotick_open(&ct, garbage) != -EBADMSG ||
		    chronotick_open(&ct, "/nonexistent") != -ENOENT ||
		    chronotick_open(&ct, "/") != -EBADMSG) {
			printf("a page that is none was opened\n");
			return 1;
		}
		if (i == 10) { /* the C library has what it keeps for itself */
			fds = descriptors();
			maps = mappings();
		}
	}
	fds_after = descriptors();
	maps_after = mappings();
	printf("descriptors %d, then %d; mappings %d, then %d\n", fds, fds_after, maps, maps_after);
	return fds <= 0 || fds != fds_after || maps != maps_after;
}

/* Reads in one thread never go back; 0 or 1 in place of a pointer. */
static void *reader(void *data)
{
	const struct chronotick *ct = data;
	struct chronotick_interval now;
	int64_t last_ns = 0;
	int i;

	for (i = 0; i < READS; i++) {
		if (chronotick_now(ct, &now) < 0 || now.utc_ns < last_ns)
			return data;
		last_ns = now.utc_ns;
	}
	return NULL;
}

static int threads(struct chronotick *ct)
{
	pthread_t thread[THREADS];
	int i, failed = 0;
	void *result;

	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, reader, ct) != 0)
			return 1;
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &result);
		failed |= result != NULL;
	}
	printf("threads: %s\n", failed ? "a read failed or went back" : "good");
	return failed;
}

/* The child uses and closes its handle; the parent's goes on. */
static int forked(struct chronotick *ct)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int failed = reader(ct) != NULL;

		chronotick_close(ct);
		_exit(failed);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 || reader(ct)) {
		printf("fork: failed, status %d\n", status);
		return 1;
	}
	printf("fork: good\n");
	return 0;
}

int main(void)
{
	char directory[] = "/tmp/chronotick-handles-XXXXXX";
	char path[64], garbage[64], foreign[64];
	struct chronotick_page *page;
	struct chronotick *ct;
	int failed = 1;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/page", directory);
	snprintf(garbage, sizeof(garbage), "%s/garbage", directory);
	snprintf(foreign, sizeof(foreign), "%s/foreign", directory);
	if (handmade_create(&page, foreign, "trusted") < 0)
		goto out;
	page->header.counter_kind = CHRONOTICK_COUNTER_MONOTONIC_RAW;
	handmade_unmap(page);
	if (handmade_create(&page, garbage, "no_magic") < 0)
		goto out;
	handmade_unmap(page);
	if (handmade_create(&page, path, "trusted") < 0)
		goto out;
	handmade_unmap(page);
	failed = leaks(path, garbage, foreign);
	if (chronotick_open(&ct, path) < 0) {
		failed = 1;
		goto out;
	}
	failed |= threads(ct);
	failed |= forked(ct);
	/* The file goes; who has it open reads on. */
	unlink(path);
	failed |= reader(ct) != NULL;
	chronotick_close(ct);
out:
	unlink(path);
	unlink(garbage);
	unlink(foreign);
	rmdir(directory);
	return failed;
}
