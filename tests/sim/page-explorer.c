/* SPDX-License-Identifier: MIT */
/*
 * The page protocol, explored exhaustively: every interleaving of a writer's stores with the loads
 * of two reads, the second ordered after the first; with the writer killed at every store and
 * followed by a new one that repairs the page, several times over.
 *
 * Memory is multi-copy atomic, as on arm64 and x86-64: a store that has happened is seen by all.
 * Each thread's own accesses happen in any order that its fences, acquires, releases and accesses
 * to the same place leave open ("weak"), or in program order ("tso": no thread here both stores
 * and loads, so that the store buffer of x86-64 changes nothing against sequential consistency).
 *
 * A line, or a record, is a sequence and two words that hold its version. A read is a list of
 * tries; which try is the one that succeeds is guessed at the start and checked as its loads
 * happen, so loads are free to run ahead of the branches that they depend on, as CPUs do. The
 * library takes [1] only while [0] is odd; here it is also taken where [0] has become whole in
 * between, so what the library does is part of what is explored.
 *
 * What must never be found: a read that accepts words of two versions; a read that gets an older
 * version than one before it; a moment at which neither copy is whole. Every fence of the writer,
 * every fence of a try and the repair, each taken away by itself, must lead to one of them.
 *
 *	page-explorer		all of it; exit 0 if all is as it must be
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/protocol.h"

/* What can be taken away */
enum part {
	BEFORE_ODD_0 = 1 << 0, /* release fence before [0] turns odd */
	BEFORE_ODD_1 = 1 << 1,
	AFTER_ODD_0 = 1 << 2, /* release fence after it */
	AFTER_ODD_1 = 1 << 3,
	RELEASE_EVEN_0 = 1 << 4,
	RELEASE_EVEN_1 = 1 << 5,
	ACQUIRE_SEQ = 1 << 6, /* acquire of a try's first load */
	FENCE_AGAIN = 1 << 7, /* acquire fence before the sequence is loaded again */
	FENCE_TRY = 1 << 8,   /* acquire fence at the start of a try of the slow path */
	REPAIR = 1 << 9,      /* a new writer makes both copies equal first */
	FIRST_COPY = 1 << 10, /* a read begins with [0], not with its shadow */
	ALL_PARTS = (1 << 11) - 1,
};

enum { WORDS = 2, PLACES = 2 * (1 + WORDS), OPS_MAX = 48, LOADS_MAX = 16, SESSIONS_MAX = 4096 };

/* Memory: the sequence and the words of [0], then of [1] */
static unsigned int place_seq(unsigned int copy)
{
	return copy * (1 + WORDS);
}

static unsigned int place_word(unsigned int copy, unsigned int word)
{
	return copy * (1 + WORDS) + 1 + word;
}

/* Kinds of publications, by version from 1 */
enum kind { NORMAL, REBUILT, ABORTED };
static const uint8_t kinds[] = {REBUILT, ABORTED, NORMAL};
enum { VERSIONS = sizeof(kinds), GARBAGE = 15 };

struct op {
	uint8_t place, value;
	uint8_t version; /* of the publication that it belongs to; 0: repair */
	uint64_t before; /* which ones must have happened */
};

/* What one writer does from its start to its end, given what it found */
struct session {
	uint8_t found[PLACES];
	uint8_t version; /* of its first publication */
	uint8_t depth;   /* writers killed before it */
	uint8_t count;
	struct op ops[OPS_MAX];
};

struct load {
	uint8_t place;
	uint8_t role;
	uint16_t before;
	uint8_t pair; /* AGAIN: the load that it is compared with */
	uint8_t read; /* 0 or 1: of which read */
};

enum role { SEQ_ODD, SEQ_EVEN, WORD, AGAIN_CHANGED, AGAIN_SAME };

/* The loads of two reads on one guess of how their tries end */
struct path {
	unsigned int count;
	struct load loads[LOADS_MAX];
};

struct state {
	uint64_t done; /* of the session's ops */
	uint16_t session;
	uint16_t loaded; /* of the path's loads */
	uint8_t version; /* that the first read got */
	uint8_t memory[PLACES];
	uint8_t values[LOADS_MAX];
};

struct explorer {
	bool weak;
	unsigned int parts;
	unsigned int kills;
	const uint8_t *order; /* which copy a read tries first, second, third */
	struct path path;
	struct session *sessions;
	unsigned int session_count;
	struct state *table; /* open addressing; session UINT16_MAX: empty */
	size_t size, used;
	struct state *stack;
	size_t depth, room;
	const char *violation;
};

