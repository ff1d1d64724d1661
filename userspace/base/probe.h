/* SPDX-License-Identifier: MIT */
/*
 * USDT probes of the daemon, all of the provider `chronotick`: a nop each, which a tracer may replace.
 * Without <sys/sdt.h> they are nothing. Documentation/tracing.md lists them.
 */
#ifndef BASE_PROBE_H
#define BASE_PROBE_H

#ifdef CHRONOTICK_PROBES
#ifndef STAP_SDT_ARG_CONSTRAINT
#define STAP_SDT_ARG_CONSTRAINT nr /* nothing that is relative to the program counter */
#endif
#include <sys/sdt.h>
#define PROBE3(name, a, b, c) STAP_PROBE3(chronotick, name, a, b, c)
#define PROBE7(name, a, b, c, d, e, f, g) STAP_PROBE7(chronotick, name, a, b, c, d, e, f, g)
#else
#define PROBE3(name, a, b, c) ((void)(a), (void)(b), (void)(c))
#define PROBE7(name, a, b, c, d, e, f, g)                                                          \
	((void)(a), (void)(b), (void)(c), (void)(d), (void)(e), (void)(f), (void)(g))
#endif

#endif /* BASE_PROBE_H */
