/* SPDX-License-Identifier: MIT */
/* Tests that must end in every way there is: tests/unit/forked.sh knows which. */
#include "criterion.h"

static void say(void)
{
	fputs("fini\n", stderr);
}

static void stop(void)
{
	exit(0);
}

/* After each test that neither exits nor crashes: five, and once more for one of them */
TestSuite(selftest, .fini = say);

Test(selftest, passes)
{
	cr_assert(true);
	cr_assert_eq(1, 1, "%d", 1);
	cr_expect_str_eq("a", "a");
	cr_assert_float_eq(0.1 + 0.2, 0.3, 1e-9);
	cr_assert_arr_eq("abc", "abd", 2);
	puts("not ok 99 - what a test prints is no result");
}

Test(selftest, asserts, .fini = say)
{
	cr_assert_lt(2, 1, "%s", "two is more");
	abort();
}

Test(selftest, expects)
{
	cr_expect_str_neq("a", "a");
	cr_assert_not_null("a");
}

Test(selftest, fails_and_skips)
{
	cr_expect(false);
	cr_skip_test("too late");
}

Test(selftest, skips)
{
	cr_skip_test("no %s here", "luck");
}

Test(selftest, crashes)
{
	raise(SIGSEGV);
}

Test(selftest, crashes_as_it_must, .signal = SIGABRT)
{
	abort();
}

Test(selftest, exits_with_another_code)
{
	exit(3);
}

Test(selftest, begins_with_init, .init = stop)
{
	cr_assert_fail("not reached");
}

Test(selftest, is_disabled, .disabled = true)
{
	cr_assert_fail("not reached");
}
