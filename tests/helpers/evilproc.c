/* SPDX-License-Identifier: MIT */
/*
 * evilproc names|hiderow: listening processes with hostile names, in comm and in argv[0]. Prints
 * {"pid","port","inode","comm_hex"} for each. "hiderow" makes five whose names wipe the rows above
 * or around them on a terminal that obeys them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "helper.h"

/* at most 15 bytes each: the kernel cuts longer ones */
static const char *const names[] = {
	"plain",
	"\033[31mred\033[0m",
	"\033[2J\033[H",
	"\033]0;owned\a",
	"up\033[A\033[2K",
	"line\rover",
	"back\b\b\b\bgone",
	"bell\a",
	"two\nlines",
	"tab\tbed",
	"del\177ete",
	"c1\23331mraw",
	"c1\302\23331mutf",
	"bad\377\376utf8",
	"cut\342\202",
	"\342\200\256txt.exe",
	"zero\342\200\213width",
	"x\",pid=1,fd=3",
	") start",
	"",
	"nc (",
	"quo\"te'd",
	"two\\nlines",
	"two\\x0alines",
	"=1+cmd|' /C'!A0",
	"<b>html&amp;",
	"users:((\"sshd\"",
};

static const char *const hiders[] = {
	"h1\033[A\033[2K", "h2\033[8m", "h3\r\033[K", "h4\033[1;1H\033[J", "h5\033]0;gone\a",
};

/* in the new image: argv[0] is the hostile name, argv[2] the descriptor to hold */
static void __attribute__((noreturn)) hold(char **argv)
{
	follow_parent();
	prctl(PR_SET_NAME, argv[0]);
	must((int)write((int)number(argv[2], 1 << 20), "x", 1), "write");
	for (;;)
		pause();
}

static void become(const char *name, int notify)
{
	char fd[16];
	snprintf(fd, sizeof(fd), "%d", notify);
	char *const argv[] = { (char *)name, (char *)"--hold", fd, NULL };

	execv("/proc/self/exe", argv);
	die("exec");
}

static void start(const char *name)
{
	int ends[2], fd = tcp_listener(LOOPBACK, 0, 5);
	char c;

	must(pipe(ends), "pipe");
	uint16_t port = port_of(fd);
	unsigned long long inode = inode_of(fd);
	pid_t pid = fork_child();
	if (!pid) {
		must(dup(fd), "dup"); /* without O_CLOEXEC */
		become(name, ends[1]);
	}
	must((int)read(ends[0], &c, 1), "read");
	close(ends[0]);
	close(ends[1]);
	close(fd);
	printf("{\"pid\":%d,\"port\":%u,\"inode\":%llu,\"comm_hex\":\"", pid, port, inode);
	print_hex(name, strlen(name));
	printf("\"}\n");
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--hold"))
		hold(argv);
	helper_begin(300);
	bool hide = argc == 2 && !strcmp(argv[1], "hiderow");
	const char *const *set = hide ? hiders : names;
	size_t n = hide ? sizeof(hiders) / sizeof(*hiders) : sizeof(names) / sizeof(*names);
	for (size_t i = 0; i < n; i++)
		start(set[i]);
	say_ready();
	wait_for_end();
	return 0;
}
