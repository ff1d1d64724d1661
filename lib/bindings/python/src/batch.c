/* SPDX-License-Identifier: MIT */
/* Clock.at_batch(): the times of a whole array of counter values, by the buffer protocol. */
#include "native.h"

/* What a format may begin with; ctypes says "<" or ">" of its arrays. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define NATIVE_ORDER "@=<"
#else
#define NATIVE_ORDER "@=>!"
#endif

enum { OUTPUTS = 4, RELEASE_FROM = 1000 };

/* What is between the buffers and the intervals */
struct batch {
	Py_buffer counters;
	Py_buffer output[OUTPUTS]; /* obj NULL: not asked for */
	size_t count;
	struct chronotick_interval *intervals;
	int *results;
};

static const char *const output_names[OUTPUTS] = {"earliest_ns", "utc_ns", "latest_ns", "results"};

/* Is that a format of 8 (or `size`) bytes with that sign, in native order? */
static int format_fits(const Py_buffer *view, const char *codes, Py_ssize_t size)
{
	const char *format = view->format ? view->format : "B";

	if (*format && strchr(NATIVE_ORDER, *format))
		format++;
	return view->itemsize == size && *format && !format[1] && strchr(codes, *format) != NULL;
}

static int input_get(struct batch *batch, PyObject *object)
{
	if (PyObject_GetBuffer(object, &batch->counters, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0)
		return -1;
	if (!format_fits(&batch->counters, "QLN", sizeof(uint64_t))) {
		PyErr_SetString(PyExc_TypeError,
				"counters: a buffer of unsigned 64-bit numbers is needed, such "
				"as array.array('Q')");
		return -1;
	}
	batch->count = (size_t)batch->counters.len / sizeof(uint64_t);
	return 0;
}

static int output_get(struct batch *batch, int i, PyObject *object)
{
	Py_ssize_t size = i == OUTPUTS - 1 ? sizeof(int32_t) : sizeof(int64_t);
	Py_buffer *view = &batch->output[i];

	if (object == Py_None)
		return 0;
	if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE) <
	    0)
		return -1;
	if (!format_fits(view, i == OUTPUTS - 1 ? "il" : "qln", size)) {
		PyErr_Format(PyExc_TypeError, "%s: a buffer of signed %d-bit numbers is needed",
			     output_names[i], (int)size * 8);
		return -1;
	}
	if ((size_t)(view->len / size) != batch->count) {
		PyErr_Format(PyExc_ValueError, "%s has %zd places for %zu counter values",
			     output_names[i], view->len / size, batch->count);
		return -1;
	}
	return 0;
}

static void batch_store(struct batch *batch)
{
	int64_t *earliest = batch->output[0].buf, *utc = batch->output[1].buf;
	int64_t *latest = batch->output[2].buf;
	size_t i;

	for (i = 0; i < batch->count; i++) {
		if (earliest)
			earliest[i] = batch->intervals[i].earliest_ns;
		if (utc)
			utc[i] = batch->intervals[i].utc_ns;
		if (latest)
			latest[i] = batch->intervals[i].latest_ns;
	}
	if (batch->output[3].buf)
		memcpy(batch->output[3].buf, batch->results, batch->count * sizeof(int));
}

/* Let the GIL go for what takes longer than that. All buffers stay where they are meanwhile. */
static int batch_run(struct batch *batch, struct native_mapping *mapping)
{
	PyThreadState *thread = batch->count >= RELEASE_FROM ? PyEval_SaveThread() : NULL;
	int r = chronotick_at_batch(mapping->ct, batch->counters.buf, batch->count,
				    batch->intervals, batch->results);

	batch_store(batch);
	if (thread)
		PyEval_RestoreThread(thread);
	return r;
}

PyObject *clock_at_batch(PyObject *self, PyObject *args)
{
	PyObject *counters, *output[OUTPUTS], *result = NULL;
	struct native_mapping *mapping;
	struct batch batch = {0};
	int i, r;

	if (!PyArg_ParseTuple(args, "OOOOO", &counters, &output[0], &output[1], &output[2],
			      &output[3]))
		return NULL;
	mapping = clock_hold((struct clock_object *)self);
	if (!mapping)
		return NULL;
	if (input_get(&batch, counters) < 0)
		goto release;
	for (i = 0; i < OUTPUTS; i++)
		if (output_get(&batch, i, output[i]) < 0)
			goto release;
	batch.intervals = PyMem_Calloc(batch.count + 1, sizeof(*batch.intervals));
	batch.results = PyMem_Calloc(batch.count + 1, sizeof(*batch.results));
	if (!batch.intervals || !batch.results) {
		PyErr_NoMemory();
		goto release;
	}
	r = batch_run(&batch, mapping);
	result = PyLong_FromLong(r);
release:
	PyMem_Free(batch.results);
	PyMem_Free(batch.intervals);
	for (i = 0; i < OUTPUTS; i++)
		PyBuffer_Release(&batch.output[i]);
	PyBuffer_Release(&batch.counters);
	clock_release(mapping);
	return result;
}
