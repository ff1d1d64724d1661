/* SPDX-License-Identifier: MIT */
/*
 * Daemons and their clients in the virtual machine: the real chronotickd and chronotick, a server of
 * time that serves this machine's CLOCK_REALTIME, so that this is the truth, and judges of what
 * readers are told.
 */
#ifndef VM_DAEMONS_H
#define VM_DAEMONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MODULE "chronotick"
#define MODULE_FILE "/chronotick.ko"
#define SHM_PATH "/dev/shm/chronotick_shm"

/* The loopback interface and the server of time. */
void reference_start(void);
void reference_end(void);

/* delete_module(2) and finit_module(2): 0 or a negative errno */
int module_unload(void);
int module_load(void);

/*
 * Write /tmp/NAME.yaml; `page` is what its map holds. The control socket is /tmp/NAME.sock. Emulated
 * CPUs that are shared make packets wait for milliseconds: what is measured then is slewed away, as
 * a jump would hide whether one daemon goes on where another was.
 */
void config_write(const char *name, const char *page);

/*
 * Start a daemon with that configuration; option may be NULL. Its log is /tmp/NAME.log, begun anew.
 * `log` is another name for that; NULL: the configuration's.
 */
pid_t daemon_start(const char *name, const char *option, const char *log);

/* Send the signal (0: none) and wait for its end: the exit status, 128 + a signal, or -1. */
int daemon_end(pid_t pid, int signal);

/* Has /tmp/NAME.log a line with that text? Waits for up to so many ms. */
bool log_has(const char *name, const char *text, unsigned int ms);

/* Print the log's end, for who has to find out. */
void log_show(const char *name);

/*
 * Wait for up to so many ms until the page (NULL: what the library finds) is trusted, and its interval
 * contains the truth then.
 */
bool trusted(const char *path, unsigned int ms);

/* Run `chronotick` with up to three arguments. Its exit status, and its output in *ret. */
int cli(char *ret, unsigned int size, const char *verb, const char *argument, const char *more);

/* A reader that goes on all the while, in a process of its own. What it has found, shared: */
struct judged {
	volatile bool over;
	volatile uint64_t reads, untrusted, outside, backwards, generations;
};

/* NULL: what the library finds at the start. */
pid_t judge_start(struct judged **ret, const char *path);

/* End it, and check that it has never been told an error, a lie, or a time that goes back. */
void judge_end(pid_t pid, struct judged *judged, const char *what);

#endif /* VM_DAEMONS_H */
