/* SPDX-License-Identifier: MIT */
/* chronotick.Clock: an open page. */
#include <fcntl.h>

#include "native.h"

/* A wait looks for signals, and for a clock that was closed, this often. */
#define SLICE_NS 100000000

static struct clock_object *clock_of(PyObject *self)
{
	return (struct clock_object *)self;
}

/* Never inlined: the readers below keep nothing over a call then, and save no register. */
static __attribute__((noinline, cold)) PyObject *closed(void)
{
	PyErr_SetString(PyExc_ValueError, "the clock is closed");
	return NULL;
}

static __attribute__((noinline, cold)) PyObject *untrusted(
	PyObject *self, int error, const struct chronotick_interval *interval)
{
	return native_raise(PyType_GetModuleState(Py_TYPE(self)), error, interval);
}

struct native_mapping *clock_hold(struct clock_object *clock)
{
	if (!clock->ct) {
		closed();
		return NULL;
	}
	clock->mapping->users++;
	return clock->mapping;
}

void clock_release(struct native_mapping *mapping)
{
	if (--mapping->users)
		return;
	chronotick_close(mapping->ct);
	PyMem_Free(mapping);
}

static void clock_drop(struct clock_object *clock)
{
	struct native_mapping *mapping = clock->mapping;

	clock->ct = NULL;
	clock->mapping = NULL;
	if (mapping)
		clock_release(mapping);
}

/* Why a page cannot be opened, with its path and what to do about it. */
static PyObject *open_raise(struct native_state *state, int error, const char *path)
{
	const char *hint = error == -ENOENT ? "; start chronotickd, or set CHRONOTICK_PAGE" : "";
	PyObject *text, *exception;

	text = PyUnicode_FromFormat("%s: %s%s", path, chronotick_strerror(error), hint);
	exception = text ? PyObject_CallFunction(state->error_page, "Oi", text, -error) : NULL;
	if (exception)
		PyErr_SetObject(state->error_page, exception);
	Py_XDECREF(exception);
	Py_XDECREF(text);
	return NULL;
}

/*
 * The GIL is held: nothing in an open waits, and whoever changes the environment, where the page's
 * path may stand, holds it too.
 */
int clock_reopen(struct native_state *state, struct clock_object *clock)
{
	const char *path = clock->path ? PyBytes_AsString(clock->path) : NULL;
	struct native_mapping *mapping = PyMem_Calloc(1, sizeof(*mapping));
	int r;

	if (!mapping) {
		PyErr_NoMemory();
		return -1;
	}
	r = chronotick_open(&mapping->ct, path);
	if (r < 0) {
		PyMem_Free(mapping);
		open_raise(state, r, chronotick_page_path(path));
		return -1;
	}
	clock_drop(clock);
	mapping->users = 1;
	clock->mapping = mapping;
	clock->ct = mapping->ct;
	return 0;
}

static PyObject *clock_make(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {"path", NULL};
	PyObject *path = Py_None, *self;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O", names, &path))
		return NULL;
	self = PyType_GenericAlloc(type, 0);
	if (!self)
		return NULL;
	if (path != Py_None && !PyUnicode_FSConverter(path, &clock_of(self)->path))
		goto fail;
	if (clock_reopen(PyType_GetModuleState(type), clock_of(self)) < 0)
		goto fail;
	return self;
fail:
	Py_DECREF(self);
	return NULL;
}

static void clock_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

	clock_drop(clock_of(self));
	Py_CLEAR(clock_of(self)->path);
	release(self);
	Py_DECREF(type);
}

/*
 * A read that the fast path has no answer for: r, or no page is open. The module's own clock opens
 * the page when it is needed, and anew where it has expired: then another page may have its name.
 * Returns 0 and *ret, or -1 and an exception.
 */
static __attribute__((noinline, cold)) int read_slow(PyObject *self, int r,
						     struct chronotick_interval *ret)
{
	struct clock_object *clock = clock_of(self);

