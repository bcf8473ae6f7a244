/* SPDX-License-Identifier: MIT */
/* From sockets to roles: what stays the same when a service starts again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/judge.h>
#include <portavoz/registry.h>

#include "base/inet.h"
#include "judge/role-internal.h"

#define PROGRAMS_MAX 16
/* systemd gives such numbers to services without a user of their own (DynamicUser=), anew at each
 * start */
#define DYNAMIC_UID_FIRST 61184
#define DYNAMIC_UID_LAST 65519

struct pv_roles *pv_roles_new(void)
{
	return calloc(1, sizeof(struct pv_roles));
}

void pv_roles_free(struct pv_roles *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->roles.n; i++) {
		vec_deinit(&r->roles.items[i].users);
		vec_deinit(&r->roles.items[i].nets.items);
	}
	vec_deinit(&r->roles);
	map_deinit(&r->by_key);
	arena_deinit(&r->arena);
	free(r);
}

/* Order */

int role_bytes_compare(const struct pv_bytes *a, const struct pv_bytes *b)
{
	uint32_t n = a->len < b->len ? a->len : b->len;
	int r = n ? memcmp(a->data, b->data, n) : 0;

	return r ? r : (a->len > b->len) - (a->len < b->len);
}

static int compare_programs(const void *a, const void *b)
{
	const struct pv_role_program *x = a, *y = b;
	int r = role_bytes_compare(&x->unit, &y->unit);

	if (r == 0)
		r = role_bytes_compare(&x->exe, &y->exe);
	if (r == 0)
		r = role_bytes_compare(&x->container, &y->container);
	return r ? r : role_bytes_compare(&x->comm, &y->comm);
}

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int role_compare(const struct pv_role *a, const struct pv_role *b)
{
	/* what it offers stands before what it serves and calls */
	static const uint8_t ranks[PV_DIR_N] = { [PV_DIR_LISTEN] = 0,
						 [PV_DIR_INCOMING] = 1,
						 [PV_DIR_OUTGOING] = 2,
						 [PV_DIR_UNKNOWN] = 3 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n_programs && i < b->n_programs; i++)
		r = compare_programs(&a->programs[i], &b->programs[i]);
	if (r == 0)
		r = compare_numbers((uint32_t)a->n_programs, (uint32_t)b->n_programs);
	if (r == 0)
		r = compare_numbers(a->reason, b->reason);
	if (r == 0)
		r = compare_numbers(ranks[a->direction], ranks[b->direction]);
	if (r == 0)
		r = compare_numbers(a->proto, b->proto);
	if (r == 0)
		r = compare_numbers(a->has_remote, b->has_remote);
	if (r == 0)
		r = compare_numbers(a->port_kind, b->port_kind);
	return r ? r : compare_numbers(a->port, b->port);
}

/* Programs */

static bool ends_with(const struct pv_bytes *b, const char *suffix)
{
	size_t n = strlen(suffix);

	return b->len >= n && !memcmp(b->data + b->len - n, suffix, n);
}

static bool starts_with(const struct pv_bytes *b, const char *prefix)
{
	size_t n = strlen(prefix);

	return b->len >= n && !memcmp(b->data, prefix, n);
}

static bool consists_of(const char *text, size_t len, const char *set)
{
	for (size_t i = 0; i < len; i++)
		if (!text[i] || !strchr(set, text[i]))
			return false;
	return true;
}

/* Behind the manager of the user who made it, if one did. */
static struct pv_bytes own_name(const struct pv_bytes *name)
{
	const char *slash = name->len ? memrchr(name->data, '/', name->len) : NULL;

	if (!slash)
		return *name;
	return (struct pv_bytes){ slash + 1, (uint32_t)(name->data + name->len - (slash + 1)) };
}

/*
 * Units that exist for one login, one call of systemd-run or one container: another name at the
 * next start (systemd.scope(5), systemd-run(1)).
 */
static bool is_transient(const struct pv_bytes *unit)
{
	size_t n = unit->len;

	if (ends_with(unit, ".scope"))
		return true;
	if (!ends_with(unit, ".service") || n < sizeof("run-r.service"))
		return false;
	return (starts_with(unit, "run-r") || starts_with(unit, "run-u")) &&
	       consists_of(unit->data + 5, n - 5 - strlen(".service"), "0123456789abcdef");
}

/*
 * The unit of one connection of a socket with Accept=yes: its instance holds a number of that
 * connection and both ends ("3-10.0.0.1:22-10.0.0.9:50000"), or process and user ("3-815-1000").
 */
static bool is_of_connection(const struct pv_bytes *unit, const char **ret_at)
{
	const char *at = unit->len ? memchr(unit->data, '@', unit->len) : NULL;
	size_t len;

	if (!at || !ends_with(unit, ".service"))
		return false;
	*ret_at = at++;
	len = (size_t)(unit->data + unit->len - at) - strlen(".service");
	return memchr(at, ':', len) ||
	       (memchr(at, '-', len) && consists_of(at, len, "0123456789-"));
}

