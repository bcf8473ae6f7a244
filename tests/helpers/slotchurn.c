/* SPDX-License-Identifier: MIT */
/*
 * slotchurn udp|listen|unix N RATE SECONDS: N steady sockets in one slot of the kernel's hash table
 * and RATE sockets a second that come and go in the same slot. {"cookie"} for each steady one.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper.h"

#define N_BESIDE 64 /* short-lived sockets alive at a time */

struct slot {
	int (*make)(uint16_t port, unsigned int serial);
	uint16_t port;
};

static int make_udp(uint16_t port, unsigned int serial)
{
	(void)serial;
	return inet_bound(SOCK_DGRAM, LOOPBACK, port, true);
}

static int make_listener(uint16_t port, unsigned int serial)
{
	(void)serial;
	int fd = inet_bound(SOCK_STREAM, LOOPBACK, port, true);

	must(listen(fd, 1), "listen");
	return fd;
}

/*
 * The slot of an abstract name is the folded checksum of its 16-bit words (net/unix/af_unix.c,
 * unix_abstract_hash): two words with a constant sum stay in one slot.
 */
static int make_unix(uint16_t port, unsigned int serial)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	uint16_t words[2] = { (uint16_t)serial, (uint16_t)(0xfffe - (uint16_t)serial) };
	int fd = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	(void)port;
	memcpy(sa.sun_path + 2, words, sizeof(words));
	sa.sun_path[1] = 's';
	must(bind(fd, (struct sockaddr *)&sa, offsetof(struct sockaddr_un, sun_path) + 6), "bind");
	return fd;
}

static void make_steady(const struct slot *slot, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		printf("{\"cookie\":%llu}\n",
		       (unsigned long long)cookie_of(slot->make(slot->port, i)));
}

static void churn(const struct slot *slot, unsigned int first, unsigned int rate, double end)
{
	int beside[N_BESIDE];
	struct pace pace = { 0 };

	for (unsigned int i = 0; i < N_BESIDE; i++)
		beside[i] = slot->make(slot->port, first + i);
	say_ready();
	for (unsigned int i = 0; i % 64 || (now() < end && !end_is_near()); i++) {
		unsigned int serial = first + (i + N_BESIDE) % (60000 - first);
		/* a random victim: newcomers go to the head of the slot, the old leave anywhere */
		int *victim = &beside[random() % N_BESIDE];
		if (slot->make == make_unix)
			victim = &beside[i % N_BESIDE];
		close(*victim);
		*victim = slot->make(slot->port, serial);
		pace_step(&pace, rate);
	}
	printf("%llu\n", (unsigned long long)pace.steps);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*make)(uint16_t port, unsigned int serial);
	} kinds[] = { { "udp", make_udp }, { "listen", make_listener }, { "unix", make_unix } };
	struct slot slot = { .port = 5300 };

	helper_begin(600);
	raise_descriptor_limit();
	for (size_t i = 0; argc == 5 && i < 3; i++)
		if (!strcmp(kinds[i].name, argv[1]))
			slot.make = kinds[i].make;
	if (!slot.make)
		die("usage: slotchurn udp|listen|unix N RATE SECONDS");
	unsigned int n = number(argv[2], 15000);
	make_steady(&slot, n);
	churn(&slot, n, number(argv[3], 50000), now() + number(argv[4], 300));
	return 0;
}