	if (clock->lazy && (!clock->ct || r == -ESTALE)) {
		if (clock_reopen(PyType_GetModuleState(Py_TYPE(self)), clock) < 0)
			return -1;
		r = chronotick_now(clock->ct, ret);
	}
	if (!clock->ct)
		closed();
	else if (r < 0)
		untrusted(self, r, ret);
	return clock->ct && r == 0 ? 0 : -1;
}

static inline __attribute__((always_inline)) int read_fast(PyObject *self,
							   struct chronotick_interval *ret)
{
	const struct chronotick *ct = clock_of(self)->ct;
	int r = 0;

	if (__builtin_expect(ct != NULL, 1)) {
		r = chronotick_now(ct, ret);
		if (__builtin_expect(r == 0, 1))
			return 0;
	}
	return read_slow(self, r, ret);
}

static PyObject *clock_now_ns(PyObject *self, PyObject *unused)
{
	struct chronotick_interval now;

	(void)unused;
	if (read_fast(self, &now) < 0)
		return NULL;
	return PyLong_FromLongLong(now.utc_ns);
}

static PyObject *interval_of_read(PyObject *self, const struct chronotick_interval *interval, int r)
{
	struct native_state *state = PyType_GetModuleState(Py_TYPE(self));

	return interval_new(state->interval_type, interval, r);
}

static PyObject *clock_now(PyObject *self, PyObject *unused)
{
	struct chronotick_interval now;

	(void)unused;
	if (read_fast(self, &now) < 0)
		return NULL;
	return interval_of_read(self, &now, 0);
}

static PyObject *clock_read(PyObject *self, PyObject *unused)
{
	const struct chronotick *ct = clock_of(self)->ct;
	struct chronotick_interval now;
	int r;

	(void)unused;
	if (!ct)
		return closed();
	r = chronotick_now(ct, &now);
	return interval_of_read(self, &now, r);
}

static PyObject *clock_now_within(PyObject *self, PyObject *bound)
{
	const struct chronotick *ct = clock_of(self)->ct;
	long long bound_ns = PyLong_AsLongLong(bound);
	struct chronotick_interval now;
	int r;

	if (bound_ns == -1 && PyErr_Occurred())
		return NULL;
	if (!ct)
		return closed();
	r = chronotick_now_within(ct, bound_ns, &now);
	if (r < 0)
		return untrusted(self, r, &now);
	return interval_of_read(self, &now, 0);
}

static PyObject *clock_counter(PyObject *self, PyObject *unused)
{
	(void)unused;
	if (!clock_of(self)->ct)
		return closed();
	return PyLong_FromUnsignedLongLong(chronotick_counter(clock_of(self)->ct));
}

static PyObject *clock_at(PyObject *self, PyObject *value)
{
	unsigned long long counter = PyLong_AsUnsignedLongLong(value);
	struct chronotick_interval interval;
	int r;

	if (counter == (unsigned long long)-1 && PyErr_Occurred())
		return NULL;
	if (!clock_of(self)->ct)
		return closed();
	r = chronotick_at(clock_of(self)->ct, counter, &interval);
	if (r < 0)
		return untrusted(self, r, &interval);
	return interval_of_read(self, &interval, 0);
}

/* A time-out in s to ns; None: -1. Returns 0, or -1 and an exception. */
static int timeout_get(PyObject *timeout, int64_t *ret)
{
	double seconds;

	*ret = -1;
	if (timeout == Py_None)
		return 0;
	seconds = PyFloat_AsDouble(timeout);
	if (seconds == -1.0 && PyErr_Occurred())
		return -1;
	if (!(seconds >= 0)) {
		PyErr_SetString(PyExc_ValueError, "timeout: 0 and more, or None");
		return -1;
	}
	if (seconds < 9e9)
		*ret = (int64_t)(seconds * 1e9);
	return 0;
}

/*
 * Wait without the GIL, in slices: a handler that Python has for a signal runs between two of them,
 * since a signal may have come right before a wait began.
 */
