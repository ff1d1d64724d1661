/* SPDX-License-Identifier: MIT */
/* chronotick-mcp: the tools over standard input and output, until the input ends. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <chronotick/chronotick.h>

#include "lines.h"
#include "server.h"

enum { EXIT_USAGE = 2, HELP = 256, VERSION, DEBUG, PAGE };

static void usage(FILE *to)
{
	fputs("usage: chronotick-mcp [--page PATH] [--debug]\n\n"
	      "Serves the time to language models: the Model Context Protocol over standard input\n"
	      "and output.\n\n"
	      "  --page PATH  the page to read, instead of $CHRONOTICK_PAGE or the usual one\n"
	      "  --debug      tell of each request on standard error\n"
	      "  --help\n"
	      "  --version\n",
	      to);
}

/* -1 to go on, or an exit code */
static int options_parse(struct server *server, int argc, char **argv)
{
	static const struct option options[] = {{"debug", no_argument, NULL, DEBUG},
						{"help", no_argument, NULL, HELP},
						{"page", required_argument, NULL, PAGE},
						{"version", no_argument, NULL, VERSION},
						{NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case DEBUG:
			server->debug = true;
			break;
		case PAGE:
			server->page.path = optarg;
			break;
		case 'h':
		case HELP:
			usage(stdout);
			return EXIT_SUCCESS;
		case VERSION:
			puts("chronotick-mcp " CHRONOTICK_VERSION);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc || (server->page.path && !*server->page.path)) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* A write failed. Try again? Whoever shares the output may have set it not to block. */
static bool output_wait(void)
{
	struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return errno == EINTR || (errno == EAGAIN && (poll(&output, 1, -1) >= 0 || errno == EINTR));
}

static int send_stdout(void *context, const char *text, size_t length)
{
	ssize_t written;

	(void)context;
	while (length) {
		written = write(STDOUT_FILENO, text, length);
		if (written < 0 && output_wait())
			continue;
		if (written < 0)
			return -errno;
		text += written;
		length -= (size_t)written;
	}
	return 0;
}

static int line_take(void *context, const char *line, size_t length)
{
	return server_line(context, line, length);
}

/*
 * Wait for input, or until somebody's wait is over. blocks: reading does that, unless whoever shares
 * the input has set it not to. Returns 1 for input, 0, or a negative errno.
 */
static int input_wait(const struct server *server, bool blocks)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t due_ns = server_due_ns(server), now_ns;
	struct timespec left = {0, 0};
	int r;

	if (due_ns == UINT64_MAX && blocks)
		return 1;
	now_ns = tools_monotonic_ns();
	if (due_ns > now_ns) {
		left.tv_sec = (time_t)((due_ns - now_ns) / 1000000000);
		left.tv_nsec = (long)((due_ns - now_ns) % 1000000000);
	}
	r = ppoll(&input, 1, due_ns == UINT64_MAX ? NULL : &left, NULL);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r;
}

static int serve(struct server *server)
{
	static char data[16384];
	struct lines lines = {.data = NULL};
	bool blocks = true;
	ssize_t length;
	int r;

	do {
		r = input_wait(server, blocks);
		if (r > 0) {
			length = read(STDIN_FILENO, data, sizeof(data));
			if (length == 0)
				break;
			if (length > 0)
				r = lines_take(&lines, data, (size_t)length, line_take, server);
			else
				r = errno == EINTR || errno == EAGAIN ? 0 : -errno;
			blocks = blocks && (length >= 0 || errno != EAGAIN);
		}
		if (r >= 0)
			r = server_wake(server);
	} while (r >= 0);
	if (r < 0)
		free(lines.data);
	else
		r = lines_end(&lines, line_take, server);
	return r;
}

int main(int argc, char **argv)
{
	struct server server = {.send = send_stdout};
	int r = options_parse(&server, argc, argv);

	if (r >= 0)
		return r;
	signal(SIGPIPE, SIG_IGN);
	if (server.debug)
		fprintf(stderr, "chronotick-mcp: " CHRONOTICK_VERSION ", page %s\n",
			chronotick_page_path(server.page.path));
	r = serve(&server);
	server_end(&server);
	/* A client that listens no more is one that has ended. */
	if (r == 0 || r == -EPIPE)
		return EXIT_SUCCESS;
	fprintf(stderr, "chronotick-mcp: %s\n", strerror(-r));
	return EXIT_FAILURE;
}
