// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page, and every store into it.
 *
 * One raw spinlock, taken with interrupts off, covers them all. It is a leaf: events take it under
 * the timekeeper's lock, so nothing here reads the time, wakes, traces or allocates; only the
 * counter is read. The order of stores and their barriers are those of Documentation/page.md.
 */
#include "chronotick.h"

#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

static DEFINE_RAW_SPINLOCK(lock);
static struct chronotick_page *page;
static struct chronotick_clock current_line; /* what both lines hold; seq is not used */
static const struct file *writer;
static fl_owner_t writer_owner;
static struct chronotick_claim claim; /* of the present writer; size 0: none yet */

/* A word at a time: readers look on. */
#define store(where, value) WRITE_ONCE(*(where), (value))

static void words_store(void *to, const void *from, size_t size)
{
	size_t i;

	for (i = 0; i < size / sizeof(u64); i++)
		store((u64 *)to + i, ((const u64 *)from)[i]);
}

static void add(u32 *where, u32 value)
{
	store(where, *where + value);
}

/* Odd: after all that was stored before, before all that follows. */
static void sequence_begin(u32 *seq)
{
	smp_wmb(); /* the other line or record is whole */
	store(seq, *seq | 1);
	smp_wmb(); /* before the data */
}

/* Even: after the data. Readers take a record's number 0 for "never written": it is passed over. */
static void sequence_end(u32 *seq)
{
	smp_store_release(seq, *seq + 1 ?: 2); /* pairs with readers' first load */
}

/* All but seq, with which the first word is shared */
static void line_store(struct chronotick_clock *to, const struct chronotick_clock *from)
{
	store(&to->bound_ns, from->bound_ns);
	words_store((u64 *)to + 1, (const u64 *)from + 1, sizeof(*to) - sizeof(u64));
}

static void line_write(struct chronotick_clock *to, const struct chronotick_clock *from)
{
	sequence_begin(&to->seq);
	line_store(to, from);
	sequence_end(&to->seq);
}

/* The current line under another status. */
static void status_write(u64 status)
{
	const u64 mask = (u64)CHRONOTICK_STATUS_MASK << 32;

	current_line.state = (current_line.state & ~mask) | status << 32;
	line_write(&page->clock[0], &current_line);
	line_write(&page->clock[1], &current_line);
	add(&page->header.changes, 1);
}

/* No time, in that generation. */
static void time_end(u32 generation)
{
	memset(&current_line, 0, sizeof(current_line));
	current_line.state = CHRONOTICK_STATE(generation, 0, CHRONOTICK_TAI_UNKNOWN);
	status_write(writer ? CHRONOTICK_UNSYNCHRONIZED : CHRONOTICK_WRITER_GONE);
}

/* The sequence number shares its word with the confidence: it is stored again, odd. */
static void record_write(struct chronotick_record *to, struct chronotick_record *from)
{
	sequence_begin(&to->sequence_number);
	from->sequence_number = to->sequence_number;
	words_store(to, from, sizeof(*to));
	sequence_end(&to->sequence_number);
}

static void record_distrust(struct chronotick_record *record)
{
	if (!record->sequence_number)
		return; /* never written */
	sequence_begin(&record->sequence_number);
	store(&record->flags, 0);
	store(&record->confidence, 0);
	sequence_end(&record->sequence_number);
}

static void kernel_state_set(u32 state, bool on)
{
	u32 others = page->header.kernel_state & ~state;

	store(&page->header.kernel_state, on ? others | state : others);
}

