// SPDX-License-Identifier: MIT
// All of the library from C++17, on a page made by hand that may be trusted.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <type_traits>
#include <vector>

#include <unistd.h>

#include <chronotick/chronotick.h>

int other(const chronotick *ct, chronotick_interval *ret);

static_assert(std::is_trivially_copyable_v<chronotick_interval>);
static_assert(std::is_standard_layout_v<chronotick_page>);
static_assert(sizeof(chronotick_page) == CHRONOTICK_PAGE_SIZE);
static_assert(sizeof(chronotick_interval) == 32);
static_assert(sizeof(chronotick_change) == 12);

namespace
{

struct closer {
	void operator()(chronotick *ct) const
	{
		chronotick_close(ct);
	}
};

int failures;

void check(bool good, const char *what)
{
	if (good)
		return;
	std::printf("wrong: %s\n", what);
	failures++;
}

void reads(const chronotick *ct)
{
	chronotick_interval now{}, later{};
	chronotick_tai tai{};

	check(chronotick_now(ct, &now) == 0, "chronotick_now");
	check(now.earliest_ns <= now.utc_ns && now.utc_ns <= now.latest_ns, "the interval");
	check(chronotick_now_unordered(ct, &later) == 0, "chronotick_now_unordered");
	check(chronotick_compare(&now, &later) != CHRONOTICK_AFTER, "chronotick_compare");
	check(chronotick_now_within(ct, 0, &later) == -EOVERFLOW, "chronotick_now_within");
	check(chronotick_at_within(ct, chronotick_counter(ct), 1000000000, &later) == 0,
	      "chronotick_at_within");
	check(chronotick_interval_tai(&now, &tai) == 0 &&
		      tai.tai_ns - now.utc_ns == std::int64_t{37} * 1000000000,
	      "chronotick_interval_tai");
	check(chronotick_writer_check(ct, nullptr) != -EAGAIN, "chronotick_writer_check");
	check(chronotick_torn_reads() == 0, "chronotick_torn_reads");
	check(other(ct, &now) == 0, "the other file's reads");
}

void batches(const chronotick *ct)
{
	std::vector<std::uint64_t> counters(100);
	std::vector<chronotick_interval> at(counters.size());
	std::vector<int> results(counters.size(), 1);

	std::generate(counters.begin(), counters.end(), [ct] { return chronotick_counter(ct); });
	check(chronotick_at_batch(ct, counters.data(), counters.size(), at.data(),
				  results.data()) == 0,
	      "chronotick_at_batch");
	check(std::all_of(results.begin(), results.end(), [](int r) { return r == 0; }),
	      "the batch's results");
	check(std::is_sorted(at.begin(), at.end(),
			     [](const auto &a, const auto &b) { return a.utc_ns < b.utc_ns; }),
	      "the batch's times");
}

void waits(const chronotick *ct)
{
	chronotick_interval stamp{}, now{};
	chronotick_change last{};

	check(chronotick_now(ct, &stamp) == 0, "a stamp");
	check(chronotick_wait_until(ct, stamp.latest_ns, -1, &now) == 0 &&
		      now.earliest_ns > stamp.latest_ns &&
		      chronotick_compare(&stamp, &now) == CHRONOTICK_BEFORE,
	      "chronotick_wait_until");
	check(chronotick_wait_change(ct, &last, -1) == 0, "chronotick_wait_change");
	check(chronotick_wait_change(ct, &last, 0) == -ETIMEDOUT, "no change");

	int timeout_ms = 0;
	const int fd = chronotick_poll_fd(ct);

	check(fd >= 0, "chronotick_poll_fd");
	check(chronotick_poll_change(ct, fd, &last, &timeout_ms) == -ETIMEDOUT && timeout_ms > 0,
	      "chronotick_poll_change");
	close(fd);
}

void records(const chronotick *ct)
{
	chronotick_record record{};

	check(chronotick_record_read(ct, &record) == 0, "chronotick_record_read");
	check(chronotick_corrected_time_at(&record, record.prediction_time) > 0, "corrected time");
	check(chronotick_uncertainty_at(&record, record.prediction_time) > 0, "uncertainty");
	check(chronotick_source_name(record.source) != nullptr, "names");
}

} // namespace

int main(int argc, char **argv)
{
	chronotick *raw = nullptr;
	int r = chronotick_open(&raw, argc > 1 ? argv[1] : nullptr);

	if (r < 0) {
		std::printf("%s\n", chronotick_strerror(r));
		return 1;
	}
	const std::unique_ptr<chronotick, closer> ct(raw);

	reads(ct.get());
	batches(ct.get());
	waits(ct.get());
	records(ct.get());
	return failures != 0;
}
