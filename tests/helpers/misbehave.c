/* SPDX-License-Identifier: MIT */
/*
 * A library to be preloaded: a decoder that was taken over. In a child of the process that loaded
 * it, the third read(2) does what MISBEHAVE says (open, create, socket, connect, exec, kill,
 * ptrace) and says on standard error when that worked.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

static ssize_t (*real_read)(int fd, void *data, size_t len);
static pid_t loader;
static int n_reads;

__attribute__((constructor)) static void remember(void)
{
	*(void **)&real_read = dlsym(RTLD_NEXT, "read");
	loader = getpid();
}

static void try(const char *what)
{
	char *argv[] = { (char *)"true", NULL };
	int result = -1;

	if (!strcmp(what, "open"))
		result = open("/etc/shadow", O_RDONLY | O_CLOEXEC);
	else if (!strcmp(what, "create"))
		result = open("/tmp/misbehave", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	else if (!strcmp(what, "socket"))
		result = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	else if (!strcmp(what, "exec"))
		result = execv("/bin/true", argv);
	else if (!strcmp(what, "kill"))
		result = kill(getppid(), 0);
	else if (!strcmp(what, "ptrace"))
		result = (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
	(void)!write(2, result < 0 ? "refused\n" : "worked\n", result < 0 ? 8 : 7);
}

__attribute__((visibility("default"))) ssize_t read(int fd, void *data, size_t len)
{
	const char *what = getenv("MISBEHAVE");

	if (what && getpid() != loader && ++n_reads == 3)
		try(what);
	return real_read(fd, data, len);
}