static void set_unit(struct pv_role_program *program, const struct pv_bytes *unit, char *out,
		     size_t size)
{
	struct pv_bytes own = own_name(unit);
	const char *at;
	int n;

	if (is_transient(&own))
		return;
	program->unit = *unit;
	program->unit_is_pattern = is_of_connection(&own, &at);
	if (!program->unit_is_pattern)
		return;
	n = snprintf(out, size, "%.*s@*.service", (int)(at - unit->data), unit->data);
	program->unit = (struct pv_bytes){ out, (uint32_t)(n < (int)size ? n : (int)size - 1) };
}

static void set_program(struct pv_role_program *program, const struct pv_process *p, char *out,
			size_t size)
{
	static const char deleted[] = " (deleted)";
	struct pv_bytes id = own_name(&p->container);

	*program = (struct pv_role_program){ .exe = p->exe };
	set_unit(program, &p->unit, out, size);
	if (ends_with(&program->exe, deleted))
		program->exe.len -= sizeof(deleted) - 1;
	if (!program->exe.len)
		program->comm = p->comm;
	/* an id is hexadecimal and long; the rest are names that people gave */
	if (id.len && (id.len < 12 || !consists_of(id.data, id.len, "0123456789abcdef")))
		program->container = p->container;
}

struct programs {
	struct pv_role_program items[PROGRAMS_MAX];
	char units[PROGRAMS_MAX][256];
	size_t n;
};

static void add_program(struct programs *set, const struct pv_process *p)
{
	struct pv_role_program *last = &set->items[set->n];

	if (set->n == PROGRAMS_MAX)
		return;
	set_program(last, p, set->units[set->n], sizeof(set->units[0]));
	for (size_t i = 0; i < set->n; i++)
		if (compare_programs(&set->items[i], last) == 0)
			return;
	set->n++;
}

static void find_programs(const struct pv_snapshot *s, const struct pv_conversation *c,
			  struct programs *set)
{
	set->n = 0;
	for (uint32_t i = 0; i < c->n_holders; i++)
		add_program(set, pv_snapshot_process(s, pv_snapshot_holder(s, c, i)->process));
	if (set->n > 1)
		qsort(set->items, set->n, sizeof(*set->items), compare_programs);
}

/* Ports */

static bool is_registered(const struct pv_conversation *c, uint32_t port)
{
	enum pv_transport transport = pv_proto_transport((enum pv_proto)c->proto);

	return pv_service_by_port((uint16_t)port, transport) != NULL;
}

/*
 * Could the system have picked the number? Where somebody has widened its range to low numbers,
 * registered ones there are still taken for what they say.
 */
static bool is_dynamic(const struct pv_snapshot *s, const struct pv_conversation *c, uint32_t port)
{
	if (c->direction == PV_DIR_OUTGOING)
		return port >= PV_ROLE_DYNAMIC_FIRST;
	return pv_netns_is_ephemeral(pv_snapshot_netns(s, c->netns), port) &&
	       (port >= PV_ROLE_DYNAMIC_FIRST || !is_registered(c, port));
}

static void set_port(const struct pv_snapshot *s, const struct pv_conversation *c,
		     struct pv_role *role)
{
	uint32_t port = c->proto == PV_PROTO_RAW ? c->local.port : pv_snapshot_service_port(s, c);

	if (!port || c->proto == PV_PROTO_PACKET || c->proto == PV_PROTO_PING)
		return;
	role->port_kind = c->proto != PV_PROTO_RAW && is_dynamic(s, c, port) ? PV_ROLE_PORT_DYNAMIC
									     : PV_ROLE_PORT_NUMBER;
	if (role->port_kind == PV_ROLE_PORT_NUMBER)
		role->port = port;
}

/* Sockets */

/* Remains of conversations and what is still on its way to its process. */
static bool is_remains(const struct pv_conversation *c)
{
	switch (c->owner_reason) {
	case PV_REASON_TIME_WAIT:
	case PV_REASON_SYN_RECV:
	case PV_REASON_NOT_ACCEPTED:
	case PV_REASON_ORPHAN:
	case PV_REASON_GONE:
		return true;
	default:
		return c->state == PV_STATE_TIME_WAIT || c->state == PV_STATE_SYN_RECV ||
		       c->state == PV_STATE_NEW_SYN_RECV;
	}
}

static void put_bytes(struct buf *key, const struct pv_bytes *b)
{
	buf_put(key, &b->len, sizeof(b->len));
	buf_put(key, b->data ? b->data : "", b->len);
}

