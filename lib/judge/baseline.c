/* SPDX-License-Identifier: MIT */
/*
 * Roles as lines of a policy. What is written here is read back by lib/filter: every name is
 * quoted so that it stands for itself, whatever bytes it has.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/judge.h>
#include <portavoz/registry.h>

#include "base/buf.h"
#include "base/inet.h"
#include "judge/role-internal.h"

#define TITLE_WIDTH 44

static const char head[] =
	"# Made by portavoz baseline from what ran here; see portavoz-policy(5).\n"
	"# Read it, make it as narrow as you can, and keep it in version control.\n";

/* The inside of quotes. */
static void put_escaped(struct buf *b, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_printf(b, "\\x%02x", c);
		else
			buf_putc(b, (char)c);
	}
}

/* Words that the language of filters or that of policies would take for their own. */
static bool is_keyword(const char *text, size_t len)
{
	static const char *const words[] = {
		"and", "or", "not", "eq",  "ne",    "neq",    "lt",	 "le",
		"leq", "gt", "ge",  "geq", "every", "always", "despite",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == len && !memcmp(words[i], text, len))
			return true;
	return false;
}

static bool is_plain(const char *text, size_t len)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "_-./@:+";

	for (size_t i = 0; i < len; i++)
		if (!text[i] || !strchr(safe, text[i]))
			return false;
	return len && !is_keyword(text, len);
}

static void put_word(struct buf *b, const char *text, size_t len)
{
	if (is_plain(text, len)) {
		buf_put(b, text, len);
		return;
	}
	buf_putc(b, '"');
	put_escaped(b, text, len);
	buf_putc(b, '"');
}

static void put_unit(struct buf *b, const struct pv_role_program *p)
{
	static const char tail[] = "*.service";
	size_t len = p->unit.len - (p->unit_is_pattern ? sizeof(tail) - 1 : 0);

	put_word(b, p->unit.data, len);
	if (p->unit_is_pattern)
		buf_puts(b, tail);
}

static void put_and(struct buf *b, size_t start)
{
	if (b->len > start)
		buf_puts(b, " and ");
}

static void put_program(struct buf *b, size_t start, const struct pv_role_program *p)
{
	if (p->unit.len) {
		put_and(b, start);
		buf_puts(b, "unit ");
		put_unit(b, p);
	}
	if (p->container.len) {
		put_and(b, start);
		buf_puts(b, "container ");
		put_word(b, p->container.data, p->container.len);
	}
	if (p->exe.len) {
		put_and(b, start);
		buf_puts(b, "exe ");
		put_word(b, p->exe.data, p->exe.len);
	}
}

static bool is_number(const struct pv_bytes *b)
{
	for (uint32_t i = 0; i < b->len; i++)
		if (b->data[i] < '0' || b->data[i] > '9')
			return false;
	return b->len > 0;
}

static void put_users(struct buf *b, size_t start, const struct pv_role *role)
{
	const char *separator = "user ";

	if (!role->n_users)
		return;
	put_and(b, start);
	if (role->n_users > 1)
		buf_puts(b, "( ");
	for (size_t i = 0; i < role->n_users; i++) {
		const struct pv_bytes *user = &role->users[i];

		buf_puts(b, separator);
		if (is_number(user))
			buf_put(b, user->data, user->len);
		else
			put_word(b, user->data, user->len);
		separator = " or user ";
	}
	if (role->n_users > 1)
		buf_puts(b, " )");
}

/* The name of the number, when it is the name of no other number of that transport. */
static const char *service_name(const struct pv_role *role)
{
	enum pv_transport t = pv_proto_transport((enum pv_proto)role->proto);
	const struct pv_service *s, *other;
	size_t cursor = 0;

	if (role->port_kind != PV_ROLE_PORT_NUMBER || role->proto == PV_PROTO_RAW)
		return NULL;
	s = pv_service_by_port((uint16_t)role->port, t);
	if (!s)
		return NULL;
	while ((other = pv_service_next_by_name(s->name, &cursor)))
		if (other->transport == t &&
		    (other->first != role->port || other->last != role->port))
			return NULL;
	return s->name;
}

static void put_service(struct buf *b, const struct pv_role *role)
{
	const char *name = service_name(role);

	if (role->port_kind == PV_ROLE_PORT_NUMBER && role->proto == PV_PROTO_RAW) {
		buf_printf(b, " and sport = %u", role->port);
	} else if (name) {
		buf_puts(b, " and service ");
		put_word(b, name, strlen(name));
	} else if (role->port_kind == PV_ROLE_PORT_NUMBER) {
		buf_printf(b, " and service %u", role->port);
	} else if (role->port_kind == PV_ROLE_PORT_DYNAMIC) {
		if (role->direction == PV_DIR_OUTGOING)
			buf_printf(b, " and dport >= %u", PV_ROLE_DYNAMIC_FIRST);
		else if (role->direction != PV_DIR_UNKNOWN || !role->has_remote)
			buf_puts(b, " and autobound");
	}
}

static void put_net(struct buf *b, const struct pv_role_net *n)
{
	inet_put(b, n->family, n->addr);
	if (n->family == AF_INET6 || n->bits < 32)
		buf_printf(b, "/%u", n->bits);
}

static void put_nets(struct buf *b, const struct pv_role *role)
{
	const char *end = role->direction == PV_DIR_LISTEN ? "src" : "dst";

	if (!role->n_nets)
		return;
	buf_puts(b, role->n_nets > 1 ? " and ( " : " and ");
	for (size_t i = 0; i < role->n_nets; i++) {
		buf_printf(b, "%s%s ", i ? " or " : "", end);
		put_net(b, &role->nets[i]);
	}
	if (role->n_nets > 1)
		buf_puts(b, " )");
}

