// SPDX-License-Identifier: MIT
// now: UTC from C++17, as std::chrono has it, with a handle that closes itself.
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>

#include <chronotick/chronotick.h>

class clock_page
{
public:
	using time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

	struct interval {
		time earliest, best, latest;
	};

	explicit clock_page(const char *path = nullptr)
	{
		chronotick *opened;
		const int r = chronotick_open(&opened, path);

		if (r < 0)
			throw std::runtime_error(chronotick_strerror(r));
		page.reset(opened);
	}

	// UTC now; nothing where it may not be trusted.
	std::optional<interval> now() const
	{
		chronotick_interval read;

		if (chronotick_now(page.get(), &read) < 0)
			return std::nullopt;
		return interval{at(read.earliest_ns), at(read.utc_ns), at(read.latest_ns)};
	}

private:
	struct closer {
		void operator()(chronotick *ct) const
		{
			chronotick_close(ct);
		}
	};

	static time at(int64_t ns)
	{
		return time(std::chrono::nanoseconds(ns));
	}

	std::unique_ptr<chronotick, closer> page;
};

int main()
{
	try {
		const clock_page page;
		const auto now = page.now();

		if (!now) {
			std::fprintf(stderr, "now: the time is not trusted\n");
			return 1;
		}
		std::printf("UTC is %lld ns, +- %lld ns\n",
			    static_cast<long long>(now->best.time_since_epoch().count()),
			    static_cast<long long>((now->latest - now->best).count()));
	} catch (const std::exception &error) {
		std::fprintf(stderr, "now: %s\n", error.what());
		return 1;
	}
	return 0;
}
