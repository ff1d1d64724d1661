/* SPDX-License-Identifier: MIT */
/*
 * What an ELF file says of itself in notes: which of our probes are in it, and where it
 * reads the page. The file is not trusted:
 * anybody's program may be looked at.
 */
#ifndef BPF_NOTES_H
#define BPF_NOTES_H

#include <stddef.h>
#include <stdint.h>

/* Bits of struct notes.probes; the names are in notes_probe_name(). */
enum notes_probe {
	NOTES_TORN = 0,
	NOTES_PUBLISHED,
	NOTES_STAGES,
	NOTES_CANARY,
	NOTES_PROBES,
};

#define NOTES_RANGES_MAX 256

/* From where a read begins until its last load of the line has been, offsets in the file */
struct notes_range {
	uint64_t begin, end;
};

struct notes {
	unsigned int probes;      /* 1 << enum notes_probe */
	unsigned int range_count; /* of reads; what is beyond NOTES_RANGES_MAX is left out */
	struct notes_range ranges[NOTES_RANGES_MAX];
};

/* The probe's name, under the provider `chronotick`. */
const char *notes_probe_name(enum notes_probe probe);

/*
 * Read the notes of a file. Returns 0; -ENOEXEC if it is no ELF file of this machine's word size;
 * or what open(2) returns.
 */
int notes_read(struct notes *ret, const char *path);

/* The same of an image in memory, which libelf may change. Returns 0 or -ENOEXEC. */
int notes_read_memory(struct notes *ret, char *image, size_t size);

#endif /* BPF_NOTES_H */
