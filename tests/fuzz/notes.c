/* SPDX-License-Identifier: MIT */
/* Any bytes as an ELF file: its notes are read, or it is refused. */
#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOTES_AT (64 + 2 * 64)

/* A header of 64 bits, the empty section, and one of notes that has the input in it */
static char *elf_make(const uint8_t *data, size_t size, size_t *ret_size)
{
	Elf64_Ehdr header = {
		.e_ident = ELFMAG "\2\1\1", /* 64 bits, little-endian */
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_shoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 2,
	};
	Elf64_Shdr section = {
		.sh_type = SHT_NOTE,
		.sh_offset = NOTES_AT,
		.sh_size = size,
		.sh_addralign = 4,
	};
	char *image;

	*ret_size = NOTES_AT + size;
	image = calloc(1, *ret_size);
	if (!image)
		abort();
	memcpy(image, &header, sizeof(header));
	memcpy(image + NOTES_AT - sizeof(section), &section, sizeof(section));
	memcpy(image + NOTES_AT, data, size);
	return image;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct notes notes;
	size_t image_size;
	char *image;
	int r;

	/* Whatever it is, and then as notes of a file that is whole. */
	image = malloc(size + 1);
	if (!image)
		abort();
	memcpy(image, data, size);
	r = notes_read_memory(&notes, image, size);
	if (r != 0 && r != -ENOEXEC)
		abort();
	free(image);
	image = elf_make(data, size, &image_size);
	r = notes_read_memory(&notes, image, image_size);
	if (r != 0 || notes.probes >> NOTES_PROBES)
		abort();
	if (notes.range_count > NOTES_RANGES_MAX)
		abort();
	free(image);
	return 0;
}