static int wait_sliced(PyObject *self, const struct native_mapping *mapping, int64_t utc_ns,
		       int64_t timeout_ns, struct chronotick_interval *ret)
{
	const uint64_t deadline_ns = chronotick_deadline_ns(timeout_ns);
	uint64_t now_ns, slice_ns;
	int r;

	for (;;) {
		now_ns = chronotick_monotonic_ns();
		slice_ns = now_ns < deadline_ns ? deadline_ns - now_ns : 0;
		Py_BEGIN_ALLOW_THREADS;
		r = chronotick_wait_until(mapping->ct, utc_ns,
					  (int64_t)chronotick_lesser(slice_ns, SLICE_NS), ret);
		Py_END_ALLOW_THREADS;
		if (PyErr_CheckSignals() < 0)
			return -ECANCELED;
		if (!clock_of(self)->ct) {
			closed();
			return -ECANCELED;
		}
		if (r != -EINTR && (r != -ETIMEDOUT || chronotick_monotonic_ns() >= deadline_ns))
			return r;
	}
}

static PyObject *clock_wait_until(PyObject *self, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {"utc_ns", "timeout", NULL};
	struct chronotick_interval interval;
	struct native_mapping *mapping;
	PyObject *timeout = Py_None;
	int64_t timeout_ns;
	long long utc_ns;
	int r;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "L|O", names, &utc_ns, &timeout) ||
	    timeout_get(timeout, &timeout_ns) < 0)
		return NULL;
	mapping = clock_hold(clock_of(self));
	if (!mapping)
		return NULL;
	r = wait_sliced(self, mapping, utc_ns, timeout_ns, &interval);
	clock_release(mapping);
	if (r == -ECANCELED)
		return NULL;
	if (r == -ETIMEDOUT) {
		PyErr_SetString(PyExc_TimeoutError, chronotick_strerror(r));
		return NULL;
	}
	if (r < 0)
		return untrusted(self, r, &interval);
	return interval_of_read(self, &interval, 0);
}

static PyObject *clock_record(PyObject *self, PyObject *unused)
{
	struct chronotick_record record;
	int r;

	(void)unused;
	if (!clock_of(self)->ct)
		return closed();
	r = chronotick_record_read(clock_of(self)->ct, &record);
	if (r < 0)
		return untrusted(self, r, NULL);
	return record_tuple(&record);
}

static PyObject *clock_writer(PyObject *self, PyObject *unused)
{
	int64_t age_ns;
	int r;

	(void)unused;
	if (!clock_of(self)->ct)
		return closed();
	r = chronotick_writer_check(clock_of(self)->ct, &age_ns);
	return Py_BuildValue("(NL)", PyBool_FromLong(r == 0), (long long)age_ns);
}

static PyObject *clock_close(PyObject *self, PyObject *unused)
{
	(void)unused;
	clock_drop(clock_of(self));
	Py_RETURN_NONE;
}

static PyObject *clock_reopen_method(PyObject *self, PyObject *unused)
{
	(void)unused;
	if (clock_reopen(PyType_GetModuleState(Py_TYPE(self)), clock_of(self)) < 0)
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *clock_enter(PyObject *self, PyObject *unused)
{
	(void)unused;
	if (!clock_of(self)->ct)
		return closed();
	Py_INCREF(self);
	return self;
}

static PyObject *clock_exit(PyObject *self, PyObject *args)
{
	(void)args;
	clock_drop(clock_of(self));
	Py_RETURN_NONE;
}

static PyObject *clock_closed(PyObject *self, void *unused)
{
	(void)unused;
	return PyBool_FromLong(!clock_of(self)->ct);
}

static PyObject *clock_path(PyObject *self, void *unused)
{
	PyObject *path = clock_of(self)->path;

	(void)unused;
	return PyUnicode_DecodeFSDefault(
		chronotick_page_path(path ? PyBytes_AsString(path) : NULL));
}

static PyObject *clock_kind(PyObject *self, void *unused)
{
	(void)unused;
	if (!clock_of(self)->ct)
		return closed();
	return PyUnicode_FromString(
		chronotick_counter_name(chronotick_private_of(clock_of(self)->ct)->kind));
}

/* memoryview(clock): the page, for reading. It stays mapped until the last view of it is gone. */
static int clock_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
	struct native_mapping *mapping = clock_hold(clock_of(self));
	const struct chronotick_page *page;

	if (!mapping) {
		view->obj = NULL;
		return -1;
	}
	page = chronotick_page_of(mapping->ct);
	if (PyBuffer_FillInfo(view, self, (void *)(uintptr_t)page, sizeof(*page), 1, flags) < 0) {
		clock_release(mapping);
		return -1;
	}
	view->internal = mapping;
	return 0;
}

