/* SPDX-License-Identifier: MIT */
/*
 * deny WHAT... -- COMMAND: runs the command where system calls fail with EPERM, as in a container
 * with a strict seccomp profile. WHAT is bpf, netlink (socket(AF_NETLINK)), diag
 * (socket(AF_NETLINK, ..., NETLINK_SOCK_DIAG)), threads (clone3), network (connect), mounts
 * (fsopen), rulesets (landlock_create_ruleset), or, with the EINVAL of a kernel that has no such
 * thing, filters (prctl(PR_SET_SECCOMP)) or landlock (landlock_restrict_self, which a kernel that
 * can make rulesets has).
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper.h"

#define ANY UINT32_MAX
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

struct rule {
	const char *name;
	uint32_t call, arg0, arg2, error;
};

static const struct rule rules[] = {
	{ "bpf", SYS_bpf, ANY, ANY, EPERM },
	{ "netlink", SYS_socket, AF_NETLINK, ANY, EPERM },
	{ "diag", SYS_socket, AF_NETLINK, NETLINK_SOCK_DIAG, EPERM },
	{ "threads", SYS_clone3, ANY, ANY, EPERM },
	{ "network", SYS_connect, ANY, ANY, EPERM },
	{ "mounts", SYS_fsopen, ANY, ANY, EPERM },
	{ "filters", SYS_prctl, PR_SET_SECCOMP, ANY, EINVAL },
	{ "rulesets", SYS_landlock_create_ruleset, ANY, ANY, EPERM },
	{ "landlock", SYS_landlock_restrict_self, ANY, ANY, EINVAL },
};

/* appends the checks of one rule; a rule that does not apply falls through to the next */
static size_t add_rule(struct sock_filter *code, const struct rule *rule)
{
	size_t n = 0;
	uint8_t left = (uint8_t)(1 + 2 * (rule->arg0 != ANY) + 2 * (rule->arg2 != ANY));

	code[n++] = (struct sock_filter)LOAD(nr);
	code[n++] = (struct sock_filter)UNLESS(rule->call, left);
	if (rule->arg0 != ANY) {
		left = (uint8_t)(left - 2);
		code[n++] = (struct sock_filter)LOAD(args[0]);
		code[n++] = (struct sock_filter)UNLESS(rule->arg0, left);
	}
	if (rule->arg2 != ANY) {
		code[n++] = (struct sock_filter)LOAD(args[2]);
		code[n++] = (struct sock_filter)UNLESS(rule->arg2, 1);
	}
	code[n++] = (struct sock_filter)REFUSE(rule->error);
	return n;
}

static const struct rule *find_rule(const char *name)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!strcmp(rules[i].name, name))
			return &rules[i];
	die("%s: no such rule", name);
}

int main(int argc, char **argv)
{
	struct sock_filter code[128];
	size_t n = 0;
	int i = 1;

	for (; i < argc && strcmp(argv[i], "--") && n < 100; i++)
		n += add_rule(code + n, find_rule(argv[i]));
	if (i + 1 >= argc)
		die("usage: deny WHAT... -- COMMAND");
	code[n++] = (struct sock_filter)ALLOW;
	struct sock_fprog program = { (unsigned short)n, code };
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "NO_NEW_PRIVS");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
	execvp(argv[i + 1], argv + i + 1);
	die("%s", argv[i + 1]);
}