/* Programs */

struct builder {
	const struct explorer *explorer;
	struct session *session;
	uint64_t fenced; /* ops that all further ones come after */
};

static void emit(struct builder *b, unsigned int place, unsigned int value, unsigned int version,
		 bool release)
{
	struct session *s = b->session;
	struct op *op = &s->ops[s->count];
	uint64_t all = (1ULL << s->count) - 1;
	unsigned int i;

	if (s->count == OPS_MAX)
		abort();
	op->place = (uint8_t)place;
	op->value = (uint8_t)value;
	op->version = (uint8_t)version;
	op->before = release || !b->explorer->weak ? all : b->fenced;
	for (i = 0; i < s->count; i++)
		if (s->ops[i].place == place)
			op->before |= 1ULL << i;
	s->count++;
}

static void fence(struct builder *b, unsigned int part)
{
	if (b->explorer->parts & part)
		b->fenced = (1ULL << b->session->count) - 1;
}

static void emit_words(struct builder *b, unsigned int copy, unsigned int value,
		       unsigned int version)
{
	unsigned int word;

	for (word = 0; word < WORDS; word++)
		emit(b, place_word(copy, word), value, version, false);
}

static void emit_odd(struct builder *b, unsigned int copy, uint8_t *seq, unsigned int version)
{
	fence(b, copy ? BEFORE_ODD_1 : BEFORE_ODD_0);
	*seq |= 1;
	emit(b, place_seq(copy), *seq, version, false);
	fence(b, copy ? AFTER_ODD_1 : AFTER_ODD_0);
}

static void emit_even(struct builder *b, unsigned int copy, uint8_t *seq, unsigned int version)
{
	unsigned int part = copy ? RELEASE_EVEN_1 : RELEASE_EVEN_0;

	(*seq)++;
	emit(b, place_seq(copy), *seq, version, b->explorer->parts & part);
}

static bool whole(const uint8_t *memory, unsigned int copy)
{
	return !(memory[place_seq(copy)] & 1) &&
	       memory[place_word(copy, 0)] == memory[place_word(copy, 1)];
}

/* Returns the version that stands afterwards. */
static unsigned int emit_repair(struct builder *b, uint8_t seq[2])
{
	const uint8_t *found = b->session->found;
	unsigned int from = seq[0] & 1 ? 1 : 0;
	unsigned int version = found[place_word(from, 0)];

	if (!(b->explorer->parts & REPAIR))
		return version;
	if (seq[0] & 1 || seq[1] & 1 || version != found[place_word(1, 0)]) {
		emit_odd(b, !from, &seq[!from], 0);
		emit_words(b, !from, version, 0);
		emit_even(b, !from, &seq[!from], 0);
	}
	return version;
}

static void emit_publication(struct builder *b, uint8_t seq[2], unsigned int version,
			     unsigned int *standing)
{
	unsigned int kind = kinds[version - 1], phase, copy;

	for (phase = 0; phase < PROTOCOL_PHASES; phase++) {
		copy = protocol_publication[phase].copy;
		switch (protocol_publication[phase].part) {
		case PROTOCOL_ODD:
			emit_odd(b, copy, &seq[copy], version);
			break;
		case PROTOCOL_DATA:
			if (copy == 0 && kind != NORMAL)
				emit_words(b, copy, GARBAGE, version);
			emit_words(b, copy, kind == ABORTED ? *standing : version, version);
			break;
		case PROTOCOL_EVEN:
			emit_even(b, copy, &seq[copy], version);
			if (kind == ABORTED)
				return;
			break;
		}
	}
	*standing = version;
}

static unsigned int session_make(struct explorer *e, const uint8_t *found, unsigned int version,
				 unsigned int depth)
{
	struct session *s;
	unsigned int i, standing;
	uint8_t seq[2] = {found[place_seq(0)], found[place_seq(1)]};
	struct builder b = {.explorer = e};

	for (i = 0; i < e->session_count; i++) {
		s = &e->sessions[i];
		if (s->version == version && s->depth == depth &&
		    memcmp(s->found, found, PLACES) == 0)
			return i;
	}
	if (e->session_count == SESSIONS_MAX)
		abort();
	s = &e->sessions[e->session_count];
	memset(s, 0, sizeof(*s));
	memcpy(s->found, found, PLACES);
	s->version = (uint8_t)version;
	s->depth = (uint8_t)depth;
	b.session = s;
	standing = emit_repair(&b, seq);
	for (; version <= VERSIONS; version++)
		emit_publication(&b, seq, version, &standing);
	return e->session_count++;
}

