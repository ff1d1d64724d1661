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
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define RECORD_WORDS (sizeof(struct chronotick_record) / sizeof(u64))
/* The word that a record's sequence number shares with the confidence */
#define RECORD_SEQUENCE_WORD (offsetof(struct chronotick_record, sequence_number) / sizeof(u64))

/* The state of a line without a time */
#define NO_TIME(generation)                                                                        \
	CHRONOTICK_STATE(generation, CHRONOTICK_UNSYNCHRONIZED, CHRONOTICK_TAI_UNKNOWN)

static DEFINE_RAW_SPINLOCK(lock);
static struct chronotick_page *page;
static struct chronotick_clock current_line; /* what both lines hold; seq is not used */
static const struct file *writer;
static fl_owner_t writer_owner;
static struct chronotick_claim claim; /* of the present writer; size 0: none yet */
static u64 publications;

/* A word at a time: readers look on. */
#define store(where, value) WRITE_ONCE(*(where), (value))

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

static void line_fill(struct chronotick_clock *to, const struct chronotick_clock *from)
{
	store(&to->bound_ns, from->bound_ns);
	store(&to->state, from->state);
	store(&to->anchor, from->anchor);
	store(&to->span, from->span);
	store(&to->mult, from->mult);
	store(&to->growth, from->growth);
	store(&to->utc_ns, from->utc_ns);
	store(&to->utc_frac, from->utc_frac);
}

/* Even: after the data. */
static void sequence_end(u32 *seq)
{
	smp_store_release(seq, *seq + 1); /* pairs with readers' first load */
}

static void line_write(struct chronotick_clock *to, const struct chronotick_clock *from)
{
	sequence_begin(&to->seq);
	line_fill(to, from);
	sequence_end(&to->seq);
}

/* The current line under another state. */
static void state_write(u64 state)
{
	current_line.state = state;
	line_write(&page->clock[0], &current_line);
	line_write(&page->clock[1], &current_line);
	add(&page->header.changes, 1);
}

static void status_write(u64 status)
{
	state_write((current_line.state & ~((u64)CHRONOTICK_STATUS_MASK << 32)) | status << 32);
}

static void record_end(struct chronotick_record *record)
{
	sequence_end(&record->sequence_number);
	/* Readers take the number 0 for "never written": it is passed over. */
	if (!record->sequence_number)
		store(&record->sequence_number, 2);
}

static void record_write(struct chronotick_record *to, const struct chronotick_record *from)
{
	const u64 *source = (const u64 *)from;
	u64 *words = (u64 *)to;
	unsigned int i;

	sequence_begin(&to->sequence_number);
	for (i = 0; i < RECORD_WORDS; i++)
		if (i != RECORD_SEQUENCE_WORD)
			store(&words[i], source[i]);
	store(&to->confidence, from->confidence);
	record_end(to);
}

/* No flags and no confidence in a record that was written */
static void records_distrust(void)
{
	struct chronotick_record *const records[] = {&page->record, &page->record_shadow};
	unsigned int i;

	if (!page->record_shadow.sequence_number)
		return;
	for (i = 0; i < ARRAY_SIZE(records); i++) {
		sequence_begin(&records[i]->sequence_number);
		store(&records[i]->flags, 0);
		store(&records[i]->confidence, 0);
		record_end(records[i]);
	}
}

static void generation_write(u32 generation, u64 start)
{
	store(&page->header.generation, generation);
	store(&page->header.generation_start, start);
}

/* The counter is another one than it was: no line that was published holds any more. */
static void invalidate(void)
{
	struct chronotick_header *header = &page->header;
	u32 generation = header->generation + 1;

	generation_write(generation, header->generation_start);
	memset(&current_line, 0, sizeof(current_line));
	state_write(NO_TIME(generation));
	records_distrust();
}

static void kernel_state_set(u32 bit, bool on)
{
	u32 state = page->header.kernel_state;

	store(&page->header.kernel_state, on ? state | bit : state & ~bit);
}

static bool kernel_state_has(u32 bits)
{
	return page->header.kernel_state & bits;
}

