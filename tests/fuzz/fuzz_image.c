/* SPDX-License-Identifier: MIT */
/*
 * Images of snapshots from anywhere: what is accepted refers to what is there only, and its own
 * image is accepted, too.
 */
#include <stdlib.h>

#include <portavoz/exposure.h>

#include "base/cleanup.h"
#include "model/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t look(const struct pv_snapshot *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);
		const struct pv_conversation *peer = pv_snapshot_peer(s, c);

		sum += peer ? peer->cookie : pv_snapshot_netns(s, c->netns)->inode;
		for (uint32_t k = 0; k < c->n_holders; k++) {
			const struct pv_holder *h = pv_snapshot_holder(s, c, k);

			sum += (uint64_t)pv_snapshot_process(s, h->process)->pid;
		}
		sum += c->path ? c->path->len : 0;
		if (pv_snapshot_publication(s, c))
			sum += pv_snapshot_publication(s, c)->chain.len;
		if (pv_snapshot_translation(s, c))
			sum += pv_snapshot_translation(s, c)->remote.port;
		if (pv_snapshot_user(s, c->uid) || !pv_state_name(c->proto, c->state))
			sum++;
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_snapshot *s = snapshot_new(), *again = snapshot_new();

	if (s && again && image_get(size ? (const void *)data : "", size, s) == 0) {
		image_put(s, &b);
		if (!buf_error(&b) && image_get(b.data, b.len, again) == -EBADMSG)
			abort();
		snapshot_seal(s);
		if (look(s) == 1)
			size++;
	}
	pv_snapshot_free(s);
	pv_snapshot_free(again);
	return 0;
}