/* One read that ends at try `tries`; bit i of changed: try i fails late, not at its first load. */
static void path_add(struct explorer *e, unsigned int read, unsigned int tries,
		     unsigned int changed, uint16_t *ordered)
{
	struct path *path = &e->path;
	uint16_t mine = *ordered;
	unsigned int i, j, k, role, count;

	for (i = 0; i < tries; i++) {
		uint8_t roles[4] = {SEQ_ODD};
		unsigned int first = path->count;

		count = 1;
		if (i + 1 == tries || changed >> i & 1) {
			roles[count - 1] = SEQ_EVEN;
			if (i + 1 == tries) {
				roles[count++] = WORD;
				roles[count++] = WORD;
			}
			roles[count++] = i + 1 == tries ? AGAIN_SAME : AGAIN_CHANGED;
		}
		if (i > 0 && (e->parts & FENCE_TRY))
			mine = (uint16_t)((1U << path->count) - 1);
		for (j = 0; j < count; j++) {
			struct load *load = &path->loads[path->count];

			role = roles[j];
			load->role = (uint8_t)role;
			load->read = (uint8_t)read;
			load->pair = (uint8_t)first;
			load->place = (uint8_t)(role == WORD ? place_word(e->order[i], j - 1)
							     : place_seq(e->order[i]));
			if (role >= AGAIN_CHANGED && (e->parts & FENCE_AGAIN))
				mine = (uint16_t)((1U << path->count) - 1);
			load->before = e->weak ? mine : (uint16_t)((1U << path->count) - 1);
			for (k = 0; k < path->count; k++)
				if (path->loads[k].place == load->place)
					load->before |= (uint16_t)(1U << k);
			if (role <= SEQ_EVEN && (e->parts & ACQUIRE_SEQ))
				mine |= (uint16_t)(1U << path->count);
			path->count++;
		}
	}
	*ordered = mine;
}

/* States */

static uint64_t hash(const struct state *state)
{
	const uint64_t *words = (const uint64_t *)(const void *)state;
	uint64_t h = 0x9e3779b97f4a7c15;
	size_t i;

	for (i = 0; i < sizeof(*state) / sizeof(*words); i++) {
		h ^= words[i];
		h *= 0xff51afd7ed558ccd;
		h ^= h >> 32;
	}
	return h;
}

static bool table_insert(struct state *table, size_t size, const struct state *state)
{
	size_t i;

	for (i = hash(state) & (size - 1); table[i].session != UINT16_MAX; i = (i + 1) & (size - 1))
		if (memcmp(&table[i], state, sizeof(*state)) == 0)
			return false;
	table[i] = *state;
	return true;
}

static void *grow(void *old, size_t bytes)
{
	void *new = realloc(old, bytes);

	if (!new)
		abort();
	return new;
}

static void push(struct explorer *e, const struct state *state)
{
	struct state *table;
	size_t i;

	if (e->used * 2 >= e->size) {
		table = grow(NULL, 2 * e->size * sizeof(*table));
		memset(table, 0xff, 2 * e->size * sizeof(*table));
		for (i = 0; i < e->size; i++)
			if (e->table[i].session != UINT16_MAX)
				table_insert(table, 2 * e->size, &e->table[i]);
		free(e->table);
		e->table = table;
		e->size *= 2;
	}
	if (!table_insert(e->table, e->size, state))
		return;
	e->used++;
	if (e->depth == e->room) {
		e->room *= 2;
		e->stack = grow(e->stack, e->room * sizeof(*e->stack));
	}
	e->stack[e->depth++] = *state;
}

/* A new writer, in place of one that was killed before its op `killed`. */
static void writer_replace(struct explorer *e, const struct state *state, unsigned int killed)
{
	const struct session *s = &e->sessions[state->session];
	unsigned int version = s->version, depth = s->depth, i;
	struct state next = *state;

	for (i = 0; i < killed; i++)
		if (s->ops[i].version >= version)
			version = s->ops[i].version + 1U;
	next.session = (uint16_t)session_make(e, state->memory, version, depth + 1);
	next.done = 0;
	push(e, &next);
}

/*
 * The next store that may happen, or a kill. What a killed writer has stored still happens, and
 * the lock hands it to the new one; so a kill with its replacement is a step that is possible
 * whenever all stores up to some one have happened, and none after it.
 */
