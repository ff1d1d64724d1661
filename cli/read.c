/* SPDX-License-Identifier: MIT */
/* chronotick read: the corrected time once. */
#include "cli.h"
#include "text.h"
#include "view/view.h"

int cli_read(const struct cli *cli)
{
	char text[TEXT_SIZE], other[TEXT_SIZE];
	struct view view;
	bool trusted;

	view_take(&view, cli->page);
	if (view.open < 0) {
		fprintf(stderr, "chronotick: %s: %s\n", view.path, view.reason);
		return CLI_UNTRUSTED;
	}
	trusted = view.trust == 0;
	printf("%sChronoTick%s\n", text_colour(cli, TEXT_BOLD), text_colour(cli, TEXT_PLAIN));
	if (view_utc_ns(&view))
		text_field(cli, "Corrected time", trusted ? TEXT_GOOD : TEXT_BAD, "%s%s",
			   text_time(text, view_utc_ns(&view)), trusted ? "" : " (not trusted)");
	else
		text_field(cli, "Corrected time", TEXT_BAD, "unknown");
	if (trusted) {
		text_field(cli, "Bound", TEXT_PLAIN, "%s",
			   text_plus_minus(text, (double)view_bound_ns(&view) * 1e-9));
		text_field(cli, "Earliest", TEXT_PLAIN, "%s",
			   text_time(text, view.now.earliest_ns));
		text_field(cli, "Latest", TEXT_PLAIN, "%s", text_time(text, view.now.latest_ns));
	} else {
		text_field(cli, "Bound", TEXT_BAD, "unknown");
	}
	text_field(cli, "System time", TEXT_PLAIN, "%s", text_time(text, view.system_ns));
	text_field(cli, "Offset", TEXT_PLAIN, "%s",
		   text_duration(text, view_double(&view, view.record.offset_correction), true));
	text_field(cli, "Drift", TEXT_PLAIN, "%s",
		   text_number(text, view_double(&view, view.record.drift_rate) * 1e6, 6, true,
			       " us/s"));
	text_field(cli, "Uncertainty", TEXT_PLAIN, "%s (one sigma)",
		   text_plus_minus(text, view.uncertainty_s));
	text_field(cli, "Confidence", TEXT_PLAIN, "%s",
		   text_number(text, view_double(&view, (double)view.record.confidence) * 100, 1,
			       false, " %"));
	text_field(
		cli, "Source", TEXT_PLAIN, "%s",
		chronotick_source_name(view.has_record ? view.record.source : CHRONOTICK_NO_DATA));
	text_yes(cli, "Valid", trusted);
	text_yes(cli, "NTP ready", view_flag(&view, CHRONOTICK_FLAG_NTP_READY));
	text_yes(cli, "Models ready", view_flag(&view, CHRONOTICK_FLAG_MODELS_READY));
	text_field(cli, "Clock status",
		   !trusted                                 ? TEXT_BAD
		   : view.status == CHRONOTICK_SYNCHRONIZED ? TEXT_GOOD
							    : TEXT_WARN,
		   "%s", chronotick_status_name(view.status));
	text_field(cli, "Reason", TEXT_PLAIN, "%s", view.reason);
	if (view.now.tai_offset_s == CHRONOTICK_TAI_UNKNOWN)
		snprintf(other, sizeof(other), "unknown");
	else
		snprintf(other, sizeof(other), "%d s", view.now.tai_offset_s);
	text_field(cli, "TAI - UTC", TEXT_PLAIN, "%s", other);
	text_field(cli, "Generation", TEXT_PLAIN, "%u", view.now.generation);
	return trusted ? CLI_TRUSTED : CLI_UNTRUSTED;
}
