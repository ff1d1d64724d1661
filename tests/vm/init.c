/* SPDX-License-Identifier: MIT */
/*
 * Process 1 of the virtual machine: loads the module, runs the programs that /tests names, one a line
 * with its arguments, and turns the machine off. What they say goes to the serial port that the
 * kernel's command line names in RESULTS, the kernel's messages to another one.
 *
 * PROGRAM_S there is how long a program may take (240), MESSAGES has the kernel's messages told, too. Where the kernel looks for data races this turns
 * it on, and where it looks for leaks it is told to, once all has run and the module is gone.
 *
 * "# run COMMAND" before each program, "# end STATUS" after it: its exit status, 128 + the signal that
 * ended it, or "timeout". "# done" is the last line of a machine that came to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_S 240 /* at most, emulated; or what the command line says */
#define ARGUMENTS_MAX 16
#define COUNTER_S 30 /* for the kernel to settle on its clocksource */
#define UNLOAD_S 10
#define LEAK_SCANS 4
#define LEAK_AGE_S 6 /* what is younger is no leak as yet */
/* The program that turns the machine off itself, run last, and tells of the end in init's place */
#define LAST "/bin/vm-ending"
#define KMEMLEAK "/sys/kernel/debug/kmemleak"
#define KCSAN "/sys/kernel/debug/kcsan"

static const struct {
	const char *type, *where;
} mounts[] = {
	{"proc", "/proc"},     {"sysfs", "/sys"},
	{"devtmpfs", "/dev"},  {"tracefs", "/sys/kernel/tracing"},
	{"tmpfs", "/dev/shm"}, {"debugfs", "/sys/kernel/debug"},
};

static void turn_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void serial_take(void)
{
	const char *port = getenv("RESULTS"); /* what the kernel does not know becomes this */
	struct termios raw;
	int fd = open(port ? port : "/dev/console", O_WRONLY | O_NOCTTY);

	if (fd < 0)
		turn_off();
	if (tcgetattr(fd, &raw) == 0) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long r;

	if (fd < 0)
		return -errno;
	r = syscall(SYS_finit_module, fd, "", 0);
	r = r < 0 ? -errno : 0;
	close(fd);
	return (int)r;
}

/* The first seconds run on tsc-early; the change to tsc would be an event in the midst of a test. */
static void counter_await(void)
{
	static const char path[] =
		"/sys/devices/system/clocksource/clocksource0/current_clocksource";
	const struct timespec pause_for = {.tv_nsec = 100000000};
	char text[32];
	int tries, fd;

	for (tries = 0; tries < COUNTER_S * 10; tries++) {
		memset(text, 0, sizeof(text));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
			break;
		close(fd);
		if (!strcmp(text, "tsc\n") || !strcmp(text, "arch_sys_counter\n"))
			return;
		nanosleep(&pause_for, NULL);
	}
	printf("# the clocksource is %s\n", text);
}

static bool text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Nobody has it any more, though the last one may have been killed just now. */
static void module_unload(const char *name)
{
	const struct timespec pause_for = {.tv_nsec = 100000000};
	int tries, r = -1;

	for (tries = 0; tries < UNLOAD_S * 10 && r < 0; tries++) {
		r = (int)syscall(SYS_delete_module, name, O_NONBLOCK);
		if (r < 0)
			nanosleep(&pause_for, NULL);
	}
	printf("%sok - the module unloads\n", r < 0 ? "not " : "");
}

/* The kernel's messages tell how many there are; here is which. */
static void leaks_look(void)
{
	char line[256];
	FILE *file;
	int scans;

	if (access(KMEMLEAK, W_OK) < 0)
		return;
	sleep(LEAK_AGE_S);
	for (scans = 0; scans < LEAK_SCANS; scans++)
		text_write(KMEMLEAK, "scan");
	file = fopen(KMEMLEAK, "re");
	while (file && fgets(line, sizeof(line), file))
		printf("# leak: %s", line);
	if (file)
		fclose(file);
}

/* Where the console is to be silent: lockdep has something against one that prints in interrupts. */
static void messages_tell(void)
{
	int fd = getenv("MESSAGES") ? open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
	char record[2048], *text;
	ssize_t got;

	while (fd >= 0 && ((got = read(fd, record, sizeof(record) - 1)) > 0 || errno == EPIPE)) {
		record[got > 0 ? got : 0] = '\0';
		text = strchr(record, ';');
		if (text)
			printf("# kernel: %.*s\n", (int)strcspn(text + 1, "\n"), text + 1);
	}
	if (fd >= 0)
		close(fd);
}

static void program_start(char *line)
{
	char *arguments[ARGUMENTS_MAX + 1];
	unsigned int count = 0;
	char *word;

	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (word = strtok(line, " "); word && count < ARGUMENTS_MAX; word = strtok(NULL, " "))
		arguments[count++] = word;
	arguments[count] = NULL;
	execv(arguments[0], arguments);
	printf("not ok - cannot be started: %s\n", strerror(errno));
	_exit(127);
}

static void program_run(char *line)
{
	const char *limit = getenv("PROGRAM_S");
	const long limit_s = limit ? atol(limit) : PROGRAM_S;
	const struct timespec second = {.tv_sec = 1};
	struct timespec start, now;
	sigset_t child;
	int status;
	pid_t pid;

	printf("# run %s\n", line);
	fflush(stdout);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (pid == 0)
		program_start(line);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec > limit_s) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			printf("# end timeout\n");
			return;
		}
		sigtimedwait(&child, NULL, &second);
	}
	kill(-pid, SIGKILL);
	printf("# end %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	/* Orphans end up here. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

int main(void)
{
	char line[512], last[512] = "";
	sigset_t child;
	FILE *tests;
	unsigned int i;
	int r;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
	serial_take();
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	counter_await();
	text_write(KMEMLEAK, "clear");
	if (access(KCSAN, W_OK) == 0 && !text_write(KCSAN, "on"))
		printf("# no data race will be found: %s\n", strerror(errno));
	r = module_load("/chronotick.ko");
	printf("%sok - the module loads", r < 0 ? "not " : "");
	printf(r < 0 ? ": %s\n" : "\n", strerror(-r));
	tests = fopen("/tests", "re");
	while (tests && fgets(line, sizeof(line), tests)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, LAST, strlen(LAST)))
			strcpy(last, line);
		else if (*line)
			program_run(line);
	}
	printf("# run init\n");
	module_unload("chronotick");
	leaks_look();
	messages_tell();
	printf("# end 0\n");
	if (*last) {
		r = module_load("/chronotick.ko");
		printf("%sok - the module loads again\n", r < 0 ? "not " : "");
		program_run(last);
	} else {
		printf("# done\n");
	}
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	turn_off();
}
