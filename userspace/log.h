/* SPDX-License-Identifier: MIT */
/* Logs to stderr: "<priority>text" as journald reads it, plain "LEVEL: text" on a terminal. */
#ifndef USERSPACE_LOG_H
#define USERSPACE_LOG_H

#include <syslog.h>

/* What is logged: LOG_ERR, LOG_WARNING, LOG_INFO (default) or LOG_DEBUG and above. */
void log_level_set(int priority);

/* One line; no newline at the end of `format`. */
void log_write(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif /* USERSPACE_LOG_H */
