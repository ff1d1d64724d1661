/* SPDX-License-Identifier: MIT */
/* Maps and programs under names in a BPF file system, for bpftool and whoever else looks. */
#ifndef BPF_PINS_H
#define BPF_PINS_H

#include <bpf/libbpf.h>

/*
 * Pin all maps with entries to look at and all programs of the object in a directory, which is made if
 * need be; a BPF file system is mounted at /sys/fs/bpf if none is. What a killed run has left there
 * is replaced. Returns 0, or a negative errno after saying on stderr what is wrong.
 */
int pins_make(struct bpf_object *object, const char *directory);

/* Take them away again, and the directory if it is empty then. */
void pins_remove(struct bpf_object *object, const char *directory);

#endif /* BPF_PINS_H */
