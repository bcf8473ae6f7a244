/* SPDX-License-Identifier: MIT */
#include "judge/kinds.h"

#include <string.h>

/*
 * Stems of names. A version or a flavour may follow, behind a digit, a dot or a dash: python3.11,
 * perl5.36-x86_64-linux-gnu, nc.openbsd, bash-static. The first stem that fits counts.
 */
static const struct {
	const char *stem;
	enum program_kind kind;
} stems[] = {
	/* a service with an interpreter's stem */
	{ "php-fpm", KIND_PLAIN },

	{ "sh", KIND_SHELL },
	{ "bash", KIND_SHELL },
	{ "rbash", KIND_SHELL },
	{ "dash", KIND_SHELL },
	{ "zsh", KIND_SHELL },
	{ "ksh", KIND_SHELL },
	{ "mksh", KIND_SHELL },
	{ "lksh", KIND_SHELL },
	{ "fish", KIND_SHELL },
	{ "tcsh", KIND_SHELL },
	{ "csh", KIND_SHELL },
	{ "posh", KIND_SHELL },
	{ "yash", KIND_SHELL },
	{ "sash", KIND_SHELL },
	{ "elvish", KIND_SHELL },
	{ "busybox", KIND_SHELL },
	{ "toybox", KIND_SHELL },
	{ "bsd-csh", KIND_SHELL },
	{ "pwsh", KIND_SHELL },

	{ "python", KIND_INTERPRETER },
	{ "pypy", KIND_INTERPRETER },
	{ "perl", KIND_INTERPRETER },
	{ "ruby", KIND_INTERPRETER },
	{ "node", KIND_INTERPRETER },
	{ "nodejs", KIND_INTERPRETER },
	{ "php", KIND_INTERPRETER },
	{ "lua", KIND_INTERPRETER },
	{ "luajit", KIND_INTERPRETER },
	{ "tclsh", KIND_INTERPRETER },
	{ "wish", KIND_INTERPRETER },
	{ "expect", KIND_INTERPRETER },
	{ "gawk", KIND_INTERPRETER },
	{ "mawk", KIND_INTERPRETER },
	{ "java", KIND_INTERPRETER },
	{ "guile", KIND_INTERPRETER },
	{ "erlexec", KIND_INTERPRETER },
	{ "beam", KIND_INTERPRETER },
	{ "mono", KIND_INTERPRETER },
	{ "dotnet", KIND_INTERPRETER },
	{ "deno", KIND_INTERPRETER },
	{ "qjs", KIND_INTERPRETER },
	{ "R", KIND_INTERPRETER },
	{ "Rscript", KIND_INTERPRETER },
	{ "julia", KIND_INTERPRETER },
	{ "octave", KIND_INTERPRETER },
	{ "sbcl", KIND_INTERPRETER },
	{ "lisp", KIND_INTERPRETER },
	{ "racket", KIND_INTERPRETER },
	{ "swipl", KIND_INTERPRETER },
	{ "ocamlrun", KIND_INTERPRETER },
	{ "moar", KIND_INTERPRETER },
	{ "pike", KIND_INTERPRETER },
	{ "gforth", KIND_INTERPRETER },
	{ "gjs", KIND_INTERPRETER },
	{ "gdb", KIND_INTERPRETER },
	{ "vim", KIND_INTERPRETER },
	{ "nvim", KIND_INTERPRETER },
	{ "emacs", KIND_INTERPRETER },

	{ "nc", KIND_RELAY },
	{ "ncat", KIND_RELAY },
	{ "netcat", KIND_RELAY },
	{ "socat", KIND_RELAY },
	{ "openssl", KIND_RELAY },
	{ "telnet", KIND_RELAY },
	{ "inetutils-telnet", KIND_RELAY },
	{ "cryptcat", KIND_RELAY },
	{ "sbd", KIND_RELAY },
	{ "pwncat", KIND_RELAY },
	{ "websocat", KIND_RELAY },
	{ "redir", KIND_RELAY },
	{ "simpleproxy", KIND_RELAY },
	{ "tcpconnect", KIND_RELAY },
	{ "tcplisten", KIND_RELAY },
	{ "mini-inetd", KIND_RELAY },
};

/* Packages whose programs run other machines' or other people's programs under their own name. */
static const char *const runner_packages[] = {
	"qemu-user", "valgrind", "proot", "wine", "libwine", "box64", "box86", "fex-emu",
};

static const char *const forwarders[] = {
	"sshd",	    "ssh",	  "dropbear",
	"dbclient", "stunnel",	  "haproxy",
	"envoy",    "nginx",	  "apache",
	"squid",    "tinyproxy",  "privoxy",
	"tor",	    "pound",	  "varnishd",
	"traefik",  "dante",	  "danted",
	"sockd",    "microsocks", "systemd-socket-proxyd",
	"inetd",    "xinetd",	  "rinetd",
	"sslh",	    "gost",	  "frps",
	"frpc",	    "chisel",	  "openvpn",
};

static bool is_flavour(char c)
{
	return (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool has_stem(const struct pv_bytes *name, const char *stem)
{
	size_t n = strlen(stem);

	return name->len >= n && !memcmp(name->data, stem, n) &&
	       (name->len == n || is_flavour(name->data[n]));
}

static bool has_stem_of(const struct pv_bytes *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (has_stem(name, list[i]))
			return true;
	return false;
}

/* ld-linux-x86-64.so.2, ld-musl-x86_64.so.1, ld.so: a library that runs is a loader. */
static bool is_library(const struct pv_bytes *name)
{
	for (uint32_t i = 0; i + 3 <= name->len; i++)
		if (!memcmp(name->data + i, ".so", 3) &&
		    (i + 3 == name->len || name->data[i + 3] == '.'))
			return true;
	return false;
}

enum program_kind kind_of_name(const struct pv_bytes *name)
{
	for (size_t i = 0; i < sizeof(stems) / sizeof(*stems); i++)
		if (has_stem(name, stems[i].stem))
			return stems[i].kind;
	return is_library(name) ? KIND_INTERPRETER : KIND_PLAIN;
}

const char *kind_flags(const struct pv_bytes *name)
{
	static const struct {
		const char *stem, *flags;
	} table[] = {
		{ "python", "uBEIOsSPbdqv" }, { "perl", "wWTtU" },    { "ruby", "wW" },
		{ "sh", "aefhpuvx" },	      { "bash", "aefhpuvx" }, { "dash", "aefpuvx" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (has_stem(name, table[i].stem))
			return table[i].flags;
	return "";
}

enum program_kind kind_of_package(const struct pv_bytes *package)
{
	return has_stem_of(package, runner_packages,
			   sizeof(runner_packages) / sizeof(*runner_packages))
		       ? KIND_INTERPRETER
		       : KIND_PLAIN;
}

bool kind_is_multicall(const struct pv_bytes *name)
{
	static const char *const names[] = { "busybox", "toybox" };

	return has_stem_of(name, names, sizeof(names) / sizeof(*names));
}

bool kind_is_forwarder(const struct pv_bytes *name)
{
	return has_stem_of(name, forwarders, sizeof(forwarders) / sizeof(*forwarders));
}
