/* SPDX-License-Identifier: MIT */
/* A page whose every word the test sets, and a handle on it, for Criterion tests of the library. */
#ifndef SUPPORT_FIXTURE_H
#define SUPPORT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define CHRONOTICK_HEADER_ONLY
#include <chronotick/chronotick.h>

#define SECOND 1000000000LL
/* Nanoseconds per count of these pages' counter: the TSC's rate does not matter to the arithmetic
 */
#define RATE ((uint64_t)(0.5 * (double)(1ULL << CHRONOTICK_MULT_SHIFT)))

struct fixture {
	char path[64];
	struct chronotick_page *page; /* the writer's mapping */
	struct chronotick *ct;
};

static inline uint32_t native_kind(void)
{
#if defined(__x86_64__)
	return CHRONOTICK_COUNTER_TSC;
#elif defined(__aarch64__)
	return CHRONOTICK_COUNTER_CNTVCT;
#else
	return CHRONOTICK_COUNTER_MONOTONIC_RAW;
#endif
}

static inline void page_make(struct fixture *f, uint32_t kind)
{
	int fd;

	snprintf(f->path, sizeof(f->path), "/tmp/chronotick-read-XXXXXX");
	fd = mkstemp(f->path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, CHRONOTICK_PAGE_SIZE), 0);
	f->page = mmap(NULL, CHRONOTICK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq(f->page, MAP_FAILED);
	close(fd);
	f->page->header.magic = CHRONOTICK_MAGIC;
	f->page->header.abi_version = CHRONOTICK_ABI_VERSION;
	f->page->header.page_size = CHRONOTICK_PAGE_SIZE;
	f->page->header.counter_kind = kind;
	f->page->header.counter_hz = 2 * SECOND;
	cr_assert_eq(chronotick_boot_id(f->page->header.boot_id), 0);
}

static inline void line_make(struct chronotick_clock *line, uint64_t anchor)
{
	line->seq = 2;
	line->bound_ns = 1000;
	line->state = CHRONOTICK_STATE(7, CHRONOTICK_SYNCHRONIZED, 37);
	line->anchor = anchor;
	line->span = 10ULL * 2 * SECOND;
	line->mult = RATE;
	line->growth = RATE / 1000000; /* 1 ppm */
	line->utc_ns = 1700000000 * SECOND;
	line->utc_frac = 0;
}

static inline void open_page(struct fixture *f)
{
	cr_assert_eq(chronotick_open(&f->ct, f->path), 0);
}

static inline void page_drop(struct fixture *f)
{
	chronotick_close(f->ct);
	munmap(f->page, CHRONOTICK_PAGE_SIZE);
	unlink(f->path);
}

#endif /* SUPPORT_FIXTURE_H */
