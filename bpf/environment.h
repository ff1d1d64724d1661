/* SPDX-License-Identifier: MIT */
/* What this kernel and this user's rights allow, in sentences. */
#ifndef BPF_ENVIRONMENT_H
#define BPF_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

struct environment {
	bool cap_bpf; /* or CAP_SYS_ADMIN, which stands for both */
	bool cap_perfmon;
	bool cap_ptrace; /* to see what other users' processes have mapped */
	bool uprobes;    /* the kernel can put a probe into programs */
};

/* What cannot be read counts as not there. */
void environment_read(struct environment *ret);

/*
 * Why nothing can be traced, and what to do, as sentences with '\n' after each; empty if nothing
 * speaks against it.
 */
void environment_obstacle(const struct environment *environment, char *text, size_t size);

#endif /* BPF_ENVIRONMENT_H */
