/* SPDX-License-Identifier: MIT */
/*
 * Renaming of text. What stays is what is the same on every host of a kind: names of the file
 * hierarchy, programs below /usr, systemd's own units. The rest becomes a letter that tells the
 * kind, and ten letters and digits of a keyed hash.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "redact/redact-internal.h"

static bool starts(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(text, with, n);
}

static bool ends(const char *text, size_t len, const char *with)
{
	size_t n = strlen(with);

	return len >= n && !memcmp(text + len - n, with, n);
}

static bool is_one_of(const char *text, size_t len, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == len && !memcmp(*words, text, len))
			return true;
	return false;
}

static bool is_number(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return len > 0;
}

/* 50 bits: of a million names two are alike with a chance of one in two thousand. */
static int put_token(const struct pv_redactor *r, char kind, const char *text, size_t len,
		     struct buf *b)
{
	static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t hash[32];
	int result;

	if (!len)
		return 0;
	result = redact_hmac(r->text, (uint8_t)kind, text, len, hash);
	if (result < 0)
		return result;
	buf_putc(b, kind);
	for (int i = 0; i < 10; i++) {
		unsigned at = (unsigned)i * 5,
			 pair = hash[at / 8] | (unsigned)hash[at / 8 + 1] << 8;

		buf_putc(b, digits[pair >> at % 8 & 31]);
	}
	return 0;
}

/* Applies `put` to what stands between separators, which stay. */
typedef int put_fn(const struct pv_redactor *r, const char *text, size_t len, struct buf *b);

static int put_parts(const struct pv_redactor *r, const char *text, size_t len, char separator,
		     put_fn *put, struct buf *b)
{
	const char *end = text + len;
	int result = 0;

	while (result == 0) {
		const char *next = memchr(text, separator, (size_t)(end - text));
		const char *stop = next ? next : end;

		result = put(r, text, (size_t)(stop - text), b);
		if (!next)
			return result;
		buf_putc(b, separator);
		text = next + 1;
	}
	return result;
}

/* Paths */

static const char *const folders[] = {
	"bin",	   "boot", "cache",  "data",  "dbus",	 "dev",	   "etc",     "home",
	"journal", "lib",  "lib32",  "lib64", "libexec", "local",  "lock",    "log",
	"media",   "mnt",  "opt",    "proc",  "root",	 "run",	   "sbin",    "share",
	"shm",	   "snap", "socket", "srv",   "spool",	 "sys",	   "systemd", "tmp",
	"user",	   "usr",  "var",    "www",   "private", "notify", "stdout",  "bus",
	"self",	   "fd",   "exe",    ".",     "..",	 NULL,
};

/* Programs and libraries that distributions bring. */
static const char *const system_folders[] = {
	"/bin/",       "/sbin/",      "/lib/",	     "/lib64/",	    "/usr/bin/",
	"/usr/sbin/",  "/usr/lib/",   "/usr/lib64/", "/usr/lib32/", "/usr/libexec/",
	"/usr/share/", "/usr/games/", NULL,
};

static int put_component(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	if (len && !is_one_of(text, len, folders) && !is_number(text, len))
		return put_token(r, 'p', text, len, b);
	buf_put(b, text, len);
	return 0;
}

static bool is_of_system(const char *text, size_t len)
{
	for (const char *const *folder = system_folders; *folder; folder++)
		if (starts(text, len, *folder))
			return memmem(text, len, "/../", 4) == NULL;
	return false;
}

static int put_path(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	static const char deleted[] = " (deleted)", memory[] = "/memfd:";
	size_t tail = ends(text, len, deleted) ? sizeof(deleted) - 1 : 0;
	int result = 0;

	len -= tail;
	if (starts(text, len, memory)) {
		buf_puts(b, memory);
		result =
			put_token(r, 'p', text + sizeof(memory) - 1, len - (sizeof(memory) - 1), b);
	} else if (is_of_system(text, len)) {
		buf_put(b, text, len);
	} else {
		result = put_parts(r, text, len, '/', put_component, b);
	}
	buf_put(b, deleted, tail);
	return result;
}

/* Units and control groups */

