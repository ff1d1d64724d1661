/* SPDX-License-Identifier: MIT */
#include "pins.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BPFFS "/sys/fs/bpf"

static bool is_bpffs(const char *path)
{
	struct statfs status;

	return statfs(path, &status) == 0 && (unsigned long)status.f_type == BPF_FS_MAGIC;
}

static int directory_make(const char *directory)
{
	bool made;

	if (strncmp(directory, BPFFS "/", sizeof(BPFFS)) == 0 && !is_bpffs(BPFFS) &&
	    mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0)
		fprintf(stderr, "chronotick-trace: mounting a BPF file system at " BPFFS ": %s\n",
			strerror(errno));
	made = mkdir(directory, 0700) == 0;
	if (!made && errno != EEXIST) {
		fprintf(stderr, "chronotick-trace: %s: %s\n", directory, strerror(errno));
		return -errno;
	}
	if (is_bpffs(directory))
		return 0;
	if (made)
		rmdir(directory);
	fprintf(stderr,
		"chronotick-trace: %s is in no BPF file system: name a directory below " BPFFS
		", or mount one: mount -t bpf bpf " BPFFS "\n",
		directory);
	return -EINVAL;
}

/* What a tracer that was killed has left may be replaced, but not what another one still fills. */
static int directory_lock(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	r = -errno;
	if (r == -EWOULDBLOCK)
		fprintf(stderr,
			"chronotick-trace: %s: another chronotick-trace pins there: name another "
			"directory\n",
			directory);
	else
		fprintf(stderr, "chronotick-trace: %s: %s\n", directory, strerror(-r));
	if (fd >= 0)
		close(fd);
	return r;
}

/* libbpf's own maps, and those of globals, say nothing to anybody else. */
static bool map_is_shown(const struct bpf_map *map)
{
	const char *name = bpf_map__name(map);

	return strncmp(name, "__", 2) != 0 && !strchr(name, '.') && strcmp(name, "notices") != 0;
}

static int name_pin(int fd, const char *directory, const char *name)
{
	char path[PATH_MAX];
	int r;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	unlink(path);
	r = bpf_obj_pin(fd, path) < 0 ? -errno : 0;
	if (r < 0)
		fprintf(stderr, "chronotick-trace: %s: %s\n", path, strerror(-r));
	return r;
}

static void name_remove(const char *directory, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
		unlink(path);
}

int pins_make(struct bpf_object *object, const char *directory)
{
	struct bpf_program *program;
	struct bpf_map *map;
	int r = directory_make(directory), lock;

	if (r < 0)
		return r;
	lock = directory_lock(directory);
	if (lock < 0)
		return lock;
	bpf_object__for_each_map(map, object)
	{
		if (map_is_shown(map))
			r = name_pin(bpf_map__fd(map), directory, bpf_map__name(map));
		if (r < 0)
			goto remove;
	}
	bpf_object__for_each_program(program, object)
	{
		r = name_pin(bpf_program__fd(program), directory, bpf_program__name(program));
		if (r < 0)
			goto remove;
	}
	return lock;

remove:
	pins_remove(object, directory, lock);
	return r;
}

void pins_remove(struct bpf_object *object, const char *directory, int lock)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) if (map_is_shown(map))
		name_remove(directory, bpf_map__name(map));
	bpf_object__for_each_program(program, object)
		name_remove(directory, bpf_program__name(program));
	rmdir(directory);
	close(lock);
}
