/* SPDX-License-Identifier: MIT */
/* bench-nic's page of HTML: whatever the machine calls its parts, it is text there. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "nic/report.h"

static struct nic_plot plots[2];

static char *written(const json_t *results, unsigned int count)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	cr_assert_eq(nic_report_write(file, results, plots, count), 0);
	fclose(file);
	return text;
}

Test(nic_report, all_texts_are_escaped)
{
	const char *bad = "<b>&\"'";
	json_t *results =
		json_pack("{s:s, s:[s,s], s:{s:s}, s:[{s:s}], s:[[s,i]]}", "text", bad, "list", bad,
			  bad, "object", "<i>", bad, "objects", "<u>", bad, "rows", bad, 1);
	char *text = written(results, 0);

	cr_assert_null(strstr(text, "<b>"));
	cr_assert_null(strstr(text, "<i>"));
	cr_assert_null(strstr(text, "<u>"));
	cr_assert_not_null(strstr(text, "<td>&lt;b&gt;&amp;&quot;&#39;</td>"));
	cr_assert_not_null(strstr(text, "&quot;&#39;<br>&lt;b"));
	free(text);
	json_decref(results);
}

Test(nic_report, a_list_of_objects_has_a_column_for_each)
{
	json_t *results = json_pack("{s:[{s:i},{s:i}]}", "pages", "ns", 12, "ns", 34);
	char *text = written(results, 0);

	cr_assert_not_null(strstr(text, "12"));
	cr_assert_not_null(strstr(text, "34"));
	cr_assert_null(strstr(text, "{\""));
	free(text);
	json_decref(results);
}

Test(nic_report, plots_stay_within_their_frame)
{
	json_t *results = json_object();
	const char *points;
	unsigned int i;
	char *text, *end;

	plots[0] = (struct nic_plot){.title = "a < b", .x_name = "s", .y_name = "ns", .count = 5};
	for (i = 0; i < 5; i++) {
		plots[0].x[i] = i;
		plots[0].y[i] = i % 2 ? -1e9 : 1e-3;
	}
	plots[1] = (struct nic_plot){
		.title = "log", .x_name = "s", .y_name = "1", .logarithmic = true, .count = 4};
	for (i = 0; i < 4; i++) {
		plots[1].x[i] = i; /* the first one has no logarithm */
		plots[1].y[i] = 1e-9;
	}
	text = written(results, 2);
	cr_assert_not_null(strstr(text, "<h3>a &lt; b</h3>"));
	cr_assert_null(strstr(text, "nan"));
	cr_assert_null(strstr(text, "inf"));
	points = text;
	for (i = 0; (points = strstr(points, "points=\"")); i++) {
		for (points += 8; *points != '"'; points = end + 1) {
			double x = strtod(points, &end), y;

			cr_assert_eq(*end, ',');
			y = strtod(end + 1, &end);
			cr_assert(x >= 60 && x <= 780 && y >= 10 && y <= 270, "%g,%g", x, y);
		}
	}
	cr_assert_eq(i, 2);
	free(text);
	json_decref(results);
}

Test(nic_report, a_plot_without_points_is_left_out)
{
	json_t *results = json_object();
	char *text;

	plots[0] = (struct nic_plot){.title = "nothing", .x_name = "s", .y_name = "ns"};
	plots[1] = (struct nic_plot){.title = "one", .x_name = "s", .y_name = "ns", .count = 1};
	text = written(results, 2);
	cr_assert_null(strstr(text, "nothing"));
	cr_assert_not_null(strstr(text, "too few points"));
	cr_assert_null(strstr(text, "<polyline"));
	free(text);
	json_decref(results);
}

Test(nic_report, it_refers_to_nothing_outside)
{
	json_t *results = json_object();
	char *text = written(results, 0);

	cr_assert_null(strstr(text, "http"));
	cr_assert_null(strstr(text, "src="));
	cr_assert_null(strstr(text, "href="));
	cr_assert_null(strstr(text, "<script"));
	cr_assert_null(strstr(text, "@import"));
	free(text);
	json_decref(results);
}

Test(nic_report, a_disk_that_is_full_is_told)
{
	json_t *results = json_object();
	FILE *file = fopen("/dev/full", "w");

	if (!file)
		cr_skip_test("this machine has no /dev/full");
	setvbuf(file, NULL, _IONBF, 0);
	cr_assert_lt(nic_report_write(file, results, plots, 0), 0);
	fclose(file);
	json_decref(results);
}
