/* SPDX-License-Identifier: MIT */
/* Maps and programs under names in a BPF file system, for bpftool and whoever else looks. */
#ifndef BPF_PINS_H
#define BPF_PINS_H

#include <bpf/libbpf.h>

/*
 * Pin all maps with entries to look at and all programs of the object in a directory, which is made if
 * need be; a BPF file system is mounted at /sys/fs/bpf if none is. What a killed run has left there
 * is replaced. Returns a descriptor that keeps other runs off the directory, or a negative errno
 * after saying on stderr what is wrong: -EWOULDBLOCK if another run pins there.
 */
int pins_make(struct bpf_object *object, const char *directory);

/* Take them away again, and the directory if it is empty then. lock: what pins_make() has returned. */
void pins_remove(struct bpf_object *object, const char *directory, int lock);

#endif /* BPF_PINS_H */