static void writer_moves(struct explorer *e, const struct state *state)
{
	const struct session *s = &e->sessions[state->session];
	struct state next;
	unsigned int i;

	for (i = 0; i < s->count; i++) {
		if (state->done >> i & 1 || s->ops[i].before & ~state->done)
			continue;
		next = *state;
		next.done |= 1ULL << i;
		next.memory[s->ops[i].place] = s->ops[i].value;
		if (!whole(next.memory, 0) && !whole(next.memory, 1))
			e->violation = "neither copy is whole";
		push(e, &next);
	}
	if (s->depth < e->kills && (state->done & (state->done + 1)) == 0)
		writer_replace(e, state, (unsigned int)__builtin_popcountll(state->done));
}

/* Is the guess about the pair of sequence loads right, as far as both have happened? */
static bool pair_check(const struct explorer *e, const struct state *state, unsigned int again)
{
	const struct load *load = &e->path.loads[again];
	uint16_t both = (uint16_t)(1U << again | 1U << load->pair);

	return (state->loaded & both) != both ||
	       (state->values[again] == state->values[load->pair]) == (load->role == AGAIN_SAME);
}

/*
 * A load has happened: is the guess still right, and what do the reads say? Values that nothing
 * depends on any more are forgotten. Returns false where there is nothing more to explore.
 */
static bool load_check(struct explorer *e, struct state *state, unsigned int at)
{
	const struct load *loads = e->path.loads;
	uint16_t mine = 0;
	unsigned int i, words = 0, read = loads[at].read;

	if (loads[at].role <= SEQ_EVEN && (state->values[at] & 1) != (loads[at].role == SEQ_ODD))
		return false;
	for (i = 0; i < e->path.count; i++) {
		if (loads[i].role >= AGAIN_CHANGED && (i == at || loads[i].pair == at) &&
		    !pair_check(e, state, i))
			return false;
		if (loads[i].read == read)
			mine |= (uint16_t)(1U << i);
		if (loads[i].role == AGAIN_SAME && loads[i].read == read)
			words = i - WORDS;
	}
	if (loads[at].role == SEQ_ODD)
		state->values[at] = 0;
	for (i = 0; i < e->path.count; i++)
		if (loads[i].role == AGAIN_CHANGED && state->loaded >> i & 1 &&
		    state->loaded >> loads[i].pair & 1)
			state->values[i] = state->values[loads[i].pair] = 0;
	if ((state->loaded & mine) != mine)
		return true;
	for (i = 1; i < WORDS; i++)
		if (state->values[words + i] != state->values[words])
			e->violation = "words of two versions are accepted";
	/* The second read may have ended first, where nothing orders them: both are kept. */
	if (read == 0)
		state->version = state->values[words];
	if (state->loaded != (1U << e->path.count) - 1) {
		for (i = 0; i < e->path.count; i++)
			if (mine >> i & 1 && !(read == 1 && i == words))
				state->values[i] = 0;
		return true;
	}
	words = e->path.count - 1 - WORDS;
	if (state->values[words] < state->version)
		e->violation = "a later read gets an older version";
	return false;
}

static void reader_moves(struct explorer *e, const struct state *state)
{
	struct state next;
	unsigned int i;

	for (i = 0; i < e->path.count; i++) {
		const struct load *load = &e->path.loads[i];

		if (state->loaded >> i & 1 || load->before & ~state->loaded)
			continue;
		next = *state;
		next.loaded |= (uint16_t)(1U << i);
		next.values[i] = state->memory[load->place];
		if (load_check(e, &next, i))
			push(e, &next);
	}
}

/* Explore one guess; the number of states. */
static size_t explore(struct explorer *e)
{
	struct state start;

	memset(&start, 0, sizeof(start));
	memset(e->table, 0xff, e->size * sizeof(*e->table));
	e->used = e->depth = 0;
	start.session = (uint16_t)session_make(e, start.memory, 1, 0);
	push(e, &start);
	while (e->depth && !e->violation) {
		struct state state = e->stack[--e->depth];

		reader_moves(e, &state);
		writer_moves(e, &state);
	}
	return e->used;
}

/*
 * Which copy each try of a read takes. Lines by the fast read, then the slow path: [0], [0], [1];
 * lines by the slow path alone: [0], [1], [0]; records like the former, with more of [0] first.
 */
static const uint8_t orders[][3] = {{0, 0, 1}, {0, 1, 0}, {1, 0, 1}};

