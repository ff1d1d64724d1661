/* SPDX-License-Identifier: MIT */
/* chronotickd: works out UTC and publishes it. Ends with 0, 1: it failed, 2: bad usage. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "daemon.h"
#include "log.h"
#include "options.h"
#include "reload.h"
#include "start.h"

enum {
	EXIT_ENDED = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

static volatile int stop_signal;
static volatile int hangup_signal;

static void on_stop(int number)
{
	stop_signal = number;
}

static void on_hangup(int number)
{
	hangup_signal = number;
}

static void signals_set(void)
{
	struct sigaction stop = {.sa_handler = on_stop}, hangup = {.sa_handler = on_hangup},
			 ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &hangup, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

static int configuration_load(struct config *config, struct reload_origin *origin)
{
	const char *path = reload_path(origin);
	int r = reload_read(origin, config, stderr);

	if (r == -ENOMEM)
		fprintf(stderr, "chronotickd: out of memory\n");
	if (r < 0)
		return r;
	if (origin->options->check_config)
		printf("%s: good, %u source%s\n", path ? path : "built-in defaults",
		       config->source_count, config->source_count == 1 ? "" : "s");
	return 0;
}

/* Run on the CPUs of --cpu-affinity alone, and on each of them. Returns 0 or -EINVAL. */
static int affinity_set(const struct config *config)
{
	cpu_set_t wanted, got;
	unsigned int i;

	if (config->cpu_count == 0)
		return 0;
	CPU_ZERO(&wanted);
	for (i = 0; i < config->cpu_count; i++)
		CPU_SET(config->cpus[i], &wanted);
	if (sched_setaffinity(0, sizeof(wanted), &wanted) < 0) {
		fprintf(stderr, "chronotickd: --cpu-affinity: none of these CPUs can be used: %s\n",
			strerror(errno));
		return -EINVAL;
	}
	sched_getaffinity(0, sizeof(got), &got);
	for (i = 0; i < config->cpu_count; i++) {
		if (CPU_ISSET(config->cpus[i], &got))
			continue;
		fprintf(stderr,
			"chronotickd: --cpu-affinity: CPU %d is not online, or not "
			"allowed to this process\n",
			config->cpus[i]);
		return -EINVAL;
	}
	return 0;
}

static int run(struct config *config, struct reload_origin *origin)
{
	struct start start = {.pipe = -1};
	struct daemon *daemon;
	int r;

	if (!origin->options->foreground) {
		r = start_detach(&start);
		if (r < 0) {
			log_error("cannot go to the background: %s", strerror(-r));
			return EXIT_FAILED;
		}
	}
	r = daemon_new(&daemon, config, origin);
	if (r < 0)
		return EXIT_FAILED;
	/* With all of the daemon's memory there, and none of its helper threads inheriting it */
	if (realtime_start(&config->realtime) < 0) {
		daemon_free(daemon);
		return EXIT_FAILED;
	}
	start_ready(&start);
	r = daemon_run(daemon, &stop_signal, &hangup_signal);
	if (stop_signal)
		log_info("ending, as asked by %s", strsignal(stop_signal));
	daemon_free(daemon);
	return r < 0 ? EXIT_FAILED : EXIT_ENDED;
}

int main(int argc, char **argv)
{
	struct reload_origin origin;
	struct options options;
	struct config config;
	int r;

	if (start_descriptors() < 0)
		return EXIT_FAILED;
	if (options_parse(&options, argc, argv, stderr) < 0)
		return EXIT_USAGE;
	if (options.help) {
		options_usage(stdout);
		return EXIT_ENDED;
	}
	if (options.version) {
		puts("chronotickd " CHRONOTICK_VERSION);
		return EXIT_ENDED;
	}
	r = reload_origin_set(&origin, &options);
	if (r == 0)
		r = configuration_load(&config, &origin);
	else
		fprintf(stderr, "chronotickd: --config: %s\n", strerror(-r));
	if (r < 0) {
		reload_origin_clear(&origin);
		return r == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
	}
	if (options.check_config) {
		config_clear(&config);
		reload_origin_clear(&origin);
		return EXIT_ENDED;
	}
	log_open();
	log_level_set(config.log_priority);
	signals_set();
	sched_getaffinity(0, sizeof(config.trust.allowed), &config.trust.allowed);
	r = affinity_set(&config) < 0 ? EXIT_USAGE : run(&config, &origin);
	config_clear(&config);
	reload_origin_clear(&origin);
	return r;
}