static void put_key(struct buf *key, const struct pv_role *role)
{
	const uint32_t numbers[] = {
		role->reason,
		role->proto,
		role->direction,
		role->has_remote,
		role->port_kind,
		role->port,
		(uint32_t)role->n_programs,
	};

	buf_clear(key);
	buf_put(key, numbers, sizeof(numbers));
	for (size_t i = 0; i < role->n_programs; i++) {
		put_bytes(key, &role->programs[i].unit);
		put_bytes(key, &role->programs[i].exe);
		put_bytes(key, &role->programs[i].container);
		put_bytes(key, &role->programs[i].comm);
	}
}

static uint64_t hash(const struct buf *key)
{
	uint64_t h = key->len, word;

	for (size_t i = 0; i < key->len; i += sizeof(word)) {
		word = 0;
		memcpy(&word, key->data + i, key->len - i < 8 ? key->len - i : 8);
		h = map_mix(h, word);
	}
	return h;
}

static int dup_bytes(struct arena *a, struct pv_bytes *b)
{
	const char *copy = b->len ? arena_dup(a, b->data, b->len) : "";

	b->data = copy;
	return copy ? 0 : -ENOMEM;
}

static int dup_programs(struct arena *a, struct pv_role *role)
{
	size_t n = role->n_programs;
	struct pv_role_program *copy = arena_alloc(a, n * sizeof(*copy) + 1);
	int r = copy ? 0 : -ENOMEM;

	if (copy && n)
		memcpy(copy, role->programs, n * sizeof(*copy));
	for (size_t i = 0; r == 0 && i < n; i++) {
		r = dup_bytes(a, &copy[i].unit);
		if (r == 0)
			r = dup_bytes(a, &copy[i].exe);
		if (r == 0)
			r = dup_bytes(a, &copy[i].container);
		if (r == 0)
			r = dup_bytes(a, &copy[i].comm);
	}
	role->programs = copy;
	return r;
}

/* The role with that key, made when there is none yet. NULL = out of memory. */
static struct role *find_role(struct pv_roles *r, const struct pv_role *role, const struct buf *key)
{
	struct role fresh = { .public = *role };
	uint64_t h = hash(key);
	uint32_t i;

	for (; (i = map_get(&r->by_key, h)) != MAP_NONE; h++)
		if (r->roles.items[i].key.len == key->len &&
		    !memcmp(r->roles.items[i].key.data, key->data, key->len))
			return &r->roles.items[i];
	fresh.key = (struct pv_bytes){ key->data, (uint32_t)key->len };
	if (dup_programs(&r->arena, &fresh.public) < 0 || dup_bytes(&r->arena, &fresh.key) < 0 ||
	    map_put(&r->by_key, h, (uint32_t)r->roles.n) < 0 || vec_push(&r->roles, fresh) < 0)
		return NULL;
	return &r->roles.items[r->roles.n - 1];
}

static int add_user(struct pv_roles *r, struct role *role, const struct pv_snapshot *s,
		    uint32_t uid)
{
	const char *name = uid == UINT32_MAX ? NULL : pv_snapshot_user(s, uid);
	struct pv_bytes user;
	char number[16];

	if (!name && uid >= DYNAMIC_UID_FIRST && uid <= DYNAMIC_UID_LAST)
		role->any_user = true;
	if (role->any_user || uid == UINT32_MAX)
		return 0;
	snprintf(number, sizeof(number), "%u", uid);
	user = (struct pv_bytes){ name ? name : number, 0 };
	user.len = (uint32_t)strlen(user.data);
	for (size_t i = 0; i < role->users.n; i++)
		if (role_bytes_compare(&role->users.items[i], &user) == 0)
			return 0;
	return dup_bytes(&r->arena, &user) < 0 ? -ENOMEM : vec_push(&role->users, user);
}

static bool has_remote(const struct pv_conversation *c)
{
	return c->direction != PV_DIR_LISTEN && (c->family == AF_INET || c->family == AF_INET6) &&
	       !inet_is_any(c->family, c->remote.addr);
}

static int add_ends(struct role *role, const struct pv_conversation *c)
{
	bool listens = c->direction == PV_DIR_LISTEN;

	if (!listens && !role->public.has_remote)
		return 0;
	if (c->family != AF_INET && c->family != AF_INET6)
		return 0;
	return role_nets_add(&role->nets, c->family, listens ? c->local.addr : c->remote.addr,
			     (enum pv_direction)c->direction);
}

static uint64_t accusations(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);
	uint64_t found = 0;

	for (uint32_t i = 0; i < c->n_findings; i++) {
		uint32_t rule = pv_snapshot_finding(s, c, i)->rule;

		if (rules[rule].severity == PV_SEVERITY_SUSPICIOUS)
			found |= UINT64_C(1) << rule;
	}
	return found;
}

