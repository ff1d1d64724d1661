/* SPDX-License-Identifier: MIT */
/*
 * The stores into a mapped page, in their order. The only code that writes lines and records;
 * Documentation/page.md tells why each barrier stands where it does.
 */
#ifndef PUBLISH_PAGE_H
#define PUBLISH_PAGE_H

#include <stdint.h>

#include "chronotick_page.h"

/*
 * A clock line turns odd, is filled (as often as need be), turns even. Between the last store of
 * anything before and the odd sequence stands a release fence, so that a line turns odd only
 * while its shadow is whole. All words but the sequence are taken from *next.
 */
void page_line_begin(struct chronotick_clock *line);
void page_line_fill(struct chronotick_clock *line, const struct chronotick_clock *next);
void page_line_end(struct chronotick_clock *line);

/* The three in one. */
void page_line_write(struct chronotick_clock *line, const struct chronotick_clock *next);

/* The words of a line, for its only writer. */
void page_line_read(struct chronotick_clock *ret, const struct chronotick_clock *line);

/*
 * The generation that the next line begins, and the counter value at which it does: to be stored
 * before that line turns even.
 */
void page_generation_write(struct chronotick_page *page, uint32_t generation, uint64_t start);

/*
 * Tell readers that wait that something has changed: counted in the header, after all that was
 * stored before, and a wake-up of the word. A system call, so never for a plain publication.
 */
void page_change_tell(struct chronotick_page *page);

/*
 * The record, in the page's record order, then its shadow, in the document's; *next's sequence
 * number is not used.
 */
void page_record_write(struct chronotick_page *page, const struct chronotick_record *next);

enum page_repair {
	PAGE_WHOLE,    /* there was nothing to repair */
	PAGE_REPAIRED, /* one line or record was left half written, or was older than the other */
	PAGE_LOST,     /* no line was whole: span 0, and a new generation */
};

/*
 * Take over from a writer that ended anywhere: both lines become equal and whole, both records
 * too. Sequences go on from where they are. Safe to be killed in, and to be repeated.
 */
enum page_repair page_repair(struct chronotick_page *page);

/*
 * The record at offset 0 in another order from here on (enum chronotick_record_order). The page must
 * be whole: readers take the shadow meanwhile.
 */
void page_record_order_set(struct chronotick_page *page, uint32_t order);

/*
 * Nobody writes this page from here on, and nobody shall trust it: span 0 and status WRITER_GONE in
 * both lines, no flags, no confidence. Readers get -ESTALE. Those that
 * wait are told.
 */
void page_invalidate(struct chronotick_page *page);

/* Both lines at once: [0], then [1]. */
void page_clock_write(struct chronotick_page *page, const struct chronotick_clock *next);

#endif /* PUBLISH_PAGE_H */
