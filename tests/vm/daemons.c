/* SPDX-License-Identifier: MIT */
#include "daemons.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define LOOK_MS 20

static pid_t server;

static void loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
		request.ifr_flags |= IFF_UP;
		ioctl(fd, SIOCSIFFLAGS, &request);
	}
	close(fd);
}

/* Start a program whose output goes to a file. */
static pid_t start(const char *const arguments[], const char *output)
{
	pid_t pid;
	int fd;

	fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execv(arguments[0], (char *const *)(uintptr_t)arguments);
	_exit(127);
}

void reference_start(void)
{
	const char *const arguments[] = {"/bin/fake-ntp", "127.0.0.1", "good", NULL};

	loopback_up();
	server = start(arguments, "/tmp/server.log");
}

void reference_end(void)
{
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

int module_unload(void)
{
	return syscall(SYS_delete_module, MODULE, O_NONBLOCK) < 0 ? -errno : 0;
}

int module_load(void)
{
	int fd = open(MODULE_FILE, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0) < 0)
		r = -errno;
	close(fd);
	return r;
}

static const char *path_of(const char *name, const char *end)
{
	static char path[2][64];
	static unsigned int next;
	char *ret = path[next++ % 2];

	snprintf(ret, sizeof(path[0]), "/tmp/%s%s", name, end);
	return ret;
}

void config_write(const char *name, const char *page)
{
	FILE *file = fopen(path_of(name, ".yaml"), "we");

	if (!file)
		return;
	fprintf(file,
		"page: {%s}\n"
		"clock: {step_threshold_ns: 250000000, max_slew_ppb: 500000}\n"
		"realtime: {priority: 1}\n"
		"state: {file: none}\n"
		"control: {socket: /tmp/%s.sock}\n"
		"sources:\n"
		"  - {ntp: 127.0.0.1, minpoll: -3, maxpoll: -1}\n",
		page, name);
	fclose(file);
}

pid_t daemon_start(const char *name, const char *option, const char *log)
{
	char config[64], output[64];
	const char *const arguments[] = {
		"/bin/chronotickd", "--foreground", "--config", config, option, NULL};

	snprintf(config, sizeof(config), "/tmp/%s.yaml", name);
	snprintf(output, sizeof(output), "/tmp/%s.log", log ? log : name);
	return start(arguments, output);
}

int daemon_end(pid_t pid, int signal)
{
	int64_t limit = monotonic_ns() + 10 * SECOND;
	int status;

	if (signal)
		kill(pid, signal);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (monotonic_ns() > limit) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		sleep_ms(LOOK_MS);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool file_has(const char *path, const char *text)
{
	char line[1024];
	FILE *file = fopen(path, "re");
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, text) != NULL;
	if (file)
		fclose(file);
	return found;
}

bool log_has(const char *name, const char *text, unsigned int ms)
{
	const char *path = path_of(name, ".log");
	int64_t limit = monotonic_ns() + ms * 1000000LL;

	while (!file_has(path, text)) {
		if (monotonic_ns() > limit)
			return false;
		sleep_ms(LOOK_MS);
	}
	return true;
}

void log_show(const char *name)
{
	char line[1024];
	FILE *file = fopen(path_of(name, ".log"), "re");

	while (file && fgets(line, sizeof(line), file))
		printf("# %s: %s", name, line);
	if (file)
		fclose(file);
}

static int64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* One read: as chronotick_now(), or -EILSEQ if the truth is not in the interval. */
static int read_judged(const struct chronotick *ct, struct chronotick_interval *ret)
{
	int64_t before = realtime_ns(), after;
	int r = chronotick_now(ct, ret);

	after = realtime_ns();
	if (r == 0 && (ret->latest_ns < before || ret->earliest_ns > after))
		return -EILSEQ;
	return r;
}

bool trusted(const char *path, unsigned int ms)
{
	int64_t limit = monotonic_ns() + ms * 1000000LL;
	struct chronotick_interval now;
	struct chronotick *ct;
	int r;

	do {
		/* What the library finds may be another page by now. */
		r = chronotick_open(&ct, path);
		if (r == 0) {
			r = read_judged(ct, &now);
			chronotick_close(ct);
		}
		if (r == 0 || r == -EILSEQ)
			break;
		sleep_ms(LOOK_MS);
	} while (monotonic_ns() < limit);
	if (r < 0)
		printf("# %s: %s\n", chronotick_page_path(path), strerror(-r));
	return r == 0;
}

int cli(char *ret, unsigned int size, const char *verb, const char *argument, const char *more)
{
	const char *const arguments[] = {"/bin/chronotick", verb, argument, more, NULL};
	int status = daemon_end(start(arguments, "/tmp/cli.out"), 0), fd;
	ssize_t length;

	fd = open("/tmp/cli.out", O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, ret, size - 1);
	ret[length > 0 ? length : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return status;
}

static void judge_run(struct judged *judged, const char *path)
{
	struct chronotick_interval now, last = {0};
	struct chronotick *ct;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chronotick_open(&ct, path) < 0)
		_exit(1);
	while (!judged->over) {
		r = read_judged(ct, &now);
		judged->reads++;
		if (r == -EILSEQ)
			judged->outside++;
		else if (r < 0)
			judged->untrusted++;
		if (last.utc_ns && now.generation != last.generation)
			judged->generations++;
		else if (now.utc_ns < last.utc_ns)
			judged->backwards++;
		last = now;
		/* Its CPU is needed by others. */
		if (judged->reads % 16 == 0)
			usleep(500);
	}
	_exit(0);
}

pid_t judge_start(struct judged **ret, const char *path)
{
	struct judged *judged = mmap(NULL, sizeof(*judged), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	*ret = judged;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		judge_run(judged, path);
	return pid;
}

void judge_end(pid_t pid, struct judged *judged, const char *what)
{
	int status;

	judged->over = true;
	waitpid(pid, &status, 0);
	check(status == 0 && judged->reads > 500, "%s: a reader goes on, %lu reads", what,
	      (unsigned long)judged->reads);
	check(judged->untrusted == 0, "%s: each is trusted, not: %lu", what,
	      (unsigned long)judged->untrusted);
	check(judged->outside == 0, "%s: each has the truth in it, not: %lu", what,
	      (unsigned long)judged->outside);
	check(judged->backwards == 0 && judged->generations == 0,
	      "%s: no time goes back or jumps: %lu, %lu", what, (unsigned long)judged->backwards,
	      (unsigned long)judged->generations);
	munmap(judged, sizeof(*judged));
}
