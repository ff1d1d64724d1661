/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A process has one stderr, and so one log. */
static struct {
	int priority;
	enum log_style style;
	int fd;
	bool is_socket;
	unsigned long dropped;
} log_state = {LOG_INFO, LOG_STYLE_TERMINAL, STDERR_FILENO, false, 0};

void log_level_set(int priority)
{
	log_state.priority = priority;
}

void log_open(void)
{
	struct stat status;
	int fd;

	log_state.fd = STDERR_FILENO;
	log_state.is_socket = false;
	log_state.style = isatty(STDERR_FILENO) ? LOG_STYLE_TERMINAL : LOG_STYLE_JOURNAL;
	if (fstat(STDERR_FILENO, &status) < 0)
		return;
	log_state.is_socket = S_ISSOCK(status.st_mode);
	if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
		return;
	/*
	 * A description of our own: O_NONBLOCK on the one that we got would reach whoever shares
	 * it, such as the shell.
	 */
	fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		log_state.fd = fd;
}

bool log_detach(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	struct stat status;
	int fd;

	if (fstat(STDERR_FILENO, &status) == 0 && S_ISREG(status.st_mode))
		return false;
	if (log_state.fd != STDERR_FILENO)
		close(log_state.fd);
	log_state.fd = -1;
	log_state.style = LOG_STYLE_SYSLOG;
	log_state.is_socket = true;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return true;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		close(fd);
	else
		log_state.fd = fd;
	return true;
}

/*
 * Length of the UTF-8 character at text (RFC 3629 section 4), or 0 if there is none, or if it is a
 * control character.
 */
static size_t character_length(const unsigned char *text, size_t left)
{
	static const struct {
		unsigned char first, last, second_min, second_max;
		size_t length;
	} forms[] = {
		{0x20, 0x7e, 0, 0, 1},       {0xc2, 0xc2, 0xa0, 0xbf, 2}, /* C1 controls left out */
		{0xc3, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	size_t i, j;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (text[0] >= forms[i].first && text[0] <= forms[i].last)
			break;
	if (i == sizeof(forms) / sizeof(forms[0]) || forms[i].length > left)
		return 0;
	if (forms[i].length > 1 && (text[1] < forms[i].second_min || text[1] > forms[i].second_max))
		return 0;
	for (j = 2; j < forms[i].length; j++)
		if ((text[j] & 0xc0) != 0x80)
			return 0;
	return forms[i].length;
}

size_t log_escape(char *ret, size_t size, const char *text, size_t length)
{
	size_t used = 0, fits = 0, from = 0; /* fits: up to where "..." still has room */

	while (from < length) {
		const unsigned char *at = (const unsigned char *)text + from;
		size_t taken = character_length(at, length - from);
		size_t given = taken ? taken : 4;

		if (used + given + 1 > size) {
			memcpy(ret + fits, "...", 4);
			return fits + 3;
		}
		if (taken) {
			memcpy(ret + used, at, taken);
		} else {
			static const char digits[] = "0123456789abcdef";

			ret[used] = '\\';
			ret[used + 1] = 'x';
			ret[used + 2] = digits[*at >> 4];
			ret[used + 3] = digits[*at & 15];
			taken = 1;
		}
		used += given;
		from += taken;
		if (used + 4 <= size)
			fits = used;
	}
	ret[used] = '\0';
	return used;
}

static const char *priority_name(int priority)
{
	return priority <= LOG_ERR       ? "ERROR"
	       : priority == LOG_WARNING ? "WARNING"
	       : priority <= LOG_INFO    ? "INFO"
					 : "DEBUG";
}

size_t log_line(char ret[LOG_LINE_MAX], enum log_style style, int priority, const char *format,
		va_list args)
{
	char text[LOG_LINE_MAX];
	size_t used = 0;
	int length;

	switch (style) {
	case LOG_STYLE_TERMINAL:
		used = (size_t)snprintf(ret, LOG_LINE_MAX, "%s: ", priority_name(priority));
		break;
	case LOG_STYLE_JOURNAL:
		used = (size_t)snprintf(ret, LOG_LINE_MAX, "<%d>", LOG_PRI(priority));
		break;
	case LOG_STYLE_SYSLOG:
		used = (size_t)snprintf(ret, LOG_LINE_MAX,
					"<%d>chronotickd[%d]: ", LOG_DAEMON | LOG_PRI(priority),
					(int)getpid());
		break;
	}
	length = vsnprintf(text, sizeof(text), format, args);
	if (length < 0)
		length = 0;
	if ((size_t)length >= sizeof(text))
		length = sizeof(text) - 1;
	used += log_escape(ret + used, LOG_LINE_MAX - used - 1, text, (size_t)length);
	if (style != LOG_STYLE_SYSLOG)
		ret[used++] = '\n';
	return used;
}

__attribute__((format(printf, 3, 4))) static size_t line_of(char ret[LOG_LINE_MAX], int priority,
							    const char *format, ...)
{
	va_list args;
	size_t length;

	va_start(args, format);
	length = log_line(ret, log_state.style, priority, format, args);
	va_end(args);
	return length;
}

/* One line, whole or not at all. */
static bool put(const char *line, size_t length)
{
	ssize_t written;

	if (log_state.is_socket)
		written = send(log_state.fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		written = write(log_state.fd, line, length);
	return written == (ssize_t)length;
}

void log_write(int priority, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	int error = errno;
	size_t length;
	va_list args;

	if (priority > log_state.priority)
		return;
	if (log_state.dropped > 0) {
		length = line_of(line, LOG_WARNING, "%lu log lines dropped: nobody took them",
				 log_state.dropped);
		if (put(line, length))
			log_state.dropped = 0;
	}
	va_start(args, format);
	length = log_line(line, log_state.style, priority, format, args);
	va_end(args);
	if (!put(line, length))
		log_state.dropped++;
	errno = error;
}
