/* SPDX-License-Identifier: MIT */
/* The ChronoTick record: from the page, and from whatever bytes somebody has of one. */
#include "native.h"

PyObject *record_tuple(const struct chronotick_record *record)
{
	return Py_BuildValue(
		"(dddddddddIIIIddIId)", record->corrected_timestamp, record->system_timestamp,
		record->offset_correction, record->drift_rate, record->offset_uncertainty,
		record->drift_uncertainty, record->prediction_time, record->valid_until,
		(double)record->confidence, (unsigned int)record->sequence_number,
		(unsigned int)record->flags, (unsigned int)record->source,
		(unsigned int)record->measurement_count, record->last_ntp_sync,
		record->daemon_uptime, (unsigned int)record->total_corrections,
		(unsigned int)record->reserved, (double)record->average_latency_ms);
}

/* In `tries` looks at most: what a torn read is taken again for. 0, or -ESTALE. */
static int record_whole(struct chronotick_record *ret, const struct chronotick_record *from,
			Py_ssize_t tries)
{
	Py_ssize_t i;

	for (i = 0; i < tries; i++)
		if (chronotick_record_copy(from, ret) == 0)
			return 0;
	return -ESTALE;
}

/* Where the bytes are a page, its header tells the order and there is a shadow to fall back on. */
static int record_of_page(struct chronotick_record *ret, const struct chronotick_page *page,
			  Py_ssize_t tries)
{
	Py_ssize_t i;

	for (i = 0; i < tries; i++) {
		if (chronotick_record_first(page, ret) == 0 ||
		    chronotick_record_copy(&page->record_shadow, ret) == 0)
			return 0;
	}
	return -ESTALE;
}

/*
 * Words are loaded one by one where they are, since they may be a page that is being written. What is
 * not aligned for that is nobody's mapping, and is copied first.
 */
static const void *aligned(const Py_buffer *view, size_t size, size_t alignment, void *copy)
{
	if ((uintptr_t)view->buf % alignment == 0)
		return view->buf;
	return memcpy(copy, view->buf, size);
}

/* order: -1: the page's own if the bytes are one, else the document's. */
static int record_find(struct chronotick_record *ret, const Py_buffer *view, Py_ssize_t tries,
		       int order)
{
	const struct chronotick_record *record;
	const struct chronotick_page *page;
	struct chronotick_page copy;
	int r;

	if (order < 0 && view->len >= (Py_ssize_t)sizeof(*page)) {
		page = aligned(view, sizeof(*page), __alignof__(*page), &copy);
		if (page->header.magic == CHRONOTICK_MAGIC)
			return record_of_page(ret, page, tries);
	}
	record = aligned(view, sizeof(*record), __alignof__(*record), &copy);
	r = record_whole(ret, record, tries);
	if (r == 0 && order == CHRONOTICK_ORDER_PYTHON)
		chronotick_record_from_python(ret);
	return r;
}

PyObject *record_parse(PyObject *module, PyObject *args)
{
	struct native_state *state = native_state_of(module);
	struct chronotick_record record;
	Py_ssize_t tries;
	Py_buffer view;
	int order, r;

	if (!PyArg_ParseTuple(args, "y*ni", &view, &tries, &order))
		return NULL;
	if (view.len < (Py_ssize_t)sizeof(record)) {
		PyErr_Format(PyExc_ValueError, "a record has 128 bytes, these are %zd", view.len);
		PyBuffer_Release(&view);
		return NULL;
	}
	r = record_find(&record, &view, tries, order);
	PyBuffer_Release(&view);
	if (r < 0) {
		PyErr_SetString(state->error_other, "the record is torn: it was being written, or "
						    "left half written, at each look");
		return NULL;
	}
	return record_tuple(&record);
}
