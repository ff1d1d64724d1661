/* SPDX-License-Identifier: MIT */
/*
 * Criterion's macros, as far as the unit tests use them, for machines where Criterion can't run: it
 * starts each test by executing its own program anew, and the kernel can't execute the program of
 * another architecture without being told of an emulator first. Here each test is a forked child.
 *
 * Written for <criterion/criterion.h>'s documented behaviour: cr_assert* end the test, cr_expect*
 * let it go on and fail at its end; the last arguments are a format and its values, or nothing.
 * Results are TAP on standard output; what a test prints goes to standard error.
 */
#ifndef SUPPORT_CRITERION_H
#define SUPPORT_CRITERION_H

/* Those that Criterion's own header brings along */
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct forked_test {
	const char *suite, *name;
	void (*run)(void); /* NULL: options for the suite */
	/* What a test may set; a suite, the first two and disabled, around its tests' own */
	void (*init)(void), (*fini)(void);
	int signal, exit_code; /* how it has to end */
	bool disabled;
	const char *description;
	double timeout; /* left to meson's */
};

/* Note a failed check, and go on or end the test. */
void forked_expect(const char *file, int line, const char *text, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void forked_assert(const char *file, int line, const char *text, const char *format, ...)
	__attribute__((noreturn, format(printf, 4, 5)));
/* End the test, counted as skipped. */
void forked_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The linker collects the tests, in whatever order the compiler leaves them. */
#define FORKED_NAME(suite_, name_, part) forked_##suite_##_##name_##_##part
#define Test(suite_, name_, ...)                                                                   \
	static void FORKED_NAME(suite_, name_, body)(void);                                        \
	static const struct forked_test FORKED_NAME(suite_, name_, test) = {                       \
		.suite = #suite_,                                                                  \
		.name = #name_,                                                                    \
		.run = FORKED_NAME(suite_, name_, body),                                           \
		__VA_ARGS__};                                                                      \
	static const struct forked_test *const FORKED_NAME(suite_, name_, entry)                   \
		__attribute__((used, section("forked_tests"))) =                                   \
			&FORKED_NAME(suite_, name_, test);                                         \
	static void FORKED_NAME(suite_, name_, body)(void)

#define TestSuite(suite_, ...)                                                                     \
	static const struct forked_test FORKED_NAME(suite_, suite, test) = {.suite = #suite_,      \
									    __VA_ARGS__};          \
	static const struct forked_test *const FORKED_NAME(suite_, suite, entry)                   \
		__attribute__((used, section("forked_tests"))) = &FORKED_NAME(suite_, suite, test)

#define FORKED_CHECK(failed, good, text, ...)                                                      \
	((good) ? (void)0 : failed(__FILE__, __LINE__, text, " " __VA_ARGS__))
#define FORKED_FLOAT(a, b, epsilon) (fabs((double)((a) - (b))) <= (double)(epsilon))

#define cr_assert(a, ...) FORKED_CHECK(forked_assert, (bool)(a), #a, __VA_ARGS__)
#define cr_assert_not(a, ...) FORKED_CHECK(forked_assert, !(a), "not " #a, __VA_ARGS__)
#define cr_assert_fail(...) FORKED_CHECK(forked_assert, false, "reached", __VA_ARGS__)
#define cr_assert_null(a, ...) FORKED_CHECK(forked_assert, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a, ...)                                                                 \
	FORKED_CHECK(forked_assert, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_assert_eq(a, b, ...) FORKED_CHECK(forked_assert, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) FORKED_CHECK(forked_assert, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) FORKED_CHECK(forked_assert, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) FORKED_CHECK(forked_assert, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) FORKED_CHECK(forked_assert, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) FORKED_CHECK(forked_assert, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_float_eq(a, b, epsilon, ...)                                                     \
	FORKED_CHECK(forked_assert, FORKED_FLOAT(a, b, epsilon), #a " == " #b " +- " #epsilon,     \
		     __VA_ARGS__)
#define cr_assert_float_neq(a, b, epsilon, ...)                                                    \
	FORKED_CHECK(forked_assert, !FORKED_FLOAT(a, b, epsilon), #a " != " #b " +- " #epsilon,    \
		     __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)                                                                \
	FORKED_CHECK(forked_assert, strcmp((a), (b)) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)                                                               \
	FORKED_CHECK(forked_assert, strcmp((a), (b)) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_str_empty(a, ...) FORKED_CHECK(forked_assert, !*(a), #a " is empty", __VA_ARGS__)
#define cr_assert_str_not_empty(a, ...)                                                            \
	FORKED_CHECK(forked_assert, *(a), #a " is not empty", __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...)                                                          \
	FORKED_CHECK(forked_assert, memcmp((a), (b), (size)) == 0, #a " holds " #b, __VA_ARGS__)
#define cr_assert_arr_neq(a, b, size, ...)                                                         \
	FORKED_CHECK(forked_assert, memcmp((a), (b), (size)) != 0, #a " does not hold " #b,        \
		     __VA_ARGS__)

#define cr_expect(a, ...) FORKED_CHECK(forked_expect, (bool)(a), #a, __VA_ARGS__)
#define cr_expect_not(a, ...) FORKED_CHECK(forked_expect, !(a), "not " #a, __VA_ARGS__)
#define cr_expect_fail(...) FORKED_CHECK(forked_expect, false, "reached", __VA_ARGS__)
#define cr_expect_null(a, ...) FORKED_CHECK(forked_expect, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_expect_not_null(a, ...)                                                                 \
	FORKED_CHECK(forked_expect, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_expect_eq(a, b, ...) FORKED_CHECK(forked_expect, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) FORKED_CHECK(forked_expect, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...) FORKED_CHECK(forked_expect, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) FORKED_CHECK(forked_expect, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...) FORKED_CHECK(forked_expect, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) FORKED_CHECK(forked_expect, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_expect_float_eq(a, b, epsilon, ...)                                                     \
	FORKED_CHECK(forked_expect, FORKED_FLOAT(a, b, epsilon), #a " == " #b " +- " #epsilon,     \
		     __VA_ARGS__)
#define cr_expect_float_neq(a, b, epsilon, ...)                                                    \
	FORKED_CHECK(forked_expect, !FORKED_FLOAT(a, b, epsilon), #a " != " #b " +- " #epsilon,    \
		     __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)                                                                \
	FORKED_CHECK(forked_expect, strcmp((a), (b)) == 0, #a " is " #b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)                                                               \
	FORKED_CHECK(forked_expect, strcmp((a), (b)) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_expect_str_empty(a, ...) FORKED_CHECK(forked_expect, !*(a), #a " is empty", __VA_ARGS__)
#define cr_expect_str_not_empty(a, ...)                                                            \
	FORKED_CHECK(forked_expect, *(a), #a " is not empty", __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...)                                                          \
	FORKED_CHECK(forked_expect, memcmp((a), (b), (size)) == 0, #a " holds " #b, __VA_ARGS__)
#define cr_expect_arr_neq(a, b, size, ...)                                                         \
	FORKED_CHECK(forked_expect, memcmp((a), (b), (size)) != 0, #a " does not hold " #b,        \
		     __VA_ARGS__)

#define cr_skip_test(...) forked_skip(" " __VA_ARGS__)
#define cr_skip(...) forked_skip(" " __VA_ARGS__)

#endif /* SUPPORT_CRITERION_H */
