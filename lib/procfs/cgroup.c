/* SPDX-License-Identifier: MIT */
#include "procfs/cgroup.h"

#include <errno.h>

#include "procfs/text.h"

static struct pv_bytes bytes_of(struct text t)
{
	return (struct pv_bytes){ t.p, (uint32_t)text_len(t) };
}

/* "0::/path" or "N:name=systemd:/path"; other hierarchies follow no unit. */
static bool is_wanted(struct text line, struct text *ret_path)
{
	struct text number, name;

	if (!text_until(&line, ':', &number) || line.p >= line.end)
		return false;
	name = (struct text){ line.p, line.p };
	if (*line.p == ':')
		line.p++;
	else if (!text_until(&line, ':', &name))
		return false;
	if (!(text_is(number, "0") && name.p == name.end) && !text_is(name, "name=systemd"))
		return false;
	*ret_path = line;
	return text_starts(line, "/");
}

int procfs_cgroup_path(const void *data, size_t len, struct pv_bytes *ret_path)
{
	struct text t = text_of(data, len), line, path, unified = { NULL, NULL },
		    named = { NULL, NULL };

	while (text_line(&t, &line, NULL)) {
		if (!is_wanted(line, &path))
			continue;
		if (text_starts(line, "0:"))
			unified = path;
		else
			named = path;
	}
	/* hybrid set-ups mount the unified hierarchy too, but may keep all processes at its root */
	if (!unified.p || (text_is(unified, "/") && named.p && !text_is(named, "/")))
		unified = named;
	if (!unified.p)
		return -EBADMSG;
	*ret_path = bytes_of(unified);
	return 0;
}

enum id_kind {
	ID_HEX,	    /* 64 hexadecimal digits */
	ID_NAME,    /* any name */
	ID_ESCAPED, /* a name with systemd's escapes */
};

/*
 * A component made by a container runtime: prefix, id, suffix. `parent` is the component above, or
 * the beginning of it when it ends in '*'; NULL = any.
 */
struct rule {
	const char *parent, *prefix, *suffix, *runtime;
	enum id_kind id;
};

static const struct rule rules[] = {
	{ NULL, "docker-", ".scope", "docker", ID_HEX },
	{ "docker", "", "", "docker", ID_HEX },
	{ "buildkit", "", "", "docker", ID_HEX },
	{ "actions_job", "", "", "docker", ID_HEX },
	{ NULL, "libpod-conmon-", ".scope", "podman", ID_HEX },
	{ NULL, "libpod-conmon-", "", "podman", ID_HEX },
	{ NULL, "libpod-", ".scope", "podman", ID_HEX },
	{ NULL, "libpod-", "", "podman", ID_HEX },
	{ NULL, "cri-containerd-", ".scope", "containerd", ID_HEX },
	{ NULL, "nerdctl-", ".scope", "containerd", ID_HEX },
	{ NULL, "crio-conmon-", ".scope", "crio", ID_HEX },
	{ NULL, "crio-conmon-", "", "crio", ID_HEX },
	{ NULL, "crio-", ".scope", "crio", ID_HEX },
	{ NULL, "crio-", "", "crio", ID_HEX },
	{ "k8s.io", "", "", "containerd", ID_HEX },
	{ "pod*", "", "", "containerd", ID_HEX },
	{ "kubepods*", "", "", "containerd", ID_HEX },
	{ "lxc", "", "", "lxc", ID_NAME },
	{ "lxc.payload", "", "", "lxc", ID_NAME },
	{ NULL, "lxc.payload.", "", "lxc", ID_NAME },
	{ NULL, "lxc.monitor.", "", "lxc", ID_NAME },
	{ "machine.slice", "systemd-nspawn@", ".service", "systemd-nspawn", ID_ESCAPED },
	{ "machine.slice", "machine-qemu\\x2d", ".scope", "libvirt", ID_ESCAPED },
	{ "machine.slice", "machine-lxc\\x2d", ".scope", "libvirt", ID_ESCAPED },
	{ "machine.slice", "machine-", ".scope", "systemd-nspawn", ID_ESCAPED },
	{ "machine", "qemu-", ".libvirt-qemu", "libvirt", ID_NAME },
	{ "machine", "", ".libvirt-lxc", "libvirt", ID_NAME },
};

static bool text_ends(struct text t, const char *s)
{
	return text_len(t) >= strlen(s) && !memcmp(t.end - strlen(s), s, strlen(s));
}

static bool is_parent(const char *pattern, struct text parent)
{
	size_t n;

	if (!pattern)
		return true;
	n = strlen(pattern);
	if (pattern[n - 1] == '*')
		return text_len(parent) >= n - 1 && !memcmp(parent.p, pattern, n - 1);
	return text_is(parent, pattern);
}

