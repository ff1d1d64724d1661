/* SPDX-License-Identifier: MIT */
#include "binaries.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#define LOOK_AGAIN_1 1
#define LOOK_AGAIN_2 5
#define LOOK_ALL 60

struct file {
	dev_t device; /* these two as /proc/PID/maps has them */
	uint64_t inode;
	struct stat status; /* as it was looked at; zeros: it could not be */
	bool overlaid;      /* by a file system that shows another one's files as its own */
	bool probed;        /* probes were found in it */
	unsigned int range_count;
	struct notes_range *ranges; /* of reads, offsets in the file */
};

struct process_seen {
	uint32_t pid;
	unsigned int age; /* scans since it was first seen */
	bool alive;
};

struct binaries {
	uint32_t pid;
	binaries_found found;
	binaries_mapped mapped;
	void *data;
	struct file *files;
	size_t file_count, file_room;
	struct process_seen *processes;
	size_t process_count, process_room;
};

int binaries_new(struct binaries **ret, uint32_t pid, binaries_found found, binaries_mapped mapped,
		 void *data)
{
	struct binaries *binaries = calloc(1, sizeof(*binaries));

	if (!binaries)
		return -ENOMEM;
	binaries->pid = pid;
	binaries->found = found;
	binaries->mapped = mapped;
	binaries->data = data;
	*ret = binaries;
	return 0;
}

void binaries_free(struct binaries *binaries)
{
	size_t i;

	if (!binaries)
		return;
	for (i = 0; i < binaries->file_count; i++)
		free(binaries->files[i].ranges);
	free(binaries->files);
	free(binaries->processes);
	free(binaries);
}

/* Room for one more; false: there is none. */
static bool room_make(void **items, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room ? *room * 2 : 64;
	void *more;

	if (count < *room)
		return true;
	more = realloc(*items, wanted * size);
	if (!more)
		return false;
	*items = more;
	*room = wanted;
	return true;
}

/* The file of that number; NULL: it is not known. */
static struct file *file_find(struct binaries *binaries, dev_t device, uint64_t inode)
{
	size_t i;

	for (i = 0; i < binaries->file_count; i++)
		if (binaries->files[i].inode == inode && binaries->files[i].device == device)
			return &binaries->files[i];
	return NULL;
}

/* Note the file; NULL: there is no room for it. */
static struct file *file_add(struct binaries *binaries, dev_t device, uint64_t inode)
{
	if (!room_make((void **)&binaries->files, &binaries->file_room, binaries->file_count,
		       sizeof(*binaries->files)))
		return NULL;
	binaries->files[binaries->file_count] = (struct file){.device = device, .inode = inode};
	return &binaries->files[binaries->file_count++];
}

static void file_ranges_keep(struct file *file, const struct notes *notes)
{
	size_t size = notes->range_count * sizeof(notes->ranges[0]);

	free(file->ranges);
	file->ranges = NULL;
	file->range_count = 0;
	if (!size || !(file->ranges = malloc(size)))
		return;
	memcpy(file->ranges, notes->ranges, size);
	file->range_count = notes->range_count;
}

/* Has that been done to the file since it was looked at that makes it, maybe, another one? */
static bool status_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec &&
	       a->st_size == b->st_size;
}

/*
 * Is it one file to the kernel, which knows a probe's place by the inode below all overlays? A
 * container's image is seen by a device number of its own in each container, and an overlay may
 * put something of its own into the upper half of an inode's number.
 */
static bool file_is_same(const struct file *a, const struct file *b)
{
	if ((uint32_t)a->status.st_ino != (uint32_t)b->status.st_ino)
		return false;
	if (a->status.st_dev == b->status.st_dev)
		return a->status.st_ino == b->status.st_ino;
	return (a->overlaid || b->overlaid) && status_is_same(&a->status, &b->status);
}

/* Probes are put into a file once: they would count twice. */
static bool file_is_probed(const struct binaries *binaries, const struct file *file)
{
	size_t i;

	for (i = 0; i < binaries->file_count; i++)
		if (&binaries->files[i] != file && binaries->files[i].probed &&
		    file_is_same(&binaries->files[i], file))
			return true;
	return false;
}

/* Take what the path leads to. Returns 0, or a negative errno, and then it is none of ours. */
static int file_take(struct binaries *binaries, struct file *file, const char *path,
		     const char *name, unsigned int *probes)
{
	struct statfs system;
	struct notes notes;
	int r = notes_read(&notes, path);

	if (r < 0)
		return r;
	if (stat(path, &file->status) < 0 || statfs(path, &system) < 0)
		return -errno;
	file->overlaid = (unsigned long)system.f_type == OVERLAYFS_SUPER_MAGIC;
	file_ranges_keep(file, &notes);
	if (notes.probes && !file_is_probed(binaries, file))
		binaries->found(binaries->data, path, name, &notes);
	file->probed = notes.probes != 0;
	if (probes)
		*probes = notes.probes;
	return 0;
}

