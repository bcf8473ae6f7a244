/* SPDX-License-Identifier: MIT */
/* The parts of mksock: one function a kind of socket, each announcing what it made. */
#ifndef MKSOCK_H
#define MKSOCK_H

#include <sys/socket.h>

/* how an IP kind is addressed: KIND, KIND@6, KIND@mapped, KIND@linklocal */
enum variant { V4, V6, MAPPED, LINKLOCAL };

/* prints one JSON line about a socket of this process; fd stays open */
void announce(const char *kind, const char *proto, const char *state, int fd);
/* a loopback address of the variant; the server's side of MAPPED is a v6 socket */
socklen_t loopback_address(enum variant variant, struct sockaddr_storage *ret);
int bound_socket(enum variant variant, int type, int protocol);
/* says why the kernel cannot make that kind, and goes on */
void not_here(const char *kind);

struct kind {
	const char *name;
	void (*make)(const char *name, enum variant variant);
};
extern const struct kind tcp_kinds[], other_kinds[]; /* end with a nameless one */

#endif
