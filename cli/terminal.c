/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* The alternate screen, no cursor; and back: attributes, cursor, the first screen */
static const char enter_sequence[] = "\033[?1049h\033[?25l\033[2J";
static const char leave_sequence[] = "\033[0m\033[?25h\033[?1049l";

/* Signals that are waited for, and those that end the program on the spot */
static const int waited[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP, SIGCONT};
static const int fatal[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGABRT, SIGQUIT};

/* A handler of signals has no other place to find it in. */
static struct {
	struct termios before; /* standard input's */
	bool has_input;        /* standard input is the terminal too */
	sigset_t mask;         /* as it was */
	int signals;           /* signalfd */
} terminal;

/* A terminal that takes nothing for so long, by a descriptor that does not wait, is given up. */
#define STUCK_MS 10000

/* Whoever shares the terminal may have set its descriptor not to wait. */
static int write_all(const char *bytes, size_t count)
{
	struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};

	while (count > 0) {
		ssize_t written = write(STDOUT_FILENO, bytes, count);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN && poll(&room, 1, STUCK_MS) > 0)
			continue;
		if (written <= 0)
			return written < 0 ? -errno : -EIO;
		bytes += written;
		count -= (size_t)written;
	}
	return 0;
}

/* Only calls that a handler may make */
static void restore(void)
{
	write_all(leave_sequence, sizeof(leave_sequence) - 1);
	if (terminal.has_input)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal.before);
}

static void die(int number)
{
	restore();
	raise(number); /* with the default action, when this handler returns */
}

static int take(void)
{
	struct termios raw = terminal.before;
	int r;

	if (terminal.has_input) {
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
			return -errno;
	}
	r = write_all(enter_sequence, sizeof(enter_sequence) - 1);
	if (r < 0)
		restore();
	return r;
}

int terminal_enter(void)
{
	struct sigaction action = {.sa_handler = die, .sa_flags = (int)SA_RESETHAND};
	sigset_t signals;
	size_t i;
	int r;

	sigemptyset(&signals);
	for (i = 0; i < sizeof(waited) / sizeof(waited[0]); i++)
		sigaddset(&signals, waited[i]);
	sigprocmask(SIG_BLOCK, &signals, &terminal.mask);
	terminal.signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (terminal.signals < 0) {
		r = -errno;
		goto unblock;
	}
	terminal.has_input = tcgetattr(STDIN_FILENO, &terminal.before) == 0;
	for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &action, NULL);
	r = take();
	if (r < 0)
		goto close;
	return 0;

close:
	close(terminal.signals);
unblock:
	sigprocmask(SIG_SETMASK, &terminal.mask, NULL);
	return r;
}

void terminal_leave(void)
{
	size_t i;

	restore();
	for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		signal(fatal[i], SIG_DFL);
	close(terminal.signals);
	/* What has come is what ended it: it does not end the program a second time. */
	for (i = 0; i < sizeof(waited) / sizeof(waited[0]); i++)
		signal(waited[i], SIG_IGN);
	sigprocmask(SIG_SETMASK, &terminal.mask, NULL);
	for (i = 0; i < sizeof(waited) / sizeof(waited[0]); i++)
		signal(waited[i], SIG_DFL);
}

void terminal_size(unsigned int *width, unsigned int *height)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		memset(&size, 0, sizeof(size));
	*width = size.ws_col ? size.ws_col : 80;
	*height = size.ws_row ? size.ws_row : 24;
}

int terminal_draw(const char *text, size_t length)
{
	const char *end = text + length;
	unsigned int row = 1;
	char place[32];
	int r;

	/*
	 * Each row is cleared before it is written: a full one's last column would go otherwise. The
	 * last row takes along what is below it: a place below a full screen is its last row again.
	 */
	while (text <= end) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		size_t count = (size_t)((next ? next : end) - text);

		snprintf(place, sizeof(place), "\033[%u;1H\033[%c", row++, next ? 'K' : 'J');
		r = write_all(place, strlen(place));
		if (r == 0)
			r = write_all(text, count);
		if (r < 0)
			return r;
		text += count + 1;
	}
	return 0;
}

/* A stop, as asked by the terminal: it is given back first, and taken again afterwards. */
static enum terminal_event stop(void)
{
	restore();
	raise(SIGSTOP);
	return take() < 0 ? TERMINAL_QUIT : TERMINAL_DRAW;
}

static enum terminal_event signals_read(void)
{
	enum terminal_event event = TERMINAL_TIME;
	struct signalfd_siginfo info;

	while (read(terminal.signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			event = TERMINAL_DRAW;
		else if (info.ssi_signo ==
			 SIGCONT) /* whoever stopped it: the terminal may be another */
			event = take() < 0 ? TERMINAL_QUIT : TERMINAL_DRAW;
		else if (info.ssi_signo == SIGTSTP)
			event = stop();
		else
			event = TERMINAL_QUIT;
		if (event == TERMINAL_QUIT)
			break;
	}
	return event;
}

/* Is 'q' among the keys? End of the input is no reason to end: it may be /dev/null. */
static bool keys_read(bool *open)
{
	char keys[64];
	ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));

	*open = count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
	return count > 0 && (memchr(keys, 'q', (size_t)count) || memchr(keys, 'Q', (size_t)count));
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

enum terminal_event terminal_wait(int64_t until_ns)
{
	struct pollfd fds[] = {
		{.fd = terminal.signals, .events = POLLIN},
		{.fd = terminal.has_input ? STDIN_FILENO : -1, .events = POLLIN},
	};
	enum terminal_event event;
	struct timespec left;
	int64_t left_ns;
	bool open;

	for (;;) {
		left_ns = until_ns - now_ns();
		left_ns = left_ns > 0 ? left_ns : 0;
		left.tv_sec = left_ns / 1000000000;
		left.tv_nsec = left_ns % 1000000000;
		if (ppoll(fds, 2, &left, NULL) <= 0) {
			if (left_ns == 0 || until_ns <= now_ns())
				return TERMINAL_TIME;
			continue;
		}
		if (fds[0].revents) {
			event = signals_read();
			if (event != TERMINAL_TIME)
				return event;
		}
		if (fds[1].revents) {
			if (keys_read(&open))
				return TERMINAL_QUIT;
			if (!open)
				fds[1].fd = -1;
		}
	}
}
