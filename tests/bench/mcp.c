/* SPDX-License-Identifier: MIT */
/*
 * mcp CHRONOTICK_MCP: what a call of get_time takes over standard input and output, beside the same
 * bytes to and from a process that only echoes: pipes, wake-ups and two copies are what the system
 * takes. Turn and turn about, so that both see the same machine.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#include "support/handmade.h"

enum { CALLS = 20000, WARM_UP = 500, ANSWER_MAX = 65536 };

static const char request[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"get_time\","
	"\"arguments\":{}}}\n";

struct peer {
	pid_t pid;
	int to, from;
	double us[CALLS];
};

/* Answer each request with as many bytes as the server does. */
static _Noreturn void echo(size_t answer_size)
{
	static char data[ANSWER_MAX];
	ssize_t length;

	memset(data, 'x', sizeof(data));
	while ((length = read(STDIN_FILENO, data, sizeof(data))) > 0) {
		if (data[length - 1] != '\n')
			continue;
		data[answer_size - 1] = '\n';
		if (write(STDOUT_FILENO, data, answer_size) != (ssize_t)answer_size)
			break;
	}
	_exit(0);
}

/* program: what to run; NULL: echo(). */
static int peer_start(struct peer *peer, const char *program, const char *page, size_t answer_size)
{
	int in[2], out[2];

	if (pipe(in) < 0 || pipe(out) < 0)
		return -errno;
	peer->pid = fork();
	if (peer->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		if (!program)
			echo(answer_size);
		execl(program, program, "--page", page, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	peer->to = in[1];
	peer->from = out[0];
	return peer->pid < 0 ? -errno : 0;
}

static void peer_end(struct peer *peer)
{
	close(peer->to);
	close(peer->from);
	waitpid(peer->pid, NULL, 0);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

/* One round trip in us; the answer's length in *length. Negative: it has failed. */
static double call(struct peer *peer, size_t *length)
{
	static char answer[ANSWER_MAX];
	double start = now_us();
	ssize_t part;

	*length = 0;
	if (write(peer->to, request, sizeof(request) - 1) != (ssize_t)sizeof(request) - 1)
		return -1;
	do {
		part = read(peer->from, answer + *length, sizeof(answer) - *length);
		if (part <= 0)
			return -1;
		*length += (size_t)part;
	} while (answer[*length - 1] != '\n' && *length < sizeof(answer));
	return now_us() - start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double report(const char *name, struct peer *peer)
{
	qsort(peer->us, CALLS, sizeof(peer->us[0]), compare);
	printf("%-10s p50 %7.1f us, p99 %7.1f us\n", name, peer->us[CALLS / 2],
	       peer->us[CALLS * 99 / 100]);
	return peer->us[CALLS / 2];
}

static int measure(struct peer *server, struct peer *bare, struct chronotick_page *page,
		   const struct chronotick *ct)
{
	size_t length;
	int i;

	for (i = -WARM_UP; i < CALLS; i++) {
		double us[2];

		/* As the daemon would: the page is kept up to date. */
		__atomic_store_n(&page->header.heartbeat, chronotick_counter(ct), __ATOMIC_RELAXED);
		us[0] = call(server, &length);
		us[1] = call(bare, &length);
		if (us[0] < 0 || us[1] < 0)
			return -EIO;
		if (i >= 0) {
			server->us[i] = us[0];
			bare->us[i] = us[1];
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct peer server, bare;
	struct chronotick_page *page;
	struct chronotick *ct;
	double p50, base;
	size_t length;
	char path[64];
	int r;

	if (argc != 2)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	snprintf(path, sizeof(path), "/dev/shm/chronotick-bench-mcp-%d", (int)getpid());
	if (handmade_create(&page, path, "trusted") < 0 || chronotick_open(&ct, path) < 0)
		return 1;
	r = peer_start(&server, argv[1], path, 0);
	if (r == 0)
		r = call(&server, &length) < 0 ? -EIO : 0;
	if (r == 0)
		r = peer_start(&bare, NULL, NULL, length);
	if (r == 0)
		r = measure(&server, &bare, page, ct);
	/* In this order: the second has a copy of what the first reads from. */
	peer_end(&bare);
	peer_end(&server);
	chronotick_close(ct);
	handmade_unmap(page);
	unlink(path);
	if (r < 0) {
		printf("failed: %s\n", strerror(-r));
		return 1;
	}
	printf("an answer has %zu bytes\n", length);
	p50 = report("get_time", &server);
	base = report("bare pipe", &bare);
	printf("ratio %.2f\n", p50 / base);
	/* On a machine that is slower than usual, or busy, the bare pipe is slow too. */
	return p50 >= 100 && p50 / base >= 10;
}
