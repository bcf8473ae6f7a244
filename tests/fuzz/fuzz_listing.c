/* SPDX-License-Identifier: MIT */
/* Saved text of ss, netstat and lsof: any bytes give a sound snapshot or an error. */
#include <errno.h>
#include <stdlib.h>

#include <portavoz/capture.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pv_snapshot *s = NULL;
	int r = pv_listing_parse(data, size, &s);

	require(r == 0 || r == -EBADMSG);
	for (size_t i = 0; r == 0 && i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);

		require(c->local.port <= UINT16_MAX && c->remote.port <= UINT16_MAX);
		require(pv_proto_is_inet(c->proto) && c->state < PV_STATE_N);
		for (uint32_t k = 0; k < c->n_holders; k++)
			require(pv_snapshot_holder(s, c, k)->process <
				pv_snapshot_process_count(s));
	}
	pv_snapshot_free(s);
	return 0;
}
