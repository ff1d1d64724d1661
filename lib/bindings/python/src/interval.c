/* SPDX-License-Identifier: MIT */
/* chronotick.Interval: what a read returned. Its attributes become Python's numbers when asked for. */
#include "native.h"

static struct interval_object *interval_of(PyObject *self)
{
	return (struct interval_object *)self;
}

PyObject *interval_new(PyTypeObject *type, const struct chronotick_interval *interval, int error)
{
	PyObject *self = PyType_GenericAlloc(type, 0);

	if (self) {
		interval_of(self)->interval = *interval;
		interval_of(self)->error = error;
	}
	return self;
}

int interval_get(struct native_state *state, PyObject *object, struct chronotick_interval *ret)
{
	if (!Py_IS_TYPE(object, state->interval_type)) {
		PyErr_Format(PyExc_TypeError, "an Interval is needed, not %R", Py_TYPE(object));
		return 0;
	}
	*ret = interval_of(object)->interval;
	return 1;
}

/* An interval that came from elsewhere: a message, a file, another machine. */
static PyObject *interval_make(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	static char *names[] = {"earliest_ns", "utc_ns",       "latest_ns", "generation",
				"status_code", "tai_offset_s", "error",     NULL};
	struct chronotick_interval interval;
	long long earliest, utc, latest, generation = 0;
	int status = CHRONOTICK_SYNCHRONIZED, error = 0;
	PyObject *tai = Py_None;
	long tai_s = CHRONOTICK_TAI_UNKNOWN;

	if (!PyArg_ParseTupleAndKeywords(args, kwargs, "LLL|LiOi", names, &earliest, &utc, &latest,
					 &generation, &status, &tai, &error))
		return NULL;
	if (tai != Py_None) {
		tai_s = PyLong_AsLong(tai);
		if (tai_s == -1 && PyErr_Occurred())
			return NULL;
	}
	if (earliest > utc || utc > latest) {
		PyErr_SetString(PyExc_ValueError, "earliest_ns <= utc_ns <= latest_ns is needed");
		return NULL;
	}
	if (generation < 0 || generation > UINT32_MAX || status < 0 || status > UINT16_MAX ||
	    error > 0 || tai_s < INT16_MIN || tai_s > INT16_MAX) {
		PyErr_SetString(PyExc_ValueError, "generation, status_code, tai_offset_s or error "
						  "is out of range");
		return NULL;
	}
	interval = (struct chronotick_interval){
		.earliest_ns = earliest,
		.utc_ns = utc,
		.latest_ns = latest,
		.generation = (uint32_t)generation,
		.status = (uint16_t)status,
		.tai_offset_s = (int16_t)tai_s,
	};
	return interval_new(type, &interval, error);
}

static void interval_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);

	release(self);
	Py_DECREF(type);
}

static PyObject *interval_tai_offset(PyObject *self, void *unused)
{
	int16_t offset_s = interval_of(self)->interval.tai_offset_s;

	(void)unused;
	if (offset_s == CHRONOTICK_TAI_UNKNOWN)
		Py_RETURN_NONE;
	return PyLong_FromLong(offset_s);
}

static PyObject *interval_status(PyObject *self, void *unused)
{
	(void)unused;
	return PyUnicode_FromString(chronotick_status_name(interval_of(self)->interval.status));
}

static PyObject *interval_leap(PyObject *self, void *unused)
{
	switch (interval_of(self)->interval.status & CHRONOTICK_LEAP_MASK) {
	case CHRONOTICK_LEAP_INSERT:
		return PyLong_FromLong(1);
	case CHRONOTICK_LEAP_DELETE:
		return PyLong_FromLong(-1);
	default:
		(void)unused;
		return PyLong_FromLong(0);
	}
}

static PyObject *interval_trusted(PyObject *self, void *unused)
{
	(void)unused;
	return PyBool_FromLong(interval_of(self)->error == 0);
}

static PyObject *interval_reason(PyObject *self, void *unused)
{
	int error = interval_of(self)->error;

	(void)unused;
	if (!error)
		Py_RETURN_NONE;
	return PyUnicode_FromString(chronotick_strerror(error));
}

static PyObject *interval_bound(PyObject *self, void *unused)
{
	const struct chronotick_interval *interval = &interval_of(self)->interval;
	uint64_t after = (uint64_t)interval->latest_ns - (uint64_t)interval->utc_ns;
	uint64_t before = (uint64_t)interval->utc_ns - (uint64_t)interval->earliest_ns;

	(void)unused;
	return PyLong_FromUnsignedLongLong(after > before ? after : before);
}

static PyObject *interval_tai(PyObject *self, PyObject *unused)
{
	struct chronotick_tai tai;

	(void)unused;
	if (chronotick_interval_tai(&interval_of(self)->interval, &tai) < 0)
		Py_RETURN_NONE;
	return Py_BuildValue("(LLL)", (long long)tai.earliest_ns, (long long)tai.tai_ns,
			     (long long)tai.latest_ns);
}

