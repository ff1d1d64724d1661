/* SPDX-License-Identifier: MIT */
/* chronotick-exporter: the state of the time and of its daemon, for Prometheus to fetch. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "metrics.h"

enum {
	EXIT_USAGE = 2,
	CONNECTIONS = 32,
	CONNECTIONS_OF_ONE = 16,
	PATIENCE_S = 10,
	MEMORY = 16384, /* of one connection: what a request's head may take */
	HELP = 256,
	VERSION,
	PAGE,
	CONTROL,
	LISTEN,
};

struct options {
	const char *page, *control;
	char address[256], port[8];
	bool ipv6; /* in a URL that has brackets */
};

static void usage(FILE *to)
{
	fputs("usage: chronotick-exporter [--listen ADDRESS:PORT] [--page PATH] [--control PATH]\n\n"
	      "Serves the state of the time, and of the daemon, at /metrics for Prometheus.\n\n"
	      "  --listen ADDRESS:PORT  instead of 127.0.0.1:9989; [ADDRESS]:PORT for IPv6\n"
	      "  --page PATH            the page to read, instead of $CHRONOTICK_PAGE or the usual one\n"
	      "  --control PATH         the daemon's control socket, instead of $CHRONOTICK_CONTROL or\n"
	      "                         the usual one; none: do not ask it\n"
	      "  --help\n"
	      "  --version\n",
	      to);
}

/* 1 to 65535: getaddrinfo(3) takes of a larger number what is left in 16 bits. */
static bool is_port(const char *text)
{
	size_t length = strlen(text);

	return length <= 5 && strspn(text, "0123456789") == length && atoi(text) > 0 &&
	       atoi(text) <= 65535;
}

/* ADDRESS:PORT or [ADDRESS]:PORT. Returns 0 or -EINVAL. */
static int listen_parse(struct options *options, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t length;

	if (!colon || colon == text || !is_port(colon + 1))
		return -EINVAL;
	length = (size_t)(colon - text);
	if (text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length == 0 || length >= sizeof(options->address))
		return -EINVAL;
	memcpy(options->address, text, length);
	options->address[length] = '\0';
	options->ipv6 = strchr(options->address, ':') != NULL;
	strcpy(options->port, colon + 1);
	return 0;
}

/* -1 to go on, or an exit code */
static int options_parse(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {{"control", required_argument, NULL, CONTROL},
					      {"help", no_argument, NULL, HELP},
					      {"listen", required_argument, NULL, LISTEN},
					      {"page", required_argument, NULL, PAGE},
					      {"version", no_argument, NULL, VERSION},
					      {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case PAGE:
			options->page = optarg;
			break;
		case CONTROL:
			options->control = optarg;
			break;
		case LISTEN:
			if (listen_parse(options, optarg) == 0)
				break;
			fprintf(stderr, "chronotick-exporter: --listen: '%s' is no ADDRESS:PORT\n",
				optarg);
			return EXIT_USAGE;
		case 'h':
		case HELP:
			usage(stdout);
			return EXIT_SUCCESS;
		case VERSION:
			puts("chronotick-exporter " CHRONOTICK_VERSION);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return EXIT_USAGE;
}

/* A socket that listens at the address, or -1 after saying why not. */
static int socket_listen(const struct options *options)
{
	const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	int fd, r, yes = 1;

	r = getaddrinfo(options->address, options->port, &hints, &found);
	if (r != 0) {
		fprintf(stderr, "chronotick-exporter: %s:%s: %s\n", options->address, options->port,
			gai_strerror(r));
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		if (found->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
		if (bind(fd, found->ai_addr, found->ai_addrlen) < 0 ||
		    listen(fd, CONNECTIONS) < 0) {
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		fprintf(stderr, "chronotick-exporter: %s:%s: %s\n", options->address, options->port,
			strerror(errno));
	freeaddrinfo(found);
	return fd;
}

static enum MHD_Result respond(struct MHD_Connection *connection, unsigned int status,
			       const char *type, struct MHD_Response *response)
{
	enum MHD_Result r = MHD_NO;

	if (response && MHD_add_response_header(response, "Content-Type", type) == MHD_YES)
		r = MHD_queue_response(connection, status, response);
	if (response)
		MHD_destroy_response(response);
	return r;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);

	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD"); /* RFC 9110, 15.5.6 */
	return respond(connection, status, "text/plain", response);
}

static enum MHD_Result metrics_send(const struct options *options,
				    struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
	bool open = metrics_are_open(accept);
	struct exporter_facts facts;
	struct MHD_Response *response;
	size_t length;
	char *text;

	exporter_facts_take(&facts, options->page, options->control);
	text = metrics_text(&facts, open, &length);
	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(text);
	return respond(connection, MHD_HTTP_OK, open ? METRICS_OPEN_TYPE : METRICS_PLAIN_TYPE,
		       response);
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **request)
{
	(void)version;
	(void)upload;
	(void)request;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		*upload_size = 0;
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	}
	if (strcmp(url, "/metrics") == 0)
		return metrics_send(context, connection);
	if (strcmp(url, "/") == 0)
		return say(connection, MHD_HTTP_OK, "chronotick-exporter: see /metrics\n");
	return say(connection, MHD_HTTP_NOT_FOUND, "there is /metrics\n");
}

int main(int argc, char **argv)
{
	struct options options = {.address = "127.0.0.1", .port = "9989"};
	int r = options_parse(&options, argc, argv), fd, ended;
	struct MHD_Daemon *daemon;
	sigset_t signals;

	if (r >= 0)
		return r;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL); /* in the server's thread too */
	fd = socket_listen(&options);
	if (fd < 0)
		return EXIT_FAILURE;
	daemon = MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, NULL, NULL, answer, &options,
				  MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				  (unsigned int)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
				  (unsigned int)CONNECTIONS_OF_ONE, MHD_OPTION_CONNECTION_TIMEOUT,
				  (unsigned int)PATIENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				  (size_t)MEMORY, MHD_OPTION_END);
	if (!daemon) {
		fprintf(stderr, "chronotick-exporter: the HTTP server does not start\n");
		close(fd);
		return EXIT_FAILURE;
	}
	printf("chronotick-exporter: http://%s%s%s:%s/metrics\n", options.ipv6 ? "[" : "",
	       options.address, options.ipv6 ? "]" : "", options.port);
	fflush(stdout);
	sigwait(&signals, &ended);
	MHD_stop_daemon(daemon);
	return EXIT_SUCCESS;
}
