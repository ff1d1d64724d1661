/* SPDX-License-Identifier: MIT */
/* What `chronotick sources` tells of PTP sources beside what all have. */
#ifndef CLI_SOURCES_PTP_H
#define CLI_SOURCES_PTP_H

#include <jansson.h>

#include "control/protocol.h"

/* Lines of details */
void ptp_print(const struct control_ptp_reply *ptp);

/* An object; the caller's reference */
json_t *ptp_json(const struct control_ptp_reply *ptp);

#endif /* CLI_SOURCES_PTP_H */
