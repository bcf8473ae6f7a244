/* SPDX-License-Identifier: MIT */
/*
 * The verdict of a conversation: explained, unexplained or suspicious, with the rules that fired
 * and their evidence in words. Collect with PV_NEED_VERDICT; see portavoz-rules(7).
 *
 * A suspicious finding outweighs whatever explains; what nothing explains is unexplained. A verdict
 * rests on the executable (device, inode, path, deleted or not), the user, the unit or container
 * and the kernel-thread flag, never on a port number or a process name alone.
 */
#ifndef PORTAVOZ_JUDGE_H
#define PORTAVOZ_JUDGE_H

#include <portavoz/conversation.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pv_snapshot;

enum pv_verdict {
	PV_VERDICT_NONE, /* not judged: not asked for, or of a protocol that is not judged */
	PV_VERDICT_EXPLAINED,
	PV_VERDICT_UNEXPLAINED,
	PV_VERDICT_SUSPICIOUS,
	PV_VERDICT_N,
};

enum pv_severity {
	PV_SEVERITY_EXPLAINS,	/* enough for "explained", if nothing is suspicious */
	PV_SEVERITY_NOTE,	/* worth saying; changes no verdict */
	PV_SEVERITY_SUSPICIOUS, /* enough for "suspicious" */
	PV_SEVERITY_N,
};

/* The protocols that are judged: those over IP and PACKET. UNIX, NETLINK, VSOCK and XDP are not. */
#define PV_PROTO_JUDGED ((PV_PROTO_BIT(PV_PROTO_PING + 1) - 1) | PV_PROTO_BIT(PV_PROTO_PACKET))

/* A rule, as portavoz rules and portavoz-rules(7) show it. */
struct pv_rule {
	const char *id; /* stable: "exe-deleted" */
	enum pv_severity severity;
	const char *facts;    /* what it looks at, for people */
	const char *sentence; /* its evidence; {places} are filled with data */
	const char *about;    /* when it fires, and why that matters */
};
/* All of them, in the order in which evidence is listed. */
const struct pv_rule *pv_rules(size_t *ret_n);
/* Number of the rule with this id, for pv_rules(); -ENOENT. */
int pv_rule_find(const char *id, size_t len);

/* What one rule found about one conversation. */
struct pv_finding {
	uint32_t rule;		  /* index for pv_rules() */
	uint32_t process;	  /* index for pv_snapshot_process(); UINT32_MAX = none */
	struct pv_bytes evidence; /* a sentence; holds foreign bytes: names, paths, arguments */
	/* Offset and length in the evidence of what stands in each {place} of the rule's sentence,
	 * in their order; NULL = not known: of a recording, or redacted. */
	const uint32_t *places;
};
/* n < conversation->n_findings. Suspicious ones first, then what explains, then notes. */
const struct pv_finding *pv_snapshot_finding(const struct pv_snapshot *snapshot,
					     const struct pv_conversation *conversation,
					     uint32_t n);

/*
 * How many conversations the rule of the request's policy decided, shown or not. rule <
 * pv_policy_count()
 */
uint64_t pv_snapshot_policy_matches(const struct pv_snapshot *snapshot, size_t rule);

const char *pv_verdict_name(enum pv_verdict verdict);	 /* "explained"; NONE is "none" */
const char *pv_severity_name(enum pv_severity severity); /* "explains", "note", "suspicious" */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