static const char *const common_units[] = {
	"init.scope",	 "-.slice",	 "system.slice",  "user.slice",
	"machine.slice", "app.slice",	 "session.slice", "background.slice",
	"-.mount",	 "dbus.service", "dbus.socket",	  NULL,
};
static const char *const unit_types[] = { ".service", ".socket", ".scope", ".slice",  ".mount",
					  ".swap",    ".timer",	 ".path",  ".target", NULL };

static const char *type_of(const char *text, size_t len)
{
	for (const char *const *type = unit_types; *type; type++)
		if (ends(text, len, *type))
			return *type;
	return NULL;
}

/* user-1000, user@1000, session-3, session-c1: numbers of users and logins, nothing else */
static bool is_numbered(const char *text, size_t len)
{
	static const char *const stems[] = { "user-",	  "user@",    "user-runtime-dir@",
					     "session-c", "session-", NULL };

	for (const char *const *stem = stems; *stem; stem++)
		if (starts(text, len, *stem) &&
		    is_number(text + strlen(*stem), len - strlen(*stem)))
			return true;
	return false;
}

static int put_unit(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	const char *type = type_of(text, len), *at;
	size_t stem = len - (type ? strlen(type) : 0);
	int result;

	if (is_one_of(text, len, common_units) || is_numbered(text, stem)) {
		buf_put(b, text, len);
		return 0;
	}
	at = memchr(text, '@', stem);
	result = put_token(r, 'u', text, at ? (size_t)(at - text) : stem, b);
	if (result == 0 && at) {
		buf_putc(b, '@');
		result = put_token(r, 'i', at + 1, stem - (size_t)(at + 1 - text), b);
	}
	buf_puts(b, type ? type : "");
	return result;
}

/* A user's unit stands behind that user's manager. */
static int put_units(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	return put_parts(r, text, len, '/', put_unit, b);
}

static int put_cgroup_part(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	if (type_of(text, len))
		return put_unit(r, text, len, b);
	return put_token(r, 'g', text, len, b);
}

/* Names */

static int put_label(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	static const char *const kept[] = { "localhost", "localdomain", "", NULL };

	if (!is_one_of(text, len, kept))
		return put_token(r, 'h', text, len, b);
	buf_put(b, text, len);
	return 0;
}

static int put_host(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	return put_parts(r, text, len, '.', put_label, b);
}

static int put_user(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	static const char *const kept[] = { "root", NULL };

	if (!is_one_of(text, len, kept))
		return put_token(r, 'n', text, len, b);
	buf_put(b, text, len);
	return 0;
}

/* eth0 and its kind; names made of hardware addresses or by people are others. */
static int put_interface(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	static const char *const stems[] = { "lo",    "eth",  "wlan",  "eno",  "ens",	  "wg",
					     "tun",   "tap",  "br",    "bond", "docker",  "virbr",
					     "dummy", "veth", "enp0s", "wlp",  "macvlan", NULL };
	size_t stem = len;

	while (stem > 0 && text[stem - 1] >= '0' && text[stem - 1] <= '9')
		stem--;
	if (len - stem > 3 || !is_one_of(text, stem, stems))
		return put_token(r, 'e', text, len, b);
	buf_put(b, text, len);
	return 0;
}

static int put_container_part(const struct pv_redactor *r, const char *text, size_t len,
			      struct buf *b)
{
	if (type_of(text, len))
		return put_unit(r, text, len, b);
	return put_token(r, 'c', text, len, b);
}

static int put_container(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	return put_parts(r, text, len, '/', put_container_part, b);
}

static int put_other(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	return put_token(r, 't', text, len, b);
}

/* The kernel names abstract sockets by five hexadecimal digits when nobody else does. */
static bool is_autobound(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (!memchr("0123456789abcdef", text[i], 16))
			return false;
	return len == 6;
}

static int put_socket(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	if (!len || text[0])
		return put_path(r, text, len, b);
	if (is_autobound(text, len)) {
		buf_put(b, text, len);
		return 0;
	}
	buf_putc(b, '\0');
	return put_token(r, 's', text + 1, len - 1, b);
}

static int put_cgroup(const struct pv_redactor *r, const char *text, size_t len, struct buf *b)
{
	return put_parts(r, text, len, '/', put_cgroup_part, b);
}

