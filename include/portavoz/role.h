/* SPDX-License-Identifier: MIT */
/*
 * Roles: what the sockets of a host are for, without what changes from one start to the next. A
 * role is programs or units, protocol, direction and service; numbers of processes, descriptors and
 * ephemeral ports have no part in it. What may vary within a role (users, networks) is summed up.
 *
 * Remains (TIME-WAIT, half-open, not accepted, orphaned) are left out: they belong to the role of
 * the conversation they remain of.
 */
#ifndef PORTAVOZ_ROLE_H
#define PORTAVOZ_ROLE_H

#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pv_roles;

/* What must be collected for pv_roles_add(); what is suspicious needs PV_NEED_VERDICT, too */
#define PV_ROLE_NEEDS (PV_NEED_OWNERS | PV_NEED_EXE | PV_NEED_CGROUP | PV_NEED_DIRECTION)
/* Protocols that have roles: those over IP, and PACKET. */
#define PV_ROLE_PROTOS ((PV_PROTO_BIT(PV_PROTO_PING + 1) - 1) | PV_PROTO_BIT(PV_PROTO_PACKET))

/* One program that holds the socket. Members may be empty. */
struct pv_role_program {
	struct pv_bytes unit; /* of systemd; none that is made for one login, call or container */
	struct pv_bytes exe;  /* without the kernel's " (deleted)" */
	struct pv_bytes container; /* a name; ids change with each start and are left out */
	struct pv_bytes comm;	   /* where exe is not known, else empty */
	bool unit_is_pattern;	   /* an instance for one connection: "ssh@*.service" */
};

struct pv_role_net {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t bits;
	uint8_t addr[16];
};

enum pv_role_port {
	PV_ROLE_PORT_NONE,    /* the protocol has none, or it is not known which end serves */
	PV_ROLE_PORT_NUMBER,  /* of the serving end; RAW: the IP protocol */
	PV_ROLE_PORT_DYNAMIC, /* a number that the system, or the other end's, may have picked */
};
/* From here on a number at the other end is taken for one: Linux picks from 32768 to 60999. */
#define PV_ROLE_DYNAMIC_FIRST 32768

/* Belongs to its struct pv_roles. */
struct pv_role {
	/* sorted, each once; 0: no process holds it, and reason is PV_REASON_KERNEL */
	const struct pv_role_program *programs;
	size_t n_programs;
	uint8_t reason;	   /* enum pv_reason */
	uint8_t proto;	   /* enum pv_proto */
	uint8_t direction; /* enum pv_direction */
	uint8_t port_kind; /* enum pv_role_port */
	bool has_remote;   /* its sockets are connected */
	uint32_t port;	   /* NUMBER */
	/* login names of the sockets' users, or numbers; sorted. 0 = not known, or made up */
	const struct pv_bytes *users;
	size_t n_users;
	/*
	 * Sorted. LISTEN: where it listens; else where the other ends are. any_net: everywhere, or
	 * in too many networks to name.
	 */
	const struct pv_role_net *nets;
	size_t n_nets;
	bool any_net;
	/* rules that accuse one of its sockets: 1 << index of pv_rules(); with PV_NEED_VERDICT */
	uint64_t suspicious;
};

struct pv_roles *pv_roles_new(void); /* NULL = out of memory */
void pv_roles_free(struct pv_roles *roles);
/* Adds those of a snapshot (collected with PV_ROLE_NEEDS). 0 or -ENOMEM. Not after finishing. */
int pv_roles_add(struct pv_roles *roles, const struct pv_snapshot *snapshot);
/* Sums up and sorts: roles may be looked at from now on. 0 or -ENOMEM. */
int pv_roles_finish(struct pv_roles *roles);

size_t pv_roles_count(const struct pv_roles *roles);
/* index < pv_roles_count(); the order depends on nothing but the roles */
const struct pv_role *pv_roles_get(const struct pv_roles *roles, size_t index);
/* Sockets of the last snapshot added that have no role, because their owner is not known. */
uint64_t pv_roles_unowned(const struct pv_roles *roles, enum pv_reason reason);

/*
 * The roles as a policy (portavoz-policy(5)) in *ret_text, for free(): one "expect" each, below a
 * comment with the rules that accuse it, which "expect" alone does not silence. With
 * `always` listeners of units are expected at any time. Roles without unit and executable cannot be
 * told by more than a name, which explains nothing: they are left out and counted in *ret_unnamed.
 * 0 or -ENOMEM.
 */
int pv_roles_baseline(const struct pv_roles *roles, bool always, char **ret_text,
		      size_t *ret_unnamed);

enum pv_role_change { PV_ROLE_NEW, PV_ROLE_GONE, PV_ROLE_CHANGED, PV_ROLE_CHANGE_N };
struct pv_role_difference {
	enum pv_role_change change;
	const struct pv_role *before, *after; /* NULL when new, when gone */
};
const char *pv_role_change_name(enum pv_role_change change); /* "new", "gone", "changed" */
/*
 * What became of the roles, both finished: *ret is for free(), in the order of the roles. A role is
 * changed when its users or networks are others. 0 or -ENOMEM.
 */
int pv_roles_diff(const struct pv_roles *before, const struct pv_roles *after,
		  struct pv_role_difference **ret, size_t *ret_n);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
