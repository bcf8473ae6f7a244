/* SPDX-License-Identifier: MIT */
/* Rules about a conversation and one process that holds it, or nobody. */
#include <string.h>
#include <sys/socket.h>

#include <portavoz/registry.h>

#include "base/inet.h"
#include "judge/judge-internal.h"
#include "judge/known.h"

static bool is_inet(const struct judge_case *k)
{
	return pv_proto_is_inet((enum pv_proto)k->c->proto);
}

static bool is_listener(const struct pv_conversation *c)
{
	return c->state == PV_STATE_LISTEN ||
	       ((c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE) &&
		c->state == PV_STATE_CLOSE && c->local.port);
}

/*
 * Is it known that nothing about the program explains it? What could not be read accuses nobody.
 * The policy is not asked: what it accepts of a program it names (despite).
 */
static bool is_unexplained_program(const struct judge_case *k)
{
	return k->subject && k->program && !k->subject->is_explained && k->j->has_packages &&
	       k->program->has_id;
}

/* Does the process of the case hold the socket by that descriptor, too? */
static bool holds_as(const struct judge_case *k, int32_t fd)
{
	const struct pv_snapshot *s = k->j->s;
	uint32_t process = (uint32_t)(k->subject - k->j->subjects);

	for (uint32_t i = 0; i < k->c->n_holders; i++) {
		const struct pv_holder *h = pv_snapshot_holder(s, k->c, i);

		if (h->process == process && h->fd == fd)
			return true;
	}
	return false;
}

/* inetd, and systemd with Accept=yes, hand a service its conversation that way. */
static bool was_handed(const struct judge_case *k)
{
	const struct pv_process *p = k->subject->p;
	const struct subject *parent = p->parent ? &k->j->subjects[p->parent - 1] : NULL;

	if (k->c->direction != PV_DIR_INCOMING || !parent || parent->program == MAP_NONE)
		return false;
	if (parent->p->pid == 1)
		return bytes_start(&p->cgroup, "/system.slice/") && p->unit.len &&
		       memchr(p->unit.data, '@', p->unit.len);
	return program_is_explained(&k->j->programs.items[parent->program]);
}

/* A packaged shell or interpreter that was told to run a script of a package. */
static bool runs_packaged_script(const struct judge_case *k)
{
	return program_is_packaged(k->program) && k->subject->script != MAP_NONE &&
	       k->j->queries.items[k->subject->script].package.len;
}

/* A shell under another name, or one that somebody brought along. */
static bool is_like_shell(const struct judge_case *k)
{
	return k->fd == 0 && is_unexplained_program(k) && !program_is_packaged(k->program) &&
	       !k->subject->p->container.len && k->c->remote.port && holds_as(k, 1) &&
	       !was_handed(k);
}

bool test_shell_on_socket(struct judge_case *k)
{
	static const char *const streams[] = { "standard input is", "standard output is" };
	bool is_shell = k->program &&
			(k->program->kind == KIND_SHELL || k->program->kind == KIND_INTERPRETER);

	if (!k->program || !is_inet(k) || k->fd < 0 || k->fd > 1)
		return false;
	if (is_shell ? runs_packaged_script(k) && was_handed(k) : !is_like_shell(k))
		return false;
	case_text(k, "what", is_shell ? "a shell or an interpreter" : "of no package");
	case_text(k, "stream", is_shell ? streams[k->fd] : "standard input and output are");
	return true;
}

/* A shell that is fed by the holder, and how. */
bool test_shell_behind_relay(struct judge_case *k)
{
	const struct shell *shell;
	const char *channel;

	if (!is_inet(k) || !k->program || is_listener(k->c) ||
	    (program_is_explained(k->program) && k->c->direction != PV_DIR_OUTGOING))
		return false;
	shell = shells_fed_by(k->j, k->subject, &channel);
	if (!shell)
		return false;
	case_say(k, "shell", shell->comm);
	case_number(k, "shell_pid", (uint64_t)shell->pid);
	case_text(k, "channel", channel);
	return true;
}

static const char *views_text(uint8_t views)
{
	static const char *const texts[JUDGE_VIEWS + 1] = {
		"none",
		"sock_diag",
		"the iterator",
		"sock_diag and the iterator",
		"/proc/net",
		"sock_diag and /proc/net",
		"the iterator and /proc/net",
		"sock_diag, the iterator and /proc/net",
	};

	return texts[views & JUDGE_VIEWS];
}

bool test_views_disagree(struct judge_case *k)
{
	const struct judge_request *q = k->j->request;
	size_t low = 0, high = q->n_views;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (q->views[middle].row < k->row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == q->n_views || q->views[low].row != k->row || !q->views[low].missing)
		return false;
	case_text(k, "shown", views_text(q->views[low].shown));
	case_text(k, "missing", views_text(q->views[low].missing));
	return true;
}