void page_event(enum event event)
{
	struct chronotick_header *header = &page->header;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	add(&header->kernel_events, 1);
	switch (event) {
	case EVENT_STEP:
		add(&header->kernel_steps, 1);
		records_distrust(); /* their offsets are against the clock as it was */
		break;
	case EVENT_COUNTER:
		add(&header->kernel_clocksources, 1);
		kernel_state_set(CHRONOTICK_KERNEL_COUNTER, true);
		break;
	case EVENT_FOREIGN:
		add(&header->kernel_clocksources, 1);
		kernel_state_set(CHRONOTICK_KERNEL_COUNTER, false);
		invalidate();
		break;
	case EVENT_ASLEEP:
		kernel_state_set(CHRONOTICK_KERNEL_ASLEEP, true);
		invalidate();
		break;
	case EVENT_AWAKE:
		kernel_state_set(CHRONOTICK_KERNEL_ASLEEP, false);
		break;
	case EVENT_ENDING:
		kernel_state_set(CHRONOTICK_KERNEL_ENDING, true);
		invalidate();
		break;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/* Can anybody publish at all? 0 or the error */
static int obstacle(void)
{
	if (kernel_state_has(CHRONOTICK_KERNEL_ENDING))
		return -ESHUTDOWN;
	return kernel_state_has(CHRONOTICK_KERNEL_COUNTER) ? 0 : -ENXIO;
}

static void claim_set(const struct chronotick_claim *from)
{
	struct chronotick_header *header = &page->header;
	unsigned int i;

	claim = *from;
	for (i = 0; i < sizeof(header->boot_id); i++)
		store(&header->boot_id[i], from->boot_id[i]);
	store(&header->counter_hz, from->counter_hz);
	store(&header->frequency_hz, from->frequency_hz);
	store(&header->writer_timeout_ms, from->writer_timeout_ms);
	store(&header->max_bound_ns, from->max_bound_ns);
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
	kernel_state_set(CHRONOTICK_KERNEL_WRITER, true);
	/* Somebody writes again, though without a reference as yet. */
	if (status == CHRONOTICK_WRITER_GONE)
		status_write(current_line.mult ? CHRONOTICK_HOLDOVER : CHRONOTICK_UNSYNCHRONIZED);
}

int page_claim(struct file *file, const struct chronotick_claim *from)
{
	unsigned long flags;
	int r;

	raw_spin_lock_irqsave(&lock, flags);
	r = obstacle();
	if (r < 0)
		goto unlock;
	if (writer && (writer != file || writer_owner != current->files)) {
		r = -EBUSY;
		goto unlock;
	}
	if (!writer) {
		writer_set(file);
		r = 1;
	}
	if (from)
		claim_set(from);
unlock:
	raw_spin_unlock_irqrestore(&lock, flags);
	return r;
}

int page_release(const struct file *file, fl_owner_t owner)
{
	unsigned long flags;
	int r = -EPERM;

	raw_spin_lock_irqsave(&lock, flags);
	if (writer == file && (!owner || owner == writer_owner)) {
		store(&writer, NULL);
		writer_owner = NULL;
		/* Before the change: who is woken by it looks for a writer. */
		store(&page->header.writer_pid, 0);
		kernel_state_set(CHRONOTICK_KERNEL_WRITER, false);
		status_write(CHRONOTICK_WRITER_GONE);
		r = 0;
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return r;
}

const struct file *page_writer(void)
{
	return READ_ONCE(writer);
}

void page_standbys_add(int count)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	add(&page->header.standby_count, count);
	raw_spin_unlock_irqrestore(&lock, flags);
}

u64 page_publications(void)
{
	return READ_ONCE(publications);
}

/* May this process write? 0, -EPERM or -EBADFD */
static int writer_check(const struct file *file)
{
	if (writer != file || writer_owner != current->files)
		return -EPERM;
	return claim.size ? 0 : -EBADFD;
}

/* Is the update made of the counter and the clock as they are? */
static int update_check(const struct chronotick_update *update, u32 floor_ns, u64 khz, u64 now)
{
	const struct chronotick_clock *after = &current_line;
	int r = obstacle();

	if (r < 0)
		return r;
	if (kernel_state_has(CHRONOTICK_KERNEL_ASLEEP) ||
	    update->events != page->header.kernel_events)
		return -ESTALE;
	if (update->flags & CHRONOTICK_UPDATE_LINE) {
		after = &update->line;
		r = check_line(after, &claim, floor_ns, khz);
		if (r == 0)
			r = check_succession(&current_line, after, page->header.generation,
					     update->join, now, khz);
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
	struct chronotick_header *header = &page->header;
	u32 generation = CHRONOTICK_STATE_GENERATION(line->state);
	bool same = generation == header->generation && current_line.mult;
	int r = 0;

	sequence_begin(&page->clock[0].seq);
	line_fill(&page->clock[0], line);
	if (same && line->mult < current_line.mult && line->span &&
	    (s64)(join - counter_read()) <= 0) {
		line_fill(&page->clock[0], &current_line);
		r = -ETIMEDOUT;
	} else if (!same) {
		generation_write(generation, line->mult ? line->anchor : header->generation_start);
	}
	sequence_end(&page->clock[0].seq);
	if (r < 0)
		return r;
	line_write(&page->clock[1], line);
	current_line = *line;
	publications++;
	return 0;
}

int page_publish(const struct file *file, struct chronotick_update *update, u32 floor_ns, u64 khz,
		 struct publication *ret)
{
	u64 state, begun;
	unsigned long flags;
	bool stood;
	int r;

	raw_spin_lock_irqsave(&lock, flags);
	r = writer_check(file);
	if (r < 0)
		goto unlock;
	begun = counter_read();
	if (!update->flags)
		goto alive;
	r = update_check(update, floor_ns, khz, begun);
	if (r < 0)
		goto unlock;
	state = current_line.state;
	stood = line_stands(&current_line, begun);
	begun = counter_read();
	if (update->flags & CHRONOTICK_UPDATE_LINE) {
		r = line_publish(&update->line, update->join);
		if (r < 0)
			goto unlock;
	}
	ret->window = counter_read() - begun;
	if (update->flags & CHRONOTICK_UPDATE_RECORD) {
		record_write(&page->record, &update->record);
		record_write(&page->record_shadow, &update->record);
	}
	ret->changed = current_line.state != state || line_stands(&current_line, begun) != stood;
	if (ret->changed)
		add(&page->header.changes, 1);
alive:
	update->published = counter_read();
	store(&page->header.heartbeat, update->published);
	ret->line = current_line;
	ret->line.seq = page->clock[0].seq;
unlock:
	raw_spin_unlock_irqrestore(&lock, flags);
	return r;
}

static void words_store(void *to, const void *from, size_t size)
{
	const u64 *source = from;
	u64 *words = to;
	size_t i;

	for (i = 0; i < size / sizeof(u64); i++)
		store(&words[i], source[i]);
}

int page_figures(const struct file *file, const struct chronotick_figures *figures)
{
	unsigned long flags;
	int r;

	raw_spin_lock_irqsave(&lock, flags);
	r = writer_check(file);
	if (r == 0) {
		words_store(page->source, figures->source,
			    figures->statistics.source_count * sizeof(figures->source[0]));
		words_store(&page->statistics, &figures->statistics, sizeof(page->statistics));
		store(&page->header.heartbeat, counter_read());
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return r;
}

const struct chronotick_page *page_get(void)
{
	return page;
}

int page_create(void)
{
	struct chronotick_header *header;

	BUILD_BUG_ON(sizeof(struct chronotick_page) != CHRONOTICK_PAGE_SIZE);
	BUILD_BUG_ON(CHRONOTICK_PAGE_SIZE > PAGE_SIZE);
	page = (struct chronotick_page *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	header = &page->header;
	header->magic = CHRONOTICK_MAGIC;
	header->abi_version = CHRONOTICK_ABI_VERSION;
	header->page_size = CHRONOTICK_PAGE_SIZE;
	header->counter_kind = COUNTER_KIND;
	header->counter_hz = counter_khz() * 1000;
	header->kernel_state = CHRONOTICK_KERNEL_SERVES;
	current_line.state = NO_TIME(0);
	page->clock[0] = current_line;
	page->clock[1] = current_line;
	return 0;
}

void page_destroy(void)
{
	free_page((unsigned long)page);
}