static PyObject *interval_reduce(PyObject *self, PyObject *unused)
{
	const struct chronotick_interval *interval = &interval_of(self)->interval;
	PyObject *tai = interval_tai_offset(self, NULL);

	(void)unused;
	if (!tai)
		return NULL;
	return Py_BuildValue("(O(LLLIiNi))", (PyObject *)Py_TYPE(self),
			     (long long)interval->earliest_ns, (long long)interval->utc_ns,
			     (long long)interval->latest_ns, (unsigned int)interval->generation,
			     (int)interval->status, tai, interval_of(self)->error);
}

static Py_ssize_t interval_length(PyObject *self)
{
	(void)self;
	return 3;
}

/* "earliest, utc, latest = interval" */
static PyObject *interval_item(PyObject *self, Py_ssize_t i)
{
	const struct chronotick_interval *interval = &interval_of(self)->interval;

	switch (i) {
	case 0:
		return PyLong_FromLongLong(interval->earliest_ns);
	case 1:
		return PyLong_FromLongLong(interval->utc_ns);
	case 2:
		return PyLong_FromLongLong(interval->latest_ns);
	default:
		PyErr_SetString(PyExc_IndexError, "an interval has three items");
		return NULL;
	}
}

static PyObject *interval_repr(PyObject *self)
{
	const struct chronotick_interval *interval = &interval_of(self)->interval;

	if (interval_of(self)->error)
		return PyUnicode_FromFormat("<chronotick.Interval %s: %s>",
					    chronotick_status_name(interval->status),
					    chronotick_strerror(interval_of(self)->error));
	return PyUnicode_FromFormat("<chronotick.Interval %lld ns, %lld to %lld, %s>",
				    (long long)interval->utc_ns, (long long)interval->earliest_ns,
				    (long long)interval->latest_ns,
				    chronotick_status_name(interval->status));
}

static PyMemberDef interval_members[] = {
	{"earliest_ns", T_LONGLONG, offsetof(struct interval_object, interval.earliest_ns),
	 READONLY, "the earliest that UTC can be, ns since 1970"},
	{"utc_ns", T_LONGLONG, offsetof(struct interval_object, interval.utc_ns), READONLY,
	 "the best estimate, ns since 1970"},
	{"latest_ns", T_LONGLONG, offsetof(struct interval_object, interval.latest_ns), READONLY,
	 "the latest that UTC can be, ns since 1970"},
	{"generation", T_UINT, offsetof(struct interval_object, interval.generation), READONLY,
	 "goes up when the time has jumped"},
	{"status_code", T_USHORT, offsetof(struct interval_object, interval.status), READONLY,
	 "the status as a number, with the leap state in bits 8 and 9"},
	{"error", T_INT, offsetof(struct interval_object, error), READONLY,
	 "0, or the negative errno of the read"},
	{0},
};

static PyGetSetDef interval_getset[] = {
	{"tai_offset_s", interval_tai_offset, NULL, "TAI - UTC in s, or None", NULL},
	{"status", interval_status, NULL, "the name of the clock's status", NULL},
	{"leap", interval_leap, NULL, "1: the month ends with a leap second, -1: without one",
	 NULL},
	{"trusted", interval_trusted, NULL, "may the interval be trusted?", NULL},
	{"reason", interval_reason, NULL, "why not, or None", NULL},
	{"bound_ns", interval_bound, NULL, "the half-width: how far the estimate may be off", NULL},
	{0},
};

static PyMethodDef interval_methods[] = {
	{"tai", interval_tai, METH_NOARGS,
	 "tai()\n--\n\n(earliest, best, latest) on TAI in ns, or None if TAI - UTC is not known."},
	{"__reduce__", interval_reduce, METH_NOARGS, NULL},
	{0},
};

static PyType_Slot interval_slots[] = {
	{Py_tp_doc, "Interval(earliest_ns, utc_ns, latest_ns, generation=0, status_code=2, "
		    "tai_offset_s=None, error=0)\n--\n\nUTC as a read found it: the truth was "
		    "between earliest_ns and latest_ns if it is trusted."},
	{Py_tp_new, interval_make},
	{Py_tp_dealloc, interval_dealloc},
	{Py_tp_members, interval_members},
	{Py_tp_getset, interval_getset},
	{Py_tp_methods, interval_methods},
	{Py_tp_repr, interval_repr},
	{Py_sq_length, interval_length},
	{Py_sq_item, interval_item},
	{0, NULL},
};

PyType_Spec interval_spec = {
	.name = "chronotick.Interval",
	.basicsize = sizeof(struct interval_object),
	.flags = Py_TPFLAGS_DEFAULT,
	.slots = interval_slots,
};