bool test_sniffer(struct judge_case *k)
{
	if (k->c->proto != PV_PROTO_PACKET && k->c->proto != PV_PROTO_RAW)
		return false;
	case_text(k, "proto", k->c->proto == PV_PROTO_RAW ? "RAW" : "PACKET");
	return is_unexplained_program(k);
}

bool test_open_dynamic_listener(struct judge_case *k)
{
	const struct pv_conversation *c = k->c;

	if (!is_unexplained_program(k) || !is_inet(k) || !is_listener(c) ||
	    program_is_packaged(k->program) || c->local.port > UINT16_MAX ||
	    pv_port_group((uint16_t)c->local.port) != PV_GROUP_DYNAMIC ||
	    !inet_is_any(c->family, c->local.addr))
		return false;
	/* a client's datagram socket looks like a server's; its port was given to it */
	if (c->state != PV_STATE_LISTEN &&
	    pv_netns_is_ephemeral(pv_snapshot_netns(k->j->s, c->netns), c->local.port))
		return false;
	case_number(k, "port", c->local.port);
	return true;
}

static const char *service_of(const struct pv_conversation *c)
{
	enum pv_transport transport = pv_proto_transport((enum pv_proto)c->proto);
	const struct pv_service *s;

	if (transport == PV_TRANSPORT_N || !c->local.port || c->local.port > UINT16_MAX)
		return NULL;
	s = pv_service_by_port((uint16_t)c->local.port, transport);
	return s ? s->name : NULL;
}

static const struct known_program *known_of(const struct judge_case *k)
{
	struct pv_bytes name;

	if (!k->program || !program_is_packaged(k->program))
		return NULL;
	name = program_name(k->program);
	return known_program(&name);
}

/* Ports of the ephemeral range are anybody's for a moment: they are no service of the program. */
static bool serves_here(const struct judge_case *k)
{
	const struct pv_conversation *c = k->c;

	if (!is_inet(k) || !c->local.port ||
	    pv_netns_is_ephemeral(pv_snapshot_netns(k->j->s, c->netns), c->local.port))
		return false;
	return is_listener(c) || c->direction == PV_DIR_INCOMING;
}

bool test_service_contradicted(struct judge_case *k)
{
	const struct known_program *known = known_of(k);
	const char *service;

	if (!known || !serves_here(k))
		return false;
	service = service_of(k->c);
	if (!service || !known_contradicts(known, pv_proto_transport((enum pv_proto)k->c->proto),
					   (uint16_t)k->c->local.port, service))
		return false;
	case_number(k, "port", k->c->local.port);
	case_text(k, "service", service);
	case_text(k, "known", known->services);
	return true;
}

/*
 * The kernel's own sockets mostly have an inode, as if a file had been meant for them
 * (sock_create_kern(), Linux 2.6 to 6.18): only the iterators tell them from a socket that no file
 * table holds. Such a one is root's.
 */
bool case_may_be_kernels(const struct judge_case *k)
{
	if (k->subject)
		return false;
	return k->c->owner_reason == PV_REASON_KERNEL ||
	       (k->c->owner_reason == PV_REASON_NO_TABLE && k->c->uid == 0);
}

bool test_kernel_socket(struct judge_case *k)
{
	/* any process may ask for TLS on a socket, so no less than the kernel's own word will do */
	static const struct kernel_use tls = { .kind = "TLS in the kernel",
					       .evidence = "the kernel holds and encrypts it" };
	const struct kernel_use *use;

	if (!case_may_be_kernels(k))
		return false;
	use = kernel_use_of(k->j, k->c);
	if (!use && k->c->flags & PV_CONV_KERNEL && k->c->flags & PV_CONV_TLS)
		use = &tls;
	if (!use)
		return false;
	case_text(k, "kind", use->kind);
	case_text(k, "evidence", use->evidence);
	return true;
}

/* May it be held although no table that was seen has it? Then the search itself saw all there is.
 */
static bool is_nowhere(const struct pv_conversation *c)
{
	return c->owner_reason == PV_REASON_NO_TABLE || c->owner_reason == PV_REASON_GONE ||
	       c->owner_reason == PV_REASON_THREAD_TABLES;
}

bool test_owner_hidden(struct judge_case *k)
{
	int32_t pid = k->subject ? k->subject->p->pid : 0;
	const char *how = k->subject ? hiding_of(k->j, pid) : NULL;
	bool is_proven = true;

	if (!how && hiding_holder(k->j, k->c->inode, &pid, &is_proven) &&
	    (is_proven || (!k->subject && is_nowhere(k->c))))
		how = hiding_of(k->j, pid);
	if (!how)
		return false;
	case_number(k, "pid", (uint64_t)pid);
	case_text(k, "holds", is_proven ? "holds" : "may hold");
	case_text(k, "how", how);
	return true;
}

