/* SPDX-License-Identifier: MIT */
/* Short names for the tables of scenarios */
#ifndef SIM_SHORTHAND_H
#define SIM_SHORTHAND_H

#define US 1e3
#define MS 1e6

#define LAN(jitter) .to = {30 * US, jitter}, .from = {30 * US, jitter}, .stamp_ns = 2 * US
#define WAN(delay, jitter) .to = {delay, jitter}, .from = {delay, jitter}, .stamp_ns = 5 * US
/* Of PTP's kind: an exchange errs by a microsecond at most */
#define QUICK .to = {500, 50}, .from = {500, 50}, .stamp_ns = 20
#define ROOT(delay, dispersion) .root_delay_ns = delay, .root_dispersion_ns = dispersion
/* Random-walk frequency: standard deviation a second, within a band */
#define WALK(step, band) .walk_step_ppb = step, .walk_ppb = band

/* Both ways alike, with any jitter */
#define WAY(delay, jitter, kind) .to = {delay, jitter, kind}, .from = {delay, jitter, kind}
/* Of a server's mainboard, at an even temperature */
#define CRYSTAL .white_ppb = 0.5, .flicker_ppb = 0.3, WALK(0.1, 200)
/* 5 K a day, and 1 K every 20 minutes, read with noise */
#define ROOM                                                                                       \
	{                                                                                          \
		.mean_c = 40, .day_k = 5, .sawtooth_k = 1, .sawtooth_s = 1200,                     \
		.sensor_sd_k = 0.05, .sensor_s = 10                                                \
	}
#define STRAY(step, most) .wander_step_ns = step, .wander_ns = most
/* Each time silent for a minute and not synchronised for another, then back with an error */
#define RESTART(at, every, error)                                                                  \
	.restart = {at, every, .silent_s = 60, .unsynchronised_s = 60, error, .settle_s = 300}
#define SERVER LAN(10 * US), ROOT(0, 20 * US), .poll_s = 8
#define RIGHT                                                                                      \
	{                                                                                          \
		SERVER                                                                             \
	}
#define WRONG(offset)                                                                              \
	{                                                                                          \
		SERVER, .offset_ns = offset                                                        \
	}
#define TURNS(offset)                                                                              \
	{                                                                                          \
		SERVER, .step_ns = offset, .step_at_s = 1800                                       \
	}
/* Asked each second over a wire of 10 us */
#define NEAR .to = {10 * US, 2 * US}, .from = {10 * US, 2 * US}, .stamp_ns = 1 * US, .poll_s = 1
#define TRUSTED(first) .trusted_share = 0.99, .first_trusted_s = first

#endif /* SIM_SHORTHAND_H */
