/* SPDX-License-Identifier: MIT */
#include "criterion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* How a child ends that has failed, or skips itself: codes that no test ends with */
enum { FAILED = 98, SKIPPED = 99 };
enum { REASON_SIZE = 256 };

/* Made by the linker around the section of that name */
extern const struct forked_test *const __start_forked_tests[], *const __stop_forked_tests[];

/* The child's: where a fatal check and a skip return to, and how it stands */
static jmp_buf out;
static int standing;
static int reason_fd;

static void failure(const char *file, int line, const char *text, const char *format,
		    va_list values)
{
	fprintf(stderr, "%s:%d: failed: %s:", file, line, text);
	vfprintf(stderr, format, values);
	fputc('\n', stderr);
	standing = FAILED;
}

void forked_expect(const char *file, int line, const char *text, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	failure(file, line, text, format, values);
	va_end(values);
}

void forked_assert(const char *file, int line, const char *text, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	failure(file, line, text, format, values);
	va_end(values);
	longjmp(out, 1);
}

void forked_skip(const char *format, ...)
{
	char reason[REASON_SIZE];
	va_list values;
	int length;

	va_start(values, format);
	length = vsnprintf(reason, sizeof(reason), format, values);
	va_end(values);
	if (length >= REASON_SIZE)
		length = REASON_SIZE - 1;
	if (standing != FAILED && write(reason_fd, reason, (size_t)length) == length)
		standing = SKIPPED;
	longjmp(out, 1);
}

static const struct forked_test *suite_of(const struct forked_test *test)
{
	const struct forked_test *const *suite;

	for (suite = __start_forked_tests; suite < __stop_forked_tests; suite++)
		if (!(*suite)->run && strcmp((*suite)->suite, test->suite) == 0)
			return *suite;
	return NULL;
}

static void child(const struct forked_test *test, const struct forked_test *suite)
{
	dup2(STDERR_FILENO, STDOUT_FILENO);
	if (setjmp(out) == 0) {
		if (suite && suite->init)
			suite->init();
		if (test->init)
			test->init();
		test->run();
	}
	if (setjmp(out) == 0 && test->fini)
		test->fini();
	if (setjmp(out) == 0 && suite && suite->fini)
		suite->fini();
	exit(standing);
}

/* One line of TAP. Returns whether the test passed or was skipped. */
static bool run(const struct forked_test *test, unsigned int number)
{
	const struct forked_test *suite = suite_of(test);
	char reason[REASON_SIZE] = "";
	bool good = false, skipped;
	int status = -1, pipes[2];
	pid_t pid;

	if (test->disabled || (suite && suite->disabled)) {
		printf("ok %u - %s::%s # SKIP disabled\n", number, test->suite, test->name);
		return true;
	}
	fflush(NULL);
	if (pipe(pipes) < 0) {
		perror("pipe");
		exit(1);
	}
	reason_fd = pipes[1];
	pid = fork();
	if (pid == 0) {
		close(pipes[0]);
		child(test, suite);
	}
	close(pipes[1]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid)
		good = test->signal ? WIFSIGNALED(status) && WTERMSIG(status) == test->signal
				    : WIFEXITED(status) && WEXITSTATUS(status) == test->exit_code;
	skipped = WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED;
	if (skipped && read(pipes[0], reason, sizeof(reason) - 1) < 0)
		skipped = false;
	close(pipes[0]);
	printf("%sok %u - %s::%s%s%s\n", good || skipped ? "" : "not ", number, test->suite,
	       test->name, skipped ? " # SKIP" : "", reason);
	if (!good && !skipped)
		fprintf(stderr, "%s::%s: wait status 0x%x\n", test->suite, test->name,
			(unsigned int)status);
	return good || skipped;
}

int main(void)
{
	const struct forked_test *const *test;
	unsigned int number = 0;
	bool good = true;

	puts("TAP version 13");
	for (test = __start_forked_tests; test < __stop_forked_tests; test++)
		if ((*test)->run)
			good &= run(*test, ++number);
	printf("1..%u\n", number);
	return good ? 0 : 1;
}
