/* SPDX-License-Identifier: MIT */
/* States of SCTP associations in the terms of TCP. */
#ifndef MODEL_SCTP_H
#define MODEL_SCTP_H

#include <stddef.h>

#include <portavoz/conversation.h>

/*
 * enum sctp_state of the kernel (include/net/sctp/constants.h) to the state of TCP that is nearest;
 * PV_STATE_UNKNOWN for a number it does not have.
 */
static inline enum pv_state sctp_association_state(size_t state)
{
	static const uint8_t states[] = {
		PV_STATE_CLOSE,				  /* CLOSED */
		PV_STATE_SYN_SENT,			  /* COOKIE_WAIT */
		PV_STATE_SYN_SENT,			  /* COOKIE_ECHOED */
		PV_STATE_ESTABLISHED, PV_STATE_FIN_WAIT1, /* SHUTDOWN_PENDING */
		PV_STATE_FIN_WAIT2,			  /* SHUTDOWN_SENT */
		PV_STATE_CLOSE_WAIT,			  /* SHUTDOWN_RECEIVED */
		PV_STATE_LAST_ACK,			  /* SHUTDOWN_ACK_SENT */
	};

	return state < sizeof(states) ? (enum pv_state)states[state] : PV_STATE_UNKNOWN;
}

#endif