static bool has_direction(const struct pv_role *role)
{
	return role->proto != PV_PROTO_PACKET && role->proto != PV_PROTO_RAW &&
	       role->proto != PV_PROTO_PING;
}

static void put_filter(struct buf *b, const struct pv_role *role)
{
	size_t start = b->len;

	for (size_t i = 0; i < role->n_programs; i++)
		put_program(b, start, &role->programs[i]);
	if (!role->n_programs) {
		put_and(b, start);
		buf_printf(b, "reason %s", pv_reason_name((enum pv_reason)role->reason));
	}
	put_users(b, start, role);
	if (has_direction(role))
		buf_printf(b, " and direction %s",
			   pv_direction_name((enum pv_direction)role->direction));
	buf_printf(b, " and proto %s", pv_proto_name((enum pv_proto)role->proto));
	put_service(b, role);
	put_nets(b, role);
}

/* What a program is called in a title: the last part of its path, else its unit. */
static struct pv_bytes short_name(const struct pv_role *role)
{
	static const struct pv_bytes kernel = { "the kernel", 10 };
	struct pv_bytes name;
	const char *slash;

	if (!role->n_programs)
		return kernel;
	/* with socket activation the unit's own program is the one that is not systemd */
	name = role->programs[role->n_programs - 1].exe;
	slash = name.len ? memrchr(name.data, '/', name.len) : NULL;
	if (slash) {
		name.len -= (uint32_t)(slash + 1 - name.data);
		name.data = slash + 1;
	}
	return name.len ? name : role->programs[role->n_programs - 1].unit;
}

static void put_title(struct buf *b, const struct pv_role *role)
{
	static const char *const verbs[PV_DIR_N] = { [PV_DIR_LISTEN] = "listens for",
						     [PV_DIR_INCOMING] = "serves",
						     [PV_DIR_OUTGOING] = "calls",
						     [PV_DIR_UNKNOWN] = "uses" };
	const struct pv_bytes name = short_name(role);
	const char *service = service_name(role);

	buf_putc(b, '"');
	put_escaped(b, name.data, name.len);
	buf_printf(b, " %s %s", has_direction(role) ? verbs[role->direction] : "holds",
		   pv_proto_name((enum pv_proto)role->proto));
	if (service)
		buf_printf(b, " %s", service);
	else if (role->port_kind == PV_ROLE_PORT_NUMBER)
		buf_printf(b, " %u", role->port);
	else if (role->port_kind == PV_ROLE_PORT_DYNAMIC)
		buf_puts(b, ", any port");
	buf_putc(b, '"');
}

static bool same_programs(const struct pv_role *a, const struct pv_role *b)
{
	bool same = a->n_programs == b->n_programs;

	for (size_t i = 0; same && i < a->n_programs; i++)
		same = role_bytes_compare(&a->programs[i].unit, &b->programs[i].unit) == 0 &&
		       role_bytes_compare(&a->programs[i].exe, &b->programs[i].exe) == 0;
	return same;
}

/* Is there more than a name? */
static bool is_identified(const struct pv_role *role)
{
	for (size_t i = 0; i < role->n_programs; i++)
		if (!role->programs[i].exe.len && !role->programs[i].unit.len)
			return false;
	return true;
}

static bool has_unit(const struct pv_role *role)
{
	for (size_t i = 0; i < role->n_programs; i++)
		if (role->programs[i].unit.len && !role->programs[i].unit_is_pattern)
			return true;
	return false;
}

/* Accusations are left standing: an intruder who is there already must not be let in by this. */
static void put_accusations(struct buf *b, const struct pv_role *role)
{
	const char *before = "# suspicious, unless you add: despite ";
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);

	for (size_t i = 0; i < n; i++) {
		if (!(role->suspicious >> i & 1))
			continue;
		buf_printf(b, "%s%s", before, rules[i].id);
		before = ",";
	}
	if (role->suspicious)
		buf_putc(b, '\n');
}

static void put_role(struct buf *b, const struct pv_role *role, bool always)
{
	size_t start;

	put_accusations(b, role);
	buf_puts(b, "expect ");
	start = b->len;
	put_title(b, role);
	if (b->len - start < TITLE_WIDTH)
		buf_pad(b, ' ', TITLE_WIDTH - (b->len - start));
	buf_puts(b, "  ");
	put_filter(b, role);
	if (always && role->direction == PV_DIR_LISTEN && has_unit(role))
		buf_puts(b, "  always");
	buf_putc(b, '\n');
}

int pv_roles_baseline(const struct pv_roles *roles, bool always, char **ret_text,
		      size_t *ret_unnamed)
{
	const struct pv_role *last = NULL;
	struct buf b = BUF_INIT;
	size_t unnamed = 0;

	buf_puts(&b, head);
	for (size_t i = 0; i < pv_roles_count(roles); i++) {
		const struct pv_role *role = pv_roles_get(roles, i);

		if (!is_identified(role)) {
			unnamed++;
			continue;
		}
		if (!last || !same_programs(last, role))
			buf_putc(&b, '\n');
		put_role(&b, role, always);
		last = role;
	}
	if (!buf_str(&b)) {
		buf_deinit(&b);
		return -ENOMEM;
	}
	*ret_text = b.data;
	if (ret_unnamed)
		*ret_unnamed = unnamed;
	return 0;
}
