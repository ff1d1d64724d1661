/* SPDX-License-Identifier: MIT */
/* The words for numbers. Include <chronotick/chronotick.h>, not this file. */
#ifndef CHRONOTICK_NAMES_H
#define CHRONOTICK_NAMES_H

#define CHRONOTICK_NAME_OF(names, i)                                                               \
	((i) < sizeof(names) / sizeof((names)[0]) ? (names)[i] : "unknown")

CHRONOTICK_API const char *chronotick_status_name(unsigned int status)
{
	static const char *const names[] = {"unsynchronized", "warming_up",  "synchronized",
					    "holdover",       "writer_gone", "expired"};

	status &= CHRONOTICK_STATUS_MASK;
	return CHRONOTICK_NAME_OF(names, status);
}

CHRONOTICK_API const char *chronotick_source_name(unsigned int source)
{
	static const char *const names[] = {"no_data", "ntp", "cpu_model", "gpu_model",
					    "fusion",  "ptp", "phc"};

	return CHRONOTICK_NAME_OF(names, source);
}

CHRONOTICK_API const char *chronotick_source_state_name(unsigned int state)
{
	static const char *const names[] = {"unreachable", "selected",       "candidate",
					    "falseticker", "unsynchronized", "denied",
					    "loop"};

	return CHRONOTICK_NAME_OF(names, state);
}

CHRONOTICK_API const char *chronotick_stamp_name(unsigned int stamp)
{
	static const char *const names[] = {"none", "user", "kernel", "hardware"};

	return CHRONOTICK_NAME_OF(names, stamp);
}

CHRONOTICK_API const char *chronotick_counter_name(unsigned int kind)
{
	static const char *const names[] = {"none", "tsc", "cntvct", "monotonic_raw"};

	return CHRONOTICK_NAME_OF(names, kind);
}

CHRONOTICK_API const char *chronotick_strerror(int error)
{
	switch (error > 0 ? -error : error) { /* so that INT_MIN has no overflow */
	case 0:
		return "success";
	case -ENOENT:
		return "no ChronoTick page: chronotickd is not running";
	case -EACCES:
		return "no permission to read the ChronoTick page";
	case -EPERM:
		return "the ChronoTick page is of a user who is not trusted, or others may write it";
	case -ELOOP:
		return "the ChronoTick page's name is a symbolic link";
	case -EBADMSG:
		return "not a ChronoTick page, or one of an earlier boot";
	case -EPROTONOSUPPORT:
		return "the ChronoTick page has another ABI version";
	case -ENOTSUP:
		return "the ChronoTick page runs on a counter that this machine cannot read";
	case -EAGAIN:
		return "no trusted time yet";
	case -ESTALE:
		return "the time has expired: the writer is gone, or hangs";
	case -ERANGE:
		return "that counter value is from before the present generation, or too long ago";
	case -EOVERFLOW:
		return "the bound is wider than the caller allows";
	case -ENODATA:
		return "TAI - UTC is not known";
	case -ETIMEDOUT:
		return "not before the time-out";
	case -EINTR:
		return "interrupted by a signal";
	case -ENOMEM:
		return "out of memory";
	default:
		return "system error: see errno(3)";
	}
}

#endif /* CHRONOTICK_NAMES_H */