static void clock_releasebuffer(PyObject *self, Py_buffer *view)
{
	(void)self;
	clock_release(view->internal);
}

static PyGetSetDef clock_getset[] = {
	{"closed", clock_closed, NULL, "was the clock closed?", NULL},
	{"path", clock_path, NULL, "the page's path", NULL},
	{"counter_kind", clock_kind, NULL, "the counter that the page runs on", NULL},
	{0},
};

static PyMethodDef clock_methods[] = {
	{"now_ns", clock_now_ns, METH_NOARGS,
	 "now_ns()\n--\n\nThe best estimate of UTC, ns since 1970. NotTrustedError if there is none."},
	{"now", clock_now, METH_NOARGS,
	 "now()\n--\n\nUTC as an Interval. NotTrustedError if it may not be trusted."},
	{"read", clock_read, METH_NOARGS,
	 "read()\n--\n\nUTC as an Interval, trusted or not: see its attributes trusted and reason."},
	{"now_within", clock_now_within, METH_O,
	 "now_within(max_bound_ns)\n--\n\nAs now(), and NotTrustedError if the bound is wider."},
	{"counter", clock_counter, METH_NOARGS,
	 "counter()\n--\n\nThe counter that the page runs on: a stamp to be converted later."},
	{"at", clock_at, METH_O,
	 "at(counter)\n--\n\nUTC at a value that counter() gave, as an Interval."},
	{"at_batch", clock_at_batch, METH_VARARGS,
	 "at_batch(counters, earliest_ns, utc_ns, latest_ns, results)\n--\n\nat() for a buffer of "
	 "counter values, into buffers or None. Returns 0 or the first error."},
	{"wait_until", (PyCFunction)(void (*)(void))clock_wait_until, METH_VARARGS | METH_KEYWORDS,
	 "wait_until(utc_ns, timeout=None)\n--\n\nWait until utc_ns is past for certain. "
	 "TimeoutError after that many seconds."},
	{"record", clock_record, METH_NOARGS,
	 "record()\n--\n\nThe values of the ChronoTick record, in ChronoTickData's order."},
	{"writer", clock_writer, METH_NOARGS,
	 "writer()\n--\n\n(is anybody writing the page?, ns since the latest round)"},
	{"reopen", clock_reopen_method, METH_NOARGS,
	 "reopen()\n--\n\nMap the page anew: another one may have its name now."},
	{"close", clock_close, METH_NOARGS, "close()\n--\n\nLet the page go. May be called again."},
	{"__enter__", clock_enter, METH_NOARGS, NULL},
	{"__exit__", clock_exit, METH_VARARGS, NULL},
	{0},
};

static PyType_Slot clock_slots[] = {
	{Py_tp_doc, "Clock(path=None)\n--\n\nAn open ChronoTick page; path as for "
		    "chronotick_open(3). For any thread, and after fork."},
	{Py_tp_new, clock_make},
	{Py_tp_dealloc, clock_dealloc},
	{Py_tp_methods, clock_methods},
	{Py_tp_getset, clock_getset},
	{Py_bf_getbuffer, clock_getbuffer},
	{Py_bf_releasebuffer, clock_releasebuffer},
	{0, NULL},
};

PyType_Spec clock_spec = {
	.name = "chronotick.Clock",
	.basicsize = sizeof(struct clock_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = clock_slots,
};
