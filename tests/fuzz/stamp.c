/* SPDX-License-Identifier: MIT */
/*
 * Control messages of a datagram and of the error queue, as a kernel might get them wrong: the input is
 * the control buffer as recvmsg(2) left it. 
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chronotick_page.h"
#include "timestamping/stamp_control.h"

#define YEAR_2107_NS 4323000000000000000LL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stamp(const struct stamp *stamp)
{
	if (stamp->hardware_ns < 0 || stamp->hardware_ns > YEAR_2107_NS || stamp->system_ns < 0 ||
	    stamp->system_ns > YEAR_2107_NS)
		abort();
	if ((stamp->system_ns != 0) != (stamp->quality == CHRONOTICK_STAMP_KERNEL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msghdr header = {0};
	struct stamp stamp;
	uint32_t id = 0;
	void *control;
	int r;

	if (size < 1 || size > STAMP_CONTROL_SIZE)
		return 0;
	/* Of its very size, so that a sanitizer sees what is read beyond it */
	control = malloc(size);
	if (!control)
		return 0;
	memcpy(control, data, size);
	header.msg_control = control;
	header.msg_controllen = size;
	if (stamp_control_received(&header, &stamp) != (stamp.system_ns || stamp.hardware_ns))
		abort();
	check_stamp(&stamp);
	r = stamp_control_transmitted(&header, &id, &stamp);
	if (r < -4096 || r > 1 || (r == 1 && !stamp.system_ns && !stamp.hardware_ns))
		abort();
	check_stamp(&stamp);
	free(control);
	return 0;
}
