/* SPDX-License-Identifier: MIT */
/*
 * What every load maker of the tests shares: it dies with its parent and after a time limit, says
 * "ready" when its sockets stand, and waits for the end of its standard input.
 */
#ifndef HELPER_H
#define HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
/* exit status 77: the kernel lacks what this load needs */
__attribute__((noreturn, format(printf, 1, 2))) void skip(const char *format, ...);
/* returns r, or dies naming `what` when it is negative */
int must(int r, const char *what);

/* first thing in main(): bound to the parent's life and to `seconds` */
void helper_begin(unsigned int seconds);
/* first thing in a forked child */
void follow_parent(void);
/* fork(), and follow_parent() in the child */
pid_t fork_child(void);
void raise_descriptor_limit(void);

void say_ready(void);
void wait_for_end(void);
bool end_is_near(void); /* standard input is at its end */

uint64_t cookie_of(int fd);
uint64_t inode_of(int fd);
uint16_t port_of(int fd);

/* TCP on 127.0.0.0/8, addresses in host order; port 0 = the kernel's choice */
#define LOOPBACK 0x7f000001u
int inet_bound(int type, uint32_t addr, uint16_t port, bool reuseport);
int tcp_listener(uint32_t addr, uint16_t port, int backlog);
int tcp_connect(uint32_t addr, uint16_t port, bool nonblock);

/* Bytes as hexadecimal digits on stdout. */
void print_hex(const void *data, size_t len);

/* Sleeps as needed to let `rate` steps a second pass. */
struct pace {
	double begin;
	uint64_t steps;
};
double now(void);
void pace_step(struct pace *pace, double rate);

unsigned int number(const char *text, unsigned int max);

#endif
