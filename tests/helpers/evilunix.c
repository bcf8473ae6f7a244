/* SPDX-License-Identifier: MIT */
/*
 * evilunix names DIR: 23 unix sockets with hostile names, abstract and in DIR.
 * evilunix forge DIR: a victim's socket, then one whose name imitates a row of /proc/net/unix that
 * gives the victim's inode the path /FORGED.
 * Prints {"pid","inode","cookie","kind","name_hex"} for each; abstract names without their NUL.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper.h"

struct name {
	const char *bytes;
	size_t len;
	bool abstract;
};
#define PATH(s)                                                                                    \
	{                                                                                          \
		s, sizeof(s) - 1, false                                                            \
	}
#define ABSTRACT(s)                                                                                \
	{                                                                                          \
		s, sizeof(s) - 1, true                                                             \
	}

static const struct name names[] = {
	ABSTRACT("eu-plain"),
	PATH("@eu-plain"),
	PATH("eu-plain"),
	ABSTRACT("eu\0nul"),
	ABSTRACT("eu@nul"),
	PATH("eu\nline"),
	PATH("eu\\nline"),
	PATH("eu space"),
	ABSTRACT("eu space"),
	PATH("eu\033[31mred"),
	ABSTRACT("eu\033[2J\033[H"),
	PATH("eu\033]0;title\a"),
	PATH("eu\rover"),
	PATH("eu\b\b\bback"),
	ABSTRACT("eu\23331m"),
	PATH("eu\377\376"),
	PATH("eu\342\200\256rtl"),
	ABSTRACT("eu\342\202"),
	PATH("eu\"quote'"),
	PATH("=eu|cmd"),
	ABSTRACT("eu \nu_str LISTEN 0 5 /run/dbus 1 * 0 users:((\"dbus\",pid=1,fd=3))"),
	PATH("eu\t* 0 users:((\"init\",pid=1,fd=9))"),
	ABSTRACT("eu-trailing\0\0\0"),
};

static int bind_name(const struct name *name, int type)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");

	memcpy(sa.sun_path + name->abstract, name->bytes, name->len);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name->len + 1);
	must(bind(fd, (struct sockaddr *)&sa, len), "bind");
	return fd;
}

static void print_row(const char *kind, int fd, const struct name *name)
{
	printf("{\"pid\":%d,\"inode\":%llu,\"cookie\":%llu,\"kind\":\"%s\",\"abstract\":%s,"
	       "\"name_hex\":\"",
	       getpid(), (unsigned long long)inode_of(fd), (unsigned long long)cookie_of(fd), kind,
	       name->abstract ? "true" : "false");
	print_hex(name->bytes, name->len);
	printf("\"}\n");
}

static void make_names(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		print_row("name", bind_name(&names[i], i % 2 ? SOCK_STREAM : SOCK_DGRAM),
			  &names[i]);
}

/* the victim is the parent; the forger a child, so that the owners differ */
static void forge(void)
{
	struct name victim = PATH("victim");
	int fd = bind_name(&victim, SOCK_DGRAM);
	char row[100];

	print_row("victim", fd, &victim);
	unsigned long long inode = inode_of(fd);
	if (fork_child())
		return;
	close(fd);
	snprintf(row, sizeof(row), "x\n%016x: 00000002 00000000 00010000 0001 01 %5llu /FORGED", 0,
		 inode);
	struct name forged = { row, strlen(row), true };
	print_row("forger", bind_name(&forged, SOCK_DGRAM), &forged);
	say_ready();
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: evilunix names|forge DIR");
	helper_begin(300);
	must(chdir(argv[2]), argv[2]);
	if (!strcmp(argv[1], "forge")) {
		forge();
	} else {
		make_names();
		say_ready();
	}
	wait_for_end();
	return 0;
}
