/* SPDX-License-Identifier: MIT */
/*
 * Logs to stderr: "<priority>text" as journald reads it, plain "LEVEL: text" on a terminal. A line
 * that stderr does not take at once is dropped and counted: the log never holds up the clock.
 */
#ifndef USERSPACE_LOG_H
#define USERSPACE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

#define LOG_LINE_MAX 1024 /* bytes of a line, the newline included; the rest is cut off */

/* How lines look, and where they go */
enum log_style {
	LOG_STYLE_TERMINAL, /* "LEVEL: text" */
	LOG_STYLE_JOURNAL,  /* "<priority>text" */
	LOG_STYLE_SYSLOG,   /* a datagram for /dev/log, without a newline */
};

/* What is logged: LOG_ERR, LOG_WARNING, LOG_INFO (default) or LOG_DEBUG and above. */
void log_level_set(int priority);

/*
 * Take stderr as it is now: its kind decides the style. Until this is called lines are written to
 * it in the terminal's style.
 */
void log_open(void);

/*
 * The daemon goes to the background: from now on to the system's log, unless stderr is a file.
 * Returns whether stderr is needed no more.
 */
bool log_detach(void);

/* One line; no newline at the end of `format`. errno is kept. */
void log_write(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * What log_write() writes: a line of at most LOG_LINE_MAX bytes, in which nothing of the text is a
 * control character. Returns its length.
 */
size_t log_line(char ret[LOG_LINE_MAX], enum log_style style, int priority, const char *format,
		va_list args) __attribute__((format(printf, 4, 0)));

/*
 * Copy text of strangers so that it may be shown: control characters and what is not UTF-8 become
 * \xNN. Cut off, with "..." at its end, where it does not fit; `size` is at least 8. Returns the
 * length without the terminator.
 */
size_t log_escape(char *ret, size_t size, const char *text, size_t length);

#define log_error(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif /* USERSPACE_LOG_H */
