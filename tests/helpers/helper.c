/* SPDX-License-Identifier: MIT */
/* See helper.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper.h"

static void complain(const char *format, va_list args)
{
	int error = errno;

	vfprintf(stderr, format, args);
	fprintf(stderr, " (%s)\n", strerror(error));
}

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	exit(1);
}

void skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	exit(77);
}

int must(int r, const char *what)
{
	if (r < 0)
		die("%s", what);
	return r;
}

void follow_parent(void)
{
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
}

void helper_begin(unsigned int seconds)
{
	follow_parent();
	signal(SIGPIPE, SIG_IGN);
	alarm(seconds);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
}

pid_t fork_child(void)
{
	fflush(stdout);
	pid_t parent = getpid();
	pid_t pid = must(fork(), "fork");
	if (pid)
		return pid;
	follow_parent();
	if (getppid() != parent)
		_exit(1);
	return 0;
}

void raise_descriptor_limit(void)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

void wait_for_end(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

bool end_is_near(void)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	must(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), "SO_COOKIE");
	return cookie;
}

uint64_t inode_of(int fd)
{
	struct stat st;

	must(fstat(fd, &st), "fstat");
	return st.st_ino;
}

uint16_t port_of(int fd)
{
	struct sockaddr_in6 sa = { 0 };
	socklen_t len = sizeof(sa);

	must(getsockname(fd, (struct sockaddr *)&sa, &len), "getsockname");
	return ntohs(sa.sin6_port); /* at the same offset in sockaddr_in */
}

static struct sockaddr_in inet_address(uint32_t addr, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(addr) };
}

int inet_bound(int type, uint32_t addr, uint16_t port, bool reuseport)
{
	struct sockaddr_in sa = inet_address(addr, port);
	int one = 1;
	int fd = must(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket");

	if (reuseport)
		must(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), "SO_REUSEPORT");
	must(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), "bind");
	return fd;
}

int tcp_listener(uint32_t addr, uint16_t port, int backlog)
{
	struct sockaddr_in sa = inet_address(addr, port);
	int one = 1, fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	must(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), "bind");
	must(listen(fd, backlog), "listen");
	return fd;
}

int tcp_connect(uint32_t addr, uint16_t port, bool nonblock)
{
	struct sockaddr_in sa = inet_address(addr, port);
	int fd = must(
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0), 0),
		"socket");

	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 && errno != EINPROGRESS)
		die("connect");
	return fd;
}

void print_hex(const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		printf("%02x", p[i]);
}

double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void pace_step(struct pace *pace, double rate)
{
	if (!pace->steps++)
		pace->begin = now();
	double ahead = (double)pace->steps / rate - (now() - pace->begin);
	if (ahead > 0.002)
		usleep((useconds_t)(ahead * 1e6));
}

unsigned int number(const char *text, unsigned int max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > max)
		die("%s: not a number up to %u", text, max);
	return (unsigned int)n;
}