/* Read the file by the first path that opens. */
static void file_look(struct binaries *binaries, struct file *file, const char *const *paths,
		      const char *name)
{
	for (; *paths; paths++)
		if (file_take(binaries, file, *paths, name, NULL) == 0)
			return;
}

/*
 * Does its number now belong to another file? That of one that was deleted comes back soon; not
 * while probes are in it, which keep it.
 */
static bool file_has_changed(const struct file *file, const char *path)
{
	struct stat status;

	return !file->probed && stat(path, &status) == 0 && !status_is_same(&file->status, &status);
}

int binaries_add(struct binaries *binaries, const char *path)
{
	unsigned int probes = 0;
	struct stat status;
	struct file *file;
	int r;

	if (stat(path, &status) < 0)
		return -errno;
	file = file_find(binaries, status.st_dev, status.st_ino);
	if (file && file->probed)
		return 0;
	if (!file)
		file = file_add(binaries, status.st_dev, status.st_ino);
	if (!file)
		return -ENOMEM;
	r = file_take(binaries, file, path, path, &probes);
	if (r < 0)
		return r;
	return probes ? 0 : -ENODATA;
}

/* One line of /proc/PID/maps */
static void mapping_look(struct binaries *binaries, uint32_t pid, char *line)
{
	unsigned long begin, end, offset, inode;
	struct file *file;
	unsigned int i;
	unsigned int major, minor;
	char rights[5], by_mapping[64], by_root[4200];
	const char *paths[] = {by_mapping, by_root, NULL};
	int at = 0;

	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &begin, &end, rights, &offset, &major,
		   &minor, &inode, &at) < 7 ||
	    !at || inode == 0 || rights[2] != 'x' || line[at] != '/')
		return;
	line[strcspn(line, "\n")] = '\0';
	/* The first way also leads to files that have been replaced since, but needs privilege. */
	snprintf(by_mapping, sizeof(by_mapping), "/proc/%u/map_files/%lx-%lx", pid, begin, end);
	snprintf(by_root, sizeof(by_root), "/proc/%u/root%s", pid, line + at);
	file = file_find(binaries, makedev(major, minor), inode);
	if (!file) {
		file = file_add(binaries, makedev(major, minor), inode);
		if (!file)
			return;
		file_look(binaries, file, paths, line + at);
	} else if (file_has_changed(file, by_mapping)) {
		file_look(binaries, file, paths, line + at);
	}
	for (i = 0; i < file->range_count; i++) {
		uint64_t from = file->ranges[i].begin - offset, to = file->ranges[i].end - offset;

		if (from < end - begin && to <= end - begin)
			binaries->mapped(binaries->data, pid, begin + from, begin + to);
	}
}

static void process_look(struct binaries *binaries, uint32_t pid)
{
	char path[32], *line = NULL;
	size_t size = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return; /* it has ended, or is not ours to look at */
	while (getline(&line, &size, maps) > 0)
		mapping_look(binaries, pid, line);
	free(line);
	fclose(maps);
}

static struct process_seen *process_find(struct binaries *binaries, uint32_t pid)
{
	size_t low = 0, high = binaries->process_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (binaries->processes[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < binaries->process_count && binaries->processes[low].pid == pid)
		return &binaries->processes[low];
	if (!room_make((void **)&binaries->processes, &binaries->process_room,
		       binaries->process_count, sizeof(*binaries->processes)))
		return NULL;
	memmove(&binaries->processes[low + 1], &binaries->processes[low],
		(binaries->process_count - low) * sizeof(*binaries->processes));
	binaries->process_count++;
	binaries->processes[low] = (struct process_seen){.pid = pid};
	return &binaries->processes[low];
}

static void process_visit(struct binaries *binaries, uint32_t pid)
{
	struct process_seen *process = process_find(binaries, pid);

	if (!process)
		return;
	process->alive = true;
	if (process->age == 0 || process->age == LOOK_AGAIN_1 || process->age == LOOK_AGAIN_2 ||
	    process->age % LOOK_ALL == 0)
		process_look(binaries, pid);
	process->age++;
}

/* Forget those that have ended, whose numbers may come back as others. */
static void processes_prune(struct binaries *binaries)
{
	size_t from, to = 0;

	for (from = 0; from < binaries->process_count; from++) {
		if (!binaries->processes[from].alive)
			continue;
		binaries->processes[to] = binaries->processes[from];
		binaries->processes[to++].alive = false;
	}
	binaries->process_count = to;
}

void binaries_scan(struct binaries *binaries)
{
	struct dirent *entry;
	DIR *proc;

	/* One process costs little, and may load a library at any time. */
	if (binaries->pid) {
		process_look(binaries, binaries->pid);
		return;
	}
	proc = opendir("/proc");
	if (!proc)
		return;
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			process_visit(binaries, (uint32_t)strtoul(entry->d_name, NULL, 10));
	closedir(proc);
	processes_prune(binaries);
}