/* How a read may end: at which try, and which of those before fail late */
static const struct end {
	uint8_t tries, changed;
} ends[] = {{1, 0}, {2, 0}, {2, 1}, {3, 0}, {3, 1}, {3, 2}, {3, 3}};

enum {
	ORDERS = 2,
	FIRST_ENDS = 7,
	SECOND_ENDS = 7,
	GUESSES = ORDERS * 2 * FIRST_ENDS * SECOND_ENDS
};

static void guess_set(struct explorer *e, unsigned int guess)
{
	const struct end *first = &ends[guess % FIRST_ENDS];
	const struct end *second = &ends[guess / FIRST_ENDS % SECOND_ENDS];
	bool synchronised = guess / FIRST_ENDS / SECOND_ENDS % 2;
	uint16_t ordered = 0;

	e->order = orders[e->parts & FIRST_COPY ? guess / FIRST_ENDS / SECOND_ENDS / 2 : ORDERS];
	memset(&e->path, 0, sizeof(e->path));
	path_add(e, 0, first->tries, first->changed, &ordered);
	/* The second read begins after the first, or only stands later in the same thread. */
	if (synchronised)
		ordered = (uint16_t)((1U << e->path.count) - 1);
	path_add(e, 1, second->tries, second->changed, &ordered);
}

/* All guesses, or those up to the first violation, which is returned. */
static const char *explore_all(bool weak, unsigned int parts, unsigned int kills, size_t *states)
{
	struct explorer e = {.weak = weak, .parts = parts, .kills = kills};
	unsigned int guess;

	e.size = 1 << 16;
	e.room = 1 << 12;
	e.sessions = grow(NULL, SESSIONS_MAX * sizeof(*e.sessions));
	e.table = grow(NULL, e.size * sizeof(*e.table));
	e.stack = grow(NULL, e.room * sizeof(*e.stack));
	*states = 0;
	for (guess = 0; guess < GUESSES && !e.violation; guess++) {
		guess_set(&e, guess);
		*states += explore(&e);
	}
	free(e.stack);
	free(e.table);
	free(e.sessions);
	return e.violation;
}

struct run {
	const char *name;
	bool weak;
	unsigned int parts, kills;
	bool sound;
};

static const struct run runs[] = {
	{"tso, as it is, 3 kills", false, ALL_PARTS, 3, true},
	{"weak, as it is, 2 kills", true, ALL_PARTS, 2, true},
	{"weak, as it is, 3 kills", true, ALL_PARTS, 3, true},
	{"weak, without the fence before [0] turns odd", true, ALL_PARTS & ~BEFORE_ODD_0, 1, false},
	{"weak, without the fence before [1] turns odd", true, ALL_PARTS & ~BEFORE_ODD_1, 1, false},
	{"weak, without the fence after [0] turns odd", true, ALL_PARTS & ~AFTER_ODD_0, 1, false},
	{"weak, without the fence after [1] turns odd", true, ALL_PARTS & ~AFTER_ODD_1, 1, false},
	{"weak, [0] turns even without release", true, ALL_PARTS & ~RELEASE_EVEN_0, 1, false},
	{"weak, [1] turns even without release", true, ALL_PARTS & ~RELEASE_EVEN_1, 1, false},
	{"weak, sequence loaded without acquire", true, ALL_PARTS & ~ACQUIRE_SEQ, 1, false},
	{"weak, without the fence before it is loaded again", true, ALL_PARTS & ~FENCE_AGAIN, 1,
	 false},
	/*
	 * The one that the others make unnecessary: a try is accepted by its last load alone, which
	 * comes after all loads of the tries before it, so what it accepts stands at that moment.
	 */
	{"weak, slow tries begin without a fence", true, ALL_PARTS & ~FENCE_TRY, 2, true},
	{"tso, reads begin with the shadow", false, ALL_PARTS & ~FIRST_COPY, 0, false},
	{"tso, a new writer repairs nothing", false, ALL_PARTS & ~REPAIR, 1, false},
};

int main(void)
{
	const char *violation;
	unsigned int i;
	size_t states;
	int bad = 0;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		violation = explore_all(runs[i].weak, runs[i].parts, runs[i].kills, &states);
		printf("%-52s %10zu states: %s\n", runs[i].name, states,
		       violation ? violation : "sound");
		fflush(stdout);
		if (runs[i].sound != !violation)
			bad++;
	}
	printf("%d of %u not as they must be\n", bad, i);
	return bad ? 1 : 0;
}