/* --- notes --- */

/* Reasons that the state itself gives: other rules say what becomes of those. */
static bool is_state_reason(uint8_t reason)
{
	return reason == PV_REASON_TIME_WAIT || reason == PV_REASON_SYN_RECV ||
	       reason == PV_REASON_NOT_ACCEPTED || reason == PV_REASON_ORPHAN;
}

bool test_owner_unknown(struct judge_case *k)
{
	if (k->subject || k->so_far & (RULE_BIT(RULE_kernel_socket) | RULE_BIT(RULE_owner_hidden)))
		return false;
	case_text(k, "reason", pv_reason_text((enum pv_reason)k->c->owner_reason));
	return true;
}

static const char *partial_process(const struct judge_case *k)
{
	const struct pv_process *p = k->subject->p;

	if (p->reason)
		return pv_reason_text((enum pv_reason)p->reason);
	if (!k->program)
		return p->known & PV_PROCESS_KERNEL ? NULL : "its executable is not known";
	if (!k->program->has_id)
		return "the file it runs could not be looked at";
	if (!k->j->has_packages)
		return "no package database was found";
	if (k->program->package.len && k->program->disk == DISK_UNKNOWN)
		return "the file at the path of its executable could not be looked at";
	if (program_is_packaged(k->program) && k->subject->maps == MAPS_STRANGE)
		return "the file it is said to run is not in its memory";
	if (program_is_packaged(k->program) && k->subject->maps == MAPS_UNKNOWN)
		return "what it has loaded could not be looked at";
	if (k->program->is_folder_unknown)
		return "the folders above its executable could not be looked at";
	if (k->program->has_digest && k->program->digest == DIGEST_NONE)
		return "its contents could not be compared with its package";
	if (k->subject->has_script_digest && k->subject->script_digest == DIGEST_NONE)
		return "the contents of its script could not be compared with its package";
	return NULL;
}

static const char *partial_nobody(const struct judge_case *k)
{
	uint8_t reason = k->c->owner_reason;

	if (is_state_reason(reason) || reason == PV_REASON_KERNEL ||
	    k->so_far & RULE_BIT(RULE_kernel_socket))
		return NULL;
	return "its owner is not known";
}

bool test_partial(struct judge_case *k)
{
	const char *what = k->subject ? partial_process(k) : partial_nobody(k);

	if (what)
		case_text(k, "what", what);
	return what;
}

static bool is_reachable(const struct pv_conversation *c)
{
	return is_listener(c) && !inet_is_loopback(c->family, c->local.addr);
}

static void say_address(struct judge_case *k, const char *name)
{
	struct pv_bytes value = { 0 };
	char text[INET_TEXT_MAX];
	size_t n;

	if (inet_is_any(k->c->family, k->c->local.addr)) {
		case_text(k, name, "every address");
		return;
	}
	n = inet_text(k->c->family, k->c->local.addr, text);
	snapshot_bytes(k->j->s, &value, text, n);
	case_say(k, name, value);
}

bool test_exposed(struct judge_case *k)
{
	const struct known_program *known = known_of(k);

	if (!known || !known->is_local || !serves_here(k) || !is_reachable(k->c))
		return false;
	case_text(k, "program", known->name);
	say_address(k, "address");
	return true;
}

bool test_cleartext(struct judge_case *k)
{
	static const char *const services[] = { "telnet", "ftp", "pop3", "imap", "snmp" };
	const char *service = is_inet(k) && is_reachable(k->c) ? service_of(k->c) : NULL;

	for (size_t i = 0; service && i < sizeof(services) / sizeof(*services); i++) {
		if (strcmp(service, services[i]) != 0)
			continue;
		case_text(k, "service", service);
		say_address(k, "address");
		return true;
	}
	return false;
}

bool test_odd_source_port(struct judge_case *k)
{
	const struct pv_conversation *c = k->c;
	const struct pv_netns *n = pv_snapshot_netns(k->j->s, c->netns);

	if (pv_proto_transport((enum pv_proto)c->proto) == PV_TRANSPORT_N ||
	    c->direction != PV_DIR_OUTGOING || !n->ephemeral_last || !c->local.port ||
	    (c->local.port >= n->ephemeral_first && c->local.port <= n->ephemeral_last))
		return false;
	case_number(k, "port", c->local.port);
	case_number(k, "first", n->ephemeral_first);
	case_number(k, "last", n->ephemeral_last);
	return true;
}