void page_event(enum event event, u32 state, bool on)
{
	struct chronotick_header *header = &page->header;
	unsigned long flags;
	u32 next;

	raw_spin_lock_irqsave(&lock, flags);
	add(&header->kernel_events, 1);
	add(&header->kernel_steps, event == EVENT_STEP);
	add(&header->kernel_clocksources, event == EVENT_COUNTER || event == EVENT_FOREIGN);
	kernel_state_set(state, on);
	/* The counter is another one than it was: no line that was published holds any more. */
	if (event & EVENTS_COUNTER) {
		next = header->generation + 1;
		store(&header->generation, next);
		time_end(next);
	}
	/* Records have offsets against a clock or a counter as it was. */
	if (event & (EVENTS_COUNTER | EVENT_STEP)) {
		record_distrust(&page->record);
		record_distrust(&page->record_shadow);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/* Can anybody publish at all? 0 or the error */
static int obstacle(void)
{
	u32 state = page->header.kernel_state;

	if (state & CHRONOTICK_KERNEL_ENDING)
		return -ESHUTDOWN;
	return state & CHRONOTICK_KERNEL_COUNTER ? 0 : -ENXIO;
}

/* May this process publish? 0, -EPERM, or -EBADFD without a claim */
static int writer_check(const struct file *file)
{
	if (writer != file || writer_owner != current->files)
		return -EPERM;
	return claim.size ? 0 : -EBADFD;
}

static void writer_set(struct file *file)
{
	/* As proc(5) has it: clock ticks since boot, of which programs see 100 a second. */
	u64 start = current->group_leader->start_boottime / (NSEC_PER_SEC / USER_HZ);
	u64 status = CHRONOTICK_STATE_STATUS(current_line.state) & CHRONOTICK_STATUS_MASK;

	store(&writer, file);
	writer_owner = current->files;
	claim.size = 0;
	store(&page->header.writer_start, start);
	store(&page->header.writer_pid, task_tgid_nr(current));
	add(&page->header.kernel_writers, 1);
	/* Somebody writes again, though without a reference as yet. */
	if (status == CHRONOTICK_WRITER_GONE)
		status_write(current_line.mult ? CHRONOTICK_HOLDOVER : CHRONOTICK_UNSYNCHRONIZED);
}

int page_claim(struct file *file, const struct chronotick_claim *from)
{
	struct chronotick_header *header = &page->header;
	int r;

	raw_spin_lock_irq(&lock);
	r = obstacle();
	if (r == 0 && writer && writer_check(file) == -EPERM)
		r = -EBUSY;
	if (r == 0 && !writer) {
		writer_set(file);
		r = 1;
	}
	if (r >= 0 && from) {
		claim = *from;
		words_store(header->boot_id, from->boot_id, sizeof(header->boot_id));
		store(&header->counter_hz, from->counter_hz);
		store(&header->frequency_hz, from->frequency_hz);
		store(&header->writer_timeout_ms, from->writer_timeout_ms);
		store(&header->max_bound_ns, from->max_bound_ns);
		/* Last: from here on readers take the page for one that is kept up to date. */
		kernel_state_set(CHRONOTICK_KERNEL_WRITER, true);
	}
	raw_spin_unlock_irq(&lock);
	return r;
}

bool page_release(const struct file *file, fl_owner_t owner)
{
	bool was;

	raw_spin_lock_irq(&lock);
	was = writer == file && (!owner || owner == writer_owner);
	if (was) {
		store(&writer, NULL);
		/* Before the change: who is woken by it looks for a writer. */
		store(&page->header.writer_pid, 0);
		kernel_state_set(CHRONOTICK_KERNEL_WRITER, false);
		status_write(CHRONOTICK_WRITER_GONE);
	}
	raw_spin_unlock_irq(&lock);
	return was;
}

const struct file *page_writer(void)
{
	return READ_ONCE(writer);
}

void page_standbys_add(int count)
{
	raw_spin_lock_irq(&lock);
	add(&page->header.standby_count, count);
	raw_spin_unlock_irq(&lock);
}

/* Is the update made of the counter and the clock as they are? */
static int update_check(const struct chronotick_update *update, u64 now)
{
	const struct chronotick_clock *after = &current_line;
	int r = obstacle();

	if (r < 0)
		return r;
	if (page->header.kernel_state & CHRONOTICK_KERNEL_ASLEEP ||
	    update->events != page->header.kernel_events)
		return -ESTALE;
	if (update->flags & CHRONOTICK_UPDATE_LINE) {
		after = &update->line;
		r = check_line(after, &current_line, &claim, page->header.generation, update->join,
			       now);
		if (r < 0)
			return r;
	}
	if (update->flags & CHRONOTICK_UPDATE_RECORD &&
	    update->record.flags & CHRONOTICK_FLAG_VALID && !line_stands(after, now))
		return -ETIMEDOUT;
	return 0;
}

/*
 * Both lines, [0] first. One that falls must be readable before its join: that is looked at last,
 * when a single store is left to do, as an SMI or a hypervisor may have taken any time.
 */
static int line_publish(const struct chronotick_clock *line, u64 join)
{
	u32 generation = CHRONOTICK_STATE_GENERATION(line->state);
	bool same = generation == page->header.generation && current_line.mult;
	bool late;

	sequence_begin(&page->clock[0].seq);
	line_store(&page->clock[0], line);
	late = same && line->mult < current_line.mult && line->span &&
	       (s64)(join - counter_read()) <= 0;
	if (late) {
		line_store(&page->clock[0], &current_line);
	} else if (!same) {
		store(&page->header.generation, generation);
		store(&page->header.generation_start,
		      line->mult ? line->anchor : page->header.generation_start);
	}
	sequence_end(&page->clock[0].seq);
	if (late)
		return -ETIMEDOUT;
	line_write(&page->clock[1], line);
	current_line = *line;
	return 0;
}

/* What there is of line and record. */
static int update_store(struct chronotick_update *update, struct publication *ret)
{
	u64 now = counter_read(), state = current_line.state;
	bool stood = line_stands(&current_line, now);
	int r = update_check(update, now);

	now = counter_read();
	if (r == 0 && update->flags & CHRONOTICK_UPDATE_LINE)
		r = line_publish(&update->line, update->join);
	if (r < 0)
		return r;
	ret->window = counter_read() - now;
	if (update->flags & CHRONOTICK_UPDATE_RECORD) {
		record_write(&page->record, &update->record);
		record_write(&page->record_shadow, &update->record);
	}
	ret->changed = current_line.state != state || line_stands(&current_line, now) != stood;
	add(&page->header.changes, ret->changed);
	return 0;
}

int page_publish(const struct file *file, struct chronotick_update *update, struct publication *ret)
{
	int r;

	raw_spin_lock_irq(&lock);
	r = writer_check(file);
	if (r == 0 && update->flags)
		r = update_store(update, ret);
	if (r == 0) {
		update->published = counter_read();
		store(&page->header.heartbeat, update->published);
		ret->line = current_line;
		ret->line.seq = page->clock[0].seq;
	}
	raw_spin_unlock_irq(&lock);
	return r;
}

int page_figures(const struct file *file, const struct chronotick_figures *figures)
{
	int r;

	raw_spin_lock_irq(&lock);
	r = writer_check(file);
	if (r == 0) {
		words_store(page->source, figures->source,
			    figures->statistics.source_count * sizeof(figures->source[0]));
		words_store(&page->statistics, &figures->statistics, sizeof(page->statistics));
		store(&page->header.heartbeat, counter_read());
	}
	raw_spin_unlock_irq(&lock);
	return r;
}

const struct chronotick_page *page_get(void)
{
	return page;
}

int page_create(void)
{
	BUILD_BUG_ON(sizeof(*page) != CHRONOTICK_PAGE_SIZE || sizeof(*page) > PAGE_SIZE);
	page = (struct chronotick_page *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	page->header.magic = CHRONOTICK_MAGIC;
	page->header.abi_version = CHRONOTICK_ABI_VERSION;
	page->header.page_size = CHRONOTICK_PAGE_SIZE;
	page->header.counter_kind = COUNTER_KIND;
	page->header.counter_hz = counter_khz() * 1000;
	page->header.kernel_state = CHRONOTICK_KERNEL_SERVES;
	time_end(0);
	return 0;
}

void page_destroy(void)
{
	free_page((unsigned long)page);
}
