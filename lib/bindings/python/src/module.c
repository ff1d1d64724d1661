/* SPDX-License-Identifier: MIT */
/* The module chronotick._native: its types, and its functions. */
#include "native.h"

struct native_state *native_state_of(PyObject *module)
{
	return PyModule_GetState(module);
}

/* The library's sentence, or the system's where the library has none of its own. */
static const char *error_text(int error)
{
	static const char general[] = "system error";
	const char *text = chronotick_strerror(error);

	return strncmp(text, general, sizeof(general) - 1) == 0 ? strerror(-error) : text;
}

PyObject *native_raise(struct native_state *state, int error,
		       const struct chronotick_interval *interval)
{
	int trust = error == -EAGAIN || error == -ESTALE || error == -ERANGE || error == -EOVERFLOW;
	PyObject *type = trust ? state->error_untrusted : state->error_other;
	PyObject *exception, *read = Py_None;

	Py_INCREF(read);
	if (interval) {
		Py_DECREF(read);
		read = interval_new(state->interval_type, interval, error);
		if (!read)
			return NULL;
	}
	exception = PyObject_CallFunction(type, "siO", error_text(error), -error, read);
	if (exception)
		PyErr_SetObject(type, exception);
	Py_XDECREF(exception);
	Py_DECREF(read);
	return NULL;
}

static PyObject *module_compare(PyObject *module, PyObject *args)
{
	struct native_state *state = PyModule_GetState(module);
	struct chronotick_interval a, b;
	PyObject *first, *second;

	if (!PyArg_ParseTuple(args, "OO", &first, &second) || !interval_get(state, first, &a) ||
	    !interval_get(state, second, &b))
		return NULL;
	/* What is not trusted overlaps with everything, wherever its ends come from. */
	if (((struct interval_object *)first)->error || ((struct interval_object *)second)->error)
		return PyLong_FromLong(CHRONOTICK_OVERLAP);
	return PyLong_FromLong(chronotick_compare(&a, &b));
}

static PyObject *module_strerror(PyObject *module, PyObject *error)
{
	long value = PyLong_AsLong(error);

	(void)module;
	if (value == -1 && PyErr_Occurred())
		return NULL;
	if (value > INT_MAX || value < -INT_MAX) {
		PyErr_SetString(PyExc_OverflowError, "no such error number");
		return NULL;
	}
	return PyUnicode_FromString(error_text(value > 0 ? (int)-value : (int)value));
}

static PyMethodDef native_methods[] = {
	{"compare", module_compare, METH_VARARGS,
	 "compare(a, b)\n--\n\n-1: a certainly happened first, 1: b did, 0: it can't be told."},
	{"parse_record", record_parse, METH_VARARGS,
	 "parse_record(buffer, tries, order)\n--\n\nThe values of a record in a buffer. order: "
	 "0 the document's, 1 the Python client's, -1 what the page says."},
	{"strerror", module_strerror, METH_O,
	 "strerror(error)\n--\n\nA sentence for an error of the library."},
	{0},
};

/* now_ns() and now(): those of a clock that is opened when it is first read. */
static int functions_add(PyObject *module, struct native_state *state)
{
	static const char *const names[] = {"now_ns", "now"};
	PyObject *clock = PyType_GenericAlloc(state->clock_type, 0), *method;
	unsigned int i;
	int r = clock ? 0 : -1;

	if (clock)
		((struct clock_object *)clock)->lazy = 1;
	for (i = 0; i < 2 && r == 0; i++) {
		method = PyObject_GetAttrString(clock, names[i]);
		r = method ? PyModule_AddObjectRef(module, names[i], method) : -1;
		Py_XDECREF(method);
	}
	Py_XDECREF(clock);
	return r;
}

static int native_exec(PyObject *module)
{
	struct native_state *state = PyModule_GetState(module);
	PyObject *errors = PyImport_ImportModule("chronotick.errors");

	if (!errors)
		return -1;
	state->error_page = PyObject_GetAttrString(errors, "PageError");
	state->error_untrusted = PyObject_GetAttrString(errors, "NotTrustedError");
	state->error_other = PyObject_GetAttrString(errors, "ChronoTickError");
	Py_DECREF(errors);
	state->clock_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &clock_spec, NULL);
	state->interval_type =
		(PyTypeObject *)PyType_FromModuleAndSpec(module, &interval_spec, NULL);
	if (!state->error_page || !state->error_untrusted || !state->error_other ||
	    !state->clock_type || !state->interval_type)
		return -1;
	if (PyModule_AddType(module, state->clock_type) < 0 ||
	    PyModule_AddType(module, state->interval_type) < 0 || functions_add(module, state) < 0)
		return -1;
	return PyModule_AddStringConstant(module, "PAGE_NAME", CHRONOTICK_SHM_NAME);
}

static int native_traverse(PyObject *module, visitproc visit, void *arg)
{
	struct native_state *state = PyModule_GetState(module);

	Py_VISIT(state->clock_type);
	Py_VISIT(state->interval_type);
	Py_VISIT(state->error_page);
	Py_VISIT(state->error_untrusted);
	Py_VISIT(state->error_other);
	return 0;
}

static int native_clear(PyObject *module)
{
	struct native_state *state = PyModule_GetState(module);

	Py_CLEAR(state->clock_type);
	Py_CLEAR(state->interval_type);
	Py_CLEAR(state->error_page);
	Py_CLEAR(state->error_untrusted);
	Py_CLEAR(state->error_other);
	return 0;
}

static void native_free(void *module)
{
	native_clear(module);
}

static PyModuleDef_Slot native_slots[] = {
	{Py_mod_exec, native_exec},
	{0, NULL},
};

static struct PyModuleDef native_module = {
	PyModuleDef_HEAD_INIT,
	.m_name = "chronotick._native",
	.m_doc = "libchronotick, compiled in.",
	.m_size = sizeof(struct native_state),
	.m_methods = native_methods,
	.m_slots = native_slots,
	.m_traverse = native_traverse,
	.m_clear = native_clear,
	.m_free = native_free,
};

PyMODINIT_FUNC PyInit__native(void);

PyMODINIT_FUNC PyInit__native(void)
{
	return PyModuleDef_Init(&native_module);
}