int redact_put_address(const struct pv_redactor *r, const char *word, size_t len, struct buf *b)
{
	bool bracketed = len && word[0] == '[';
	const char *start = word + bracketed, *colon = memchr(word, ':', len);
	const char *end = bracketed ? memchr(word, ']', len)
			  : colon && !memchr(colon + 1, ':', len - (size_t)(colon + 1 - word))
				  ? colon
				  : word + len;
	char text[INET6_ADDRSTRLEN];
	uint8_t addr[16];
	int family, result;

	if (!end || (size_t)(end - start) >= sizeof(text))
		return 1;
	memcpy(text, start, (size_t)(end - start));
	text[end - start] = '\0';
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, addr) != 1)
		return 1;
	result = pv_redact_address(r, family, addr);
	buf_put(b, word, (size_t)(start - word));
	inet_put(b, family, addr);
	buf_put(b, end, (size_t)(word + len - end));
	return result;
}

int redact_put(const struct pv_redactor *r, enum pv_redact_kind kind, const char *text, size_t len,
	       struct buf *b)
{
	static put_fn *const puts[PV_REDACT_KIND_N] = {
		[PV_REDACT_HOST] = put_host,	       [PV_REDACT_USER] = put_user,
		[PV_REDACT_PATH] = put_path,	       [PV_REDACT_UNIT] = put_units,
		[PV_REDACT_CGROUP] = put_cgroup,       [PV_REDACT_CONTAINER] = put_container,
		[PV_REDACT_INTERFACE] = put_interface, [PV_REDACT_SOCKET] = put_socket,
		[PV_REDACT_TEXT] = put_other,
	};

	return len ? puts[kind](r, text, len, b) : 0;
}

/* As its program is called: one name begins with the other, two bytes at least. */
static bool is_called(const struct pv_bytes *comm, const struct pv_bytes *exe)
{
	static const char deleted[] = " (deleted)";
	size_t len = exe->len, n;
	const char *slash;

	if (ends(exe->data, len, deleted))
		len -= sizeof(deleted) - 1;
	if (!is_of_system(exe->data, len))
		return false;
	slash = memrchr(exe->data, '/', len);
	len -= (size_t)(slash + 1 - exe->data);
	n = len < comm->len ? len : comm->len;
	return n >= 2 && !memcmp(slash + 1, comm->data, n) &&
	       (comm->len <= len || is_number(comm->data + n, comm->len - n));
}

int redact_put_comm(const struct pv_redactor *r, const struct pv_bytes *comm,
		    const struct pv_bytes *exe, struct buf *b)
{
	if (comm->len && exe->len && is_called(comm, exe)) {
		buf_put(b, comm->data, comm->len);
		return 0;
	}
	return put_token(r, 'n', comm->data, comm->len, b);
}

/* /bin/sh of /usr/bin/sh.distrib: a folder of the system, and how the program is called. */
static bool is_its_name(const struct pv_bytes *title, const struct pv_bytes *exe)
{
	const char *slash = memrchr(title->data, '/', title->len);
	size_t folder = (size_t)(slash + 1 - title->data);
	struct pv_bytes name = { slash + 1, title->len - (uint32_t)folder };

	return name.len && is_one_of(title->data, folder, system_folders) && is_called(&name, exe);
}

int redact_put_title(const struct pv_redactor *r, const struct pv_bytes *title,
		     const struct pv_bytes *exe, struct buf *b)
{
	bool is_same;

	if (!title->len || title->data[0] != '/')
		return redact_put_comm(r, title, exe, b);
	is_same = title->len == exe->len && !memcmp(title->data, exe->data, exe->len);
	if (is_same || !is_of_system(title->data, title->len))
		return put_path(r, title->data, title->len, b);
	if (!is_its_name(title, exe))
		return put_token(r, 't', title->data, title->len, b);
	buf_put(b, title->data, title->len);
	return 0;
}

int pv_redact_text(const struct pv_redactor *r, enum pv_redact_kind kind, const void *text,
		   size_t len, char **ret_text, size_t *ret_len)
{
	struct buf b = BUF_INIT;
	int result = redact_put(r, kind, text, len, &b);

	if (result == 0 && !buf_str(&b))
		result = -ENOMEM;
	if (result < 0) {
		buf_deinit(&b);
		return result;
	}
	*ret_len = b.len;
	*ret_text = b.data ? b.data : strdup("");
	return *ret_text ? 0 : -ENOMEM;
}
