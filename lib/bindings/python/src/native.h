/* SPDX-License-Identifier: MIT */
/*
 * chronotick._native: libchronotick for Python, through the stable ABI of Python 3.11 and later. The
 * read path is compiled in, so nothing is linked.
 *
 * The GIL is held by whatever only reads, as that takes less time than letting it go, and let go by
 * what waits or converts much. A handle is unmapped when it was closed and nobody uses it any more.
 */
#ifndef CHRONOTICK_PYTHON_NATIVE_H
#define CHRONOTICK_PYTHON_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#ifndef CHRONOTICK_HEADER_ONLY
#define CHRONOTICK_HEADER_ONLY
#endif
#include <chronotick/chronotick.h>

/* What one instance of the module has; an interpreter's own. */
struct native_state {
	PyTypeObject *clock_type;
	PyTypeObject *interval_type;
	PyObject *error_page;      /* chronotick.errors.PageError */
	PyObject *error_untrusted; /* chronotick.errors.NotTrustedError */
	PyObject *error_other;     /* chronotick.errors.ChronoTickError */
};

/* A mapped page, and how many use it: clocks that are open, waits, views. Guarded by the GIL. */
struct native_mapping {
	struct chronotick *ct;
	Py_ssize_t users;
};

struct clock_object {
	PyObject_HEAD const struct chronotick *ct; /* NULL: closed */
	struct native_mapping *mapping;
	PyObject *path; /* bytes; NULL: none was given */
	int lazy;       /* the module's own: opened when it is read */
};

struct interval_object {
	PyObject_HEAD struct chronotick_interval interval;
	int error; /* what the read returned */
};

extern PyType_Spec clock_spec;
extern PyType_Spec interval_spec;

struct native_state *native_state_of(PyObject *module);

/* Set the exception for a negative errno of a read or a wait; interval may be NULL. Returns NULL. */
PyObject *native_raise(struct native_state *state, int error,
		       const struct chronotick_interval *interval);

/* A new Interval, or NULL and an exception. */
PyObject *interval_new(PyTypeObject *type, const struct chronotick_interval *interval, int error);

/* 1 and *ret filled in if that is an Interval; else 0 and TypeError. */
int interval_get(struct native_state *state, PyObject *object, struct chronotick_interval *ret);

/* Keep a clock's page mapped, for as long as the GIL is let go. NULL and ValueError: it is closed. */
struct native_mapping *clock_hold(struct clock_object *clock);
void clock_release(struct native_mapping *mapping);

/* Map anew what the clock was opened for: 0, or -1 and an exception, with the clock as it was. */
int clock_reopen(struct native_state *state, struct clock_object *clock);

/* Clock.at_batch(counters, earliest_ns, utc_ns, latest_ns, results) */
PyObject *clock_at_batch(PyObject *self, PyObject *args);

/* The 18 values of a record, in the order of the original's ChronoTickData. */
PyObject *record_tuple(const struct chronotick_record *record);

/* parse_record(buffer, retries, order) */
PyObject *record_parse(PyObject *module, PyObject *args);

#endif /* CHRONOTICK_PYTHON_NATIVE_H */
