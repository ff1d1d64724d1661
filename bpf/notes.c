/* SPDX-License-Identifier: MIT */
#include "notes.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SDT_NOTE_TYPE 3 /* NT_STAPSDT */
#define PROVIDER "chronotick"
/* CHRONOTICK_MARK() in read.h */
#define MARK_BEGIN 1
#define MARK_END 2
#define RANGE_MAX 4096 /* bytes; a read is some 60 */

static const char *const probe_names[NOTES_PROBES] = {
	[NOTES_TORN] = "torn",
	[NOTES_PUBLISHED] = "published",
	[NOTES_STAGES] = "stages",
	[NOTES_CANARY] = "canary",
};

const char *notes_probe_name(enum notes_probe probe)
{
	return probe_names[probe];
}

/* A string of the descriptor that ends within it; NULL: it does not. */
static const char *string_take(const char **at, const char *end)
{
	const char *text = *at, *nul = memchr(text, '\0', (size_t)(end - text));

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

/* Three addresses, then provider, name and arguments as strings */
static void sdt_take(struct notes *ret, const char *at, const char *end)
{
	const char *provider, *name;
	unsigned int i;

	if (end - at < 3 * 8)
		return;
	at += 3 * 8;
	provider = string_take(&at, end);
	name = provider ? string_take(&at, end) : NULL;
	if (!name || strcmp(provider, PROVIDER) != 0)
		return;
	for (i = 0; i < NOTES_PROBES; i++)
		if (strcmp(name, probe_names[i]) == 0)
			ret->probes |= 1U << i;
}

/* Where marks are, virtual addresses; in the order of the notes, which is none */
struct marks {
	unsigned int count;
	struct mark {
		uint64_t address;
		uint32_t type;
	} marks[2 * NOTES_RANGES_MAX];
};

static void mark_take(struct marks *marks, uint32_t type, const char *at, size_t size)
{
	struct mark *mark = &marks->marks[marks->count];

	if (size != sizeof(mark->address) || marks->count == 2 * NOTES_RANGES_MAX)
		return;
	memcpy(&mark->address, at, sizeof(mark->address));
	mark->type = type;
	marks->count++;
}

static int mark_compare(const void *a, const void *b)
{
	const struct mark *left = a, *right = b;

	return (left->address > right->address) - (left->address < right->address);
}

/* A virtual address's place in the file; 0: in no segment that is loaded from it. */
static uint64_t place_of(Elf *elf, uint64_t address)
{
	GElf_Phdr header;
	size_t count, i;

	if (elf_getphdrnum(elf, &count) < 0)
		return 0;
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_LOAD)
			continue;
		if (address - header.p_vaddr < header.p_filesz)
			return address - header.p_vaddr + header.p_offset;
	}
	return 0;
}

/* A begin and the end that follows it, with no other begin in between. */
static void ranges_make(struct notes *ret, struct marks *marks, Elf *elf)
{
	unsigned int i;

	if (marks->count)
		qsort(marks->marks, marks->count, sizeof(marks->marks[0]), mark_compare);
	for (i = 1; i < marks->count && ret->range_count < NOTES_RANGES_MAX; i++) {
		struct notes_range range;

		if (marks->marks[i - 1].type != MARK_BEGIN || marks->marks[i].type != MARK_END)
			continue;
		range.begin = place_of(elf, marks->marks[i - 1].address);
		range.end = place_of(elf, marks->marks[i].address);
		if (range.begin && range.end > range.begin && range.end - range.begin < RANGE_MAX)
			ret->ranges[ret->range_count++] = range;
	}
}

static void section_read(struct notes *ret, struct marks *marks, Elf_Data *data)
{
	const char *bytes = data->d_buf;
	size_t offset = 0, next, name, desc;
	GElf_Nhdr header;

	while ((next = gelf_getnote(data, offset, &header, &name, &desc)) > 0) {
		if (header.n_type == SDT_NOTE_TYPE && header.n_namesz == sizeof("stapsdt") &&
		    memcmp(bytes + name, "stapsdt", sizeof("stapsdt")) == 0)
			sdt_take(ret, bytes + desc, bytes + desc + header.n_descsz);
		else if (header.n_namesz == sizeof(PROVIDER) &&
			 memcmp(bytes + name, PROVIDER, sizeof(PROVIDER)) == 0)
			mark_take(marks, header.n_type, bytes + desc, header.n_descsz);
		offset = next;
	}
}

/* Of anything that libelf has begun, or NULL; it is ended. */
static int elf_read(struct notes *ret, Elf *elf)
{
	Elf_Scn *section = NULL;
	struct marks marks = {0};
	GElf_Shdr header;
	Elf_Data *data;

	if (!elf || elf_kind(elf) != ELF_K_ELF || gelf_getclass(elf) != ELFCLASS64) {
		elf_end(elf);
		return -ENOEXEC;
	}
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
			continue;
		data = elf_getdata(section, NULL);
		if (data && data->d_buf)
			section_read(ret, &marks, data);
	}
	ranges_make(ret, &marks, elf);
	elf_end(elf);
	return 0;
}

int notes_read_memory(struct notes *ret, char *image, size_t size)
{
	memset(ret, 0, sizeof(*ret));
	elf_version(EV_CURRENT);
	return elf_read(ret, elf_memory(image, size));
}

int notes_read(struct notes *ret, const char *path)
{
	struct stat status;
	int fd, r;

	memset(ret, 0, sizeof(*ret));
	elf_version(EV_CURRENT);
	/* A file that is no regular one might keep us waiting. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return -ENOEXEC;
	}
	r = elf_read(ret, elf_begin(fd, ELF_C_READ_MMAP, NULL));
	close(fd);
	return r;
}