static bool is_hex_id(struct text t)
{
	if (text_len(t) != 64)
		return false;
	for (const char *p = t.p; p < t.end; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f')))
			return false;
	return true;
}

static bool rule_matches(const struct rule *rule, struct text parent, struct text part,
			 struct text *ret_id)
{
	struct text id = part;

	if (!is_parent(rule->parent, parent) || !text_starts(part, rule->prefix))
		return false;
	id.p += strlen(rule->prefix);
	if (!text_ends(id, rule->suffix))
		return false;
	id.end -= strlen(rule->suffix);
	*ret_id = id;
	return rule->id == ID_HEX ? is_hex_id(id) : id.p < id.end;
}

/*
 * "kubepods-burstable-podUID.slice:cri-containerd:ID": what containerd makes of a slice when it was
 * not told that systemd owns the tree.
 */
static bool is_colon_form(struct text part, struct text *ret_id)
{
	const char *colon = memrchr(part.p, ':', text_len(part));

	if (!colon || !text_ends((struct text){ part.p, colon }, ":cri-containerd"))
		return false;
	*ret_id = (struct text){ colon + 1, part.end };
	return is_hex_id(*ret_id);
}

static int unhex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_escape(struct text t)
{
	return text_starts(t, "\\x") && text_len(t) >= 4 && unhex(t.p[2]) >= 0 &&
	       unhex(t.p[3]) >= 0;
}

/* Undoes systemd's escapes: "\x2d" is the byte 0x2d, and '-' stands for '/'. */
static struct pv_bytes unescape(struct text t, char out[static PROCFS_MACHINE_MAX])
{
	size_t n = 0;

	for (struct text s = t; s.p < s.end; n++) {
		if (n == PROCFS_MACHINE_MAX)
			return bytes_of(t);
		if (is_escape(s)) {
			out[n] = (char)(unhex(s.p[2]) << 4 | unhex(s.p[3]));
			s.p += 4;
		} else {
			out[n] = *s.p++;
		}
	}
	return (struct pv_bytes){ out, (uint32_t)n };
}

/* The number that libvirt counts its domains by is no part of their name. */
static struct text without_number(struct text t)
{
	struct text name = t;

	while (name.p < name.end && *name.p >= '0' && *name.p <= '9')
		name.p++;
	if (name.p == t.p)
		return t;
	if (text_starts(name, "\\x2d"))
		name.p += 4;
	else if (text_starts(name, "-"))
		name.p++;
	else
		return t;
	return name.p < name.end ? name : t;
}

static bool find_container(struct text parent, struct text part, struct procfs_cgroup *ret)
{
	struct text id;

	if (is_colon_form(part, &id)) {
		ret->runtime = "containerd";
		ret->container = bytes_of(id);
		return true;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (!rule_matches(&rules[i], parent, part, &id))
			continue;
		ret->runtime = rules[i].runtime;
		if (text_is(text_of(ret->runtime, strlen(ret->runtime)), "libvirt"))
			id = without_number(id);
		ret->container =
			rules[i].id == ID_ESCAPED ? unescape(id, ret->machine) : bytes_of(id);
		return true;
	}
	return false;
}

static bool is_unit(struct text part)
{
	static const char *const suffixes[] = { ".service", ".scope", ".socket", ".mount",
						".swap" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (text_ends(part, suffixes[i]) && text_len(part) > strlen(suffixes[i]))
			return true;
	return false;
}

static bool is_user_manager(struct text part)
{
	return text_starts(part, "user@") && text_ends(part, ".service");
}

/*
 * Units of the system manager lie below slices only; the one unit below which another manager keeps
 * its own is user@UID.service. What lies below any other unit is no unit of the host.
 */
static void take_unit(struct text part, bool *is_settled, struct procfs_cgroup *ret)
{
	if (*is_settled || !is_unit(part))
		return;
	if (ret->unit.len)
		ret->manager = ret->unit;
	ret->unit = bytes_of(part);
	*is_settled = ret->manager.len || !is_user_manager(part);
}

void procfs_cgroup_parse(const void *path, size_t len, struct procfs_cgroup *ret)
{
	struct text t = text_of(path, len), part, parent = { NULL, NULL };
	bool is_settled = false;

	*ret = (struct procfs_cgroup){ 0 };
	/* the kernel marks a cgroup that was removed while the process is still in it */
	if (text_ends(t, " (deleted)"))
		t.end -= strlen(" (deleted)");
	while (text_until(&t, '/', &part)) {
		bool is_container;

		if (part.p == part.end)
			continue;
		is_container = find_container(parent, part, ret);
		/* below a user's manager, and no unit of it */
		if (is_container && !is_settled && ret->unit.len && !is_unit(part))
			ret->manager = ret->unit;
		take_unit(part, &is_settled, ret);
		if (is_container)
			break;
		parent = part;
	}
}

static void put_below(const struct procfs_cgroup *cgroup, const struct pv_bytes *name,
		      struct buf *b)
{
	if (!name->len)
		return;
	if (cgroup->manager.len && cgroup->manager.data != name->data) {
		buf_put(b, cgroup->manager.data, cgroup->manager.len);
		buf_putc(b, '/');
	}
	buf_put(b, name->data, name->len);
}

void procfs_cgroup_put_unit(const struct procfs_cgroup *cgroup, struct buf *b)
{
	put_below(cgroup, &cgroup->unit, b);
}

void procfs_cgroup_put_container(const struct procfs_cgroup *cgroup, struct buf *b)
{
	put_below(cgroup, &cgroup->container, b);
}