static int add_socket(struct pv_roles *r, const struct pv_snapshot *s,
		      const struct pv_conversation *c, struct buf *key)
{
	struct programs programs;
	struct pv_role role = { .proto = c->proto, .direction = c->direction };
	struct role *found;
	int result;

	if (is_remains(c))
		return 0;
	if (!c->n_holders && c->owner_reason != PV_REASON_KERNEL) {
		r->unowned[c->owner_reason < PV_REASON_N ? c->owner_reason : 0]++;
		return 0;
	}
	find_programs(s, c, &programs);
	role.programs = programs.items;
	role.n_programs = programs.n;
	role.has_remote = has_remote(c);
	role.reason = c->n_holders ? PV_REASON_NONE : c->owner_reason;
	set_port(s, c, &role);
	put_key(key, &role);
	found = buf_error(key) ? NULL : find_role(r, &role, key);
	if (!found)
		return -ENOMEM;
	found->public.suspicious |= accusations(s, c);
	result = add_user(r, found, s, c->uid);
	return result < 0 ? result : add_ends(found, c);
}

int pv_roles_add(struct pv_roles *r, const struct pv_snapshot *s)
{
	struct buf key = BUF_INIT;
	int result = 0;

	memset(r->unowned, 0, sizeof(r->unowned));
	for (size_t i = 0; result == 0 && i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);

		if (PV_ROLE_PROTOS & PV_PROTO_BIT(c->proto))
			result = add_socket(r, s, c, &key);
	}
	buf_deinit(&key);
	return result;
}

static int compare_users(const void *a, const void *b)
{
	return role_bytes_compare(a, b);
}

static int compare_roles(const void *a, const void *b)
{
	const struct role *x = a, *y = b;

	return role_compare(&x->public, &y->public);
}

int pv_roles_finish(struct pv_roles *r)
{
	for (size_t i = 0; i < r->roles.n; i++) {
		struct role *role = &r->roles.items[i];

		if (role->any_user)
			role->users.n = 0;
		if (role->users.n)
			qsort(role->users.items, role->users.n, sizeof(*role->users.items),
			      compare_users);
		role_nets_finish(&role->nets, (enum pv_direction)role->public.direction);
		role->public.users = role->users.items;
		role->public.n_users = role->users.n;
		role->public.nets = role->nets.items.items;
		role->public.n_nets = role->nets.items.n;
		role->public.any_net = role->nets.any;
	}
	if (r->roles.n)
		qsort(r->roles.items, r->roles.n, sizeof(*r->roles.items), compare_roles);
	map_deinit(&r->by_key);
	return 0;
}

size_t pv_roles_count(const struct pv_roles *r)
{
	return r->roles.n;
}

const struct pv_role *pv_roles_get(const struct pv_roles *r, size_t index)
{
	return &r->roles.items[index].public;
}

uint64_t pv_roles_unowned(const struct pv_roles *r, enum pv_reason reason)
{
	return reason < PV_REASON_N ? r->unowned[reason] : 0;
}

/* Differences */

const char *pv_role_change_name(enum pv_role_change change)
{
	static const char *const names[PV_ROLE_CHANGE_N] = { "new", "gone", "changed" };

	return change < PV_ROLE_CHANGE_N ? names[change] : "unknown";
}

static bool has_changed(const struct pv_role *a, const struct pv_role *b)
{
	if (a->n_users != b->n_users || a->n_nets != b->n_nets || a->any_net != b->any_net)
		return true;
	for (size_t i = 0; i < a->n_users; i++)
		if (role_bytes_compare(&a->users[i], &b->users[i]) != 0)
			return true;
	for (size_t i = 0; i < a->n_nets; i++)
		if (role_net_compare(&a->nets[i], &b->nets[i]) != 0)
			return true;
	return false;
}

int pv_roles_diff(const struct pv_roles *before, const struct pv_roles *after,
		  struct pv_role_difference **ret, size_t *ret_n)
{
	size_t n_before = before->roles.n, n_after = after->roles.n, i = 0, k = 0, n = 0;
	struct pv_role_difference *out = calloc(n_before + n_after + 1, sizeof(*out));

	if (!out)
		return -ENOMEM;
	while (i < n_before || k < n_after) {
		const struct pv_role *a = i < n_before ? pv_roles_get(before, i) : NULL;
		const struct pv_role *b = k < n_after ? pv_roles_get(after, k) : NULL;
		int order = !a ? 1 : !b ? -1 : role_compare(a, b);

		if (order < 0)
			out[n++] = (struct pv_role_difference){ PV_ROLE_GONE, a, NULL };
		else if (order > 0)
			out[n++] = (struct pv_role_difference){ PV_ROLE_NEW, NULL, b };
		else if (has_changed(a, b))
			out[n++] = (struct pv_role_difference){ PV_ROLE_CHANGED, a, b };
		i += order <= 0;
		k += order >= 0;
	}
	*ret = out;
	*ret_n = n;
	return 0;
}
