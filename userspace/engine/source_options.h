/* SPDX-License-Identifier: MIT */
/*
 * What an operator says of one source. A word in this changes who is believed, so it says exactly:
 *
 *	TRUST	 the votes are those of the trusted sources alone, where one of them is usable:
 *		 more than half of these must agree. Another source is true if its interval
 *		 meets what they agree on. Without a usable one the others vote as always.
 *	PREFER	 as long as a preferred source is a truechimer, the estimate is made of the
 *		 preferred truechimers alone. Votes and bound are as without it.
 *	NOSELECT it is measured and shown; it has no vote and no part in anything. It wins
 *		 over the other two.
 */
#ifndef ENGINE_SOURCE_OPTIONS_H
#define ENGINE_SOURCE_OPTIONS_H

#define ENGINE_SOURCE_PREFER 1U
#define ENGINE_SOURCE_TRUST 2U
#define ENGINE_SOURCE_NOSELECT 4U
#define ENGINE_SOURCE_OPTIONS 7U

#endif /* ENGINE_SOURCE_OPTIONS_H */
