/* SPDX-License-Identifier: MIT */
/*
 * A program that holds one network socket, to be copied, renamed, deleted and disguised by the
 * tests of verdicts: intruder [comm=NAME] [argv=TEXT|erase] [child=PROGRAM] MODE, where MODE is
 *   listen ADDR PORT    a TCP listener (port 0: the kernel's choice)
 *   connect ADDR PORT   a TCP connection
 *   udp ADDR PORT       a bound UDP socket
 *   packet | raw        a PACKET or a RAW socket
 * Prints its pid and port as JSON. With child=, a listener starts that program with "connect" and
 * its own address, and accepts it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <net/ethernet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"

static char *area; /* the arguments as the kernel sees them */
static size_t area_size;

static void disguise(const char *word)
{
	if (!strncmp(word, "comm=", 5))
		must(prctl(PR_SET_NAME, word + 5), "prctl");
}

/* After the last use of argv. */
static void rewrite_arguments(const char *text)
{
	memset(area, 0, area_size);
	if (strcmp(text, "erase") != 0)
		snprintf(area, area_size, "%s", text + 5);
}

static void start_child(const char *program, uint16_t port)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	if (fork() == 0) {
		/* what it says is nobody's answer */
		close(STDOUT_FILENO);
		execl(program, program, "connect", "127.0.0.1", text, (char *)NULL);
		die("%s", program);
	}
}

static int open_socket(char **argv, const char *mode)
{
	struct in_addr addr = { 0 };
	uint16_t port = 0;
	int fd = -1;

	if (argv[0] && inet_pton(AF_INET, argv[0], &addr) == 1 && argv[1])
		port = (uint16_t)number(argv[1], 65535);
	if (!strcmp(mode, "listen"))
		fd = tcp_listener(ntohl(addr.s_addr), port, 5);
	else if (!strcmp(mode, "connect"))
		fd = tcp_connect(ntohl(addr.s_addr), port, false);
	else if (!strcmp(mode, "udp"))
		fd = inet_bound(SOCK_DGRAM, ntohl(addr.s_addr), port, false);
	else if (!strcmp(mode, "packet"))
		fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	else if (!strcmp(mode, "raw"))
		fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	return must(fd, mode);
}

int main(int argc, char **argv)
{
	const char *arguments = NULL, *child = NULL;
	bool is_inet;
	int first = 1, fd;

	area = argv[0];
	area_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[0]);
	helper_begin(120);
	for (; first < argc && (strchr(argv[first], '=') || !strcmp(argv[first], "erase"));
	     first++) {
		if (!strncmp(argv[first], "child=", 6))
			child = strdup(argv[first] + 6);
		else if (strncmp(argv[first], "comm=", 5) != 0)
			arguments = strdup(argv[first]);
		disguise(argv[first]);
	}
	if (first == argc)
		die("mode?");
	fd = open_socket(argv + first + 1, argv[first]);
	is_inet = strcmp(argv[first], "packet") && strcmp(argv[first], "raw");
	if (child) {
		start_child(child, port_of(fd));
		must(accept(fd, NULL, NULL), "accept");
	}
	if (arguments)
		rewrite_arguments(arguments);
	printf("{\"pid\":%d,\"port\":%u}\n", getpid(), is_inet ? port_of(fd) : 0);
	say_ready();
	wait_for_end();
	return 0;
}
