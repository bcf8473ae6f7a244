/* SPDX-License-Identifier: MIT */
/*
 * A child process for foreign bytes. Three walls, each of which would do: a user without
 * capabilities, for root another one; Landlock without a single rule; and a list of the system
 * calls that are left. Invariant: a wall that this kernel has and that cannot be put up is an
 * error.
 */
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define NOBODY 65534
#define LOOK_EVERY_MS 50

/* As include/uapi/linux/landlock.h of Linux 6.12 has it; an older kernel takes a shorter one. */
struct ruleset {
	uint64_t files, network, scoped;
};

struct shared {
	volatile uint64_t position;
	volatile int error; /* below 0: why the body has not run */
};

/*
 * 0 also where this process may not change its user (EPERM: root without CAP_SETUID or CAP_SETGID,
 * or, of setgroups(2), in a user namespace that renounced it) or the user namespace has no `nobody`
 * (EINVAL): it stays who it is there, as anybody who is not root does, and the capabilities go.
 */
static int unless_impossible(int result)
{
	return result == 0 || errno == EPERM || errno == EINVAL ? 0 : -errno;
}

static int drop_user(void)
{
	int r = 0;

	if (geteuid() != 0)
		return 0;
	for (int c = 0; prctl(PR_CAPBSET_READ, c) >= 0; c++)
		if (prctl(PR_CAPBSET_DROP, c) < 0 && errno != EPERM)
			return -errno;
	r = unless_impossible(setgroups(0, NULL));
	if (r == 0)
		r = unless_impossible(setresgid(NOBODY, NOBODY, NOBODY));
	return r == 0 ? unless_impossible(setresuid(NOBODY, NOBODY, NOBODY)) : r;
}

/* A user who is not root may hold capabilities, too (setcap, systemd's AmbientCapabilities). */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* The kinds of access that ABI version n knows; the kernel refuses those it does not. */
static struct ruleset everything(long abi)
{
	static const uint8_t file_bits[] = { 0, 13, 14, 15, 15, 16 };
	size_t last = sizeof(file_bits) - 1;
	unsigned int bits = file_bits[(size_t)abi > last ? last : (size_t)abi];

	return (struct ruleset){ .files = (UINT64_C(1) << bits) - 1,
				 .network = abi >= 4 ? 3 : 0,
				 .scoped = abi >= 6 ? 3 : 0 };
}

static int forbid_files(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);
	int error = abi < 0 ? errno : 0;
	struct ruleset all = everything(abi);
	size_t size = abi >= 6	 ? sizeof(all)
		      : abi >= 4 ? offsetof(struct ruleset, scoped)
				 : offsetof(struct ruleset, network);
	_cleanup_(cleanup_fd) int fd = -1;

	/* Linux before 5.13, or not switched on, or a container's filter that does not know the
	 * call (EPERM): the list of system calls remains */
	if (abi < 1)
		return error == ENOSYS || error == EOPNOTSUPP || error == EPERM ? 0 : -error;
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0U);
	if (fd < 0)
		return -errno;
	return syscall(SYS_landlock_restrict_self, fd, 0U) < 0 ? -errno : 0;
}

static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(pread64),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(pwrite64),
	SCMP_SYS(lseek),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), /* libpcap asks whether the interface is still there */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(futex),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sysinfo), /* qsort(3) asks how much memory there is */
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(timer_settime),
	SCMP_SYS(setitimer),
	SCMP_SYS(alarm),
	SCMP_SYS(pause),
};

/*
 * What depends on an argument: no memory becomes executable, a clone is a thread, of the terminal
 * nothing but its kind and size is asked. clone3 keeps its flags in memory, where a filter cannot
 * look; the C library takes clone when it is told that there is no clone3.
 */
static int allow_some(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp not_executable =
		SCMP_A2(SCMP_CMP_MASKED_EQ, (scmp_datum_t)PROT_EXEC, 0);
	const struct scmp_arg_cmp is_thread =
		SCMP_A0(SCMP_CMP_MASKED_EQ, (scmp_datum_t)CLONE_THREAD, CLONE_THREAD);
	const struct scmp_arg_cmp is_terminal_kind = SCMP_A1(SCMP_CMP_EQ, TCGETS);
	const struct scmp_arg_cmp is_terminal_size = SCMP_A1(SCMP_CMP_EQ, TIOCGWINSZ);
	const struct scmp_arg_cmp is_interface_up = SCMP_A1(SCMP_CMP_EQ, SIOCGIFFLAGS);
	const struct scmp_arg_cmp is_of_descriptor =
		SCMP_A3(SCMP_CMP_MASKED_EQ, (scmp_datum_t)AT_EMPTY_PATH, AT_EMPTY_PATH);
	const struct scmp_arg_cmp is_status_flags = SCMP_A1(SCMP_CMP_EQ, F_GETFL);
	const struct {
		uint32_t action;
		int call;
		const struct scmp_arg_cmp *condition;
	} rules[] = {
		{ SCMP_ACT_ALLOW, SCMP_SYS(mmap), &not_executable },
		{ SCMP_ACT_ALLOW, SCMP_SYS(mprotect), &not_executable },
		{ SCMP_ACT_ALLOW, SCMP_SYS(clone), &is_thread },
		{ SCMP_ACT_ALLOW, SCMP_SYS(ioctl), &is_terminal_kind },
		{ SCMP_ACT_ALLOW, SCMP_SYS(ioctl), &is_terminal_size },
		{ SCMP_ACT_ALLOW, SCMP_SYS(ioctl), &is_interface_up }, /* libpcap, of a ring */
		{ SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), &is_of_descriptor },
		{ SCMP_ACT_ALLOW, SCMP_SYS(fcntl), &is_status_flags },
		{ SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), NULL },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(rules) / sizeof(*rules); i++)
		r = seccomp_rule_add_array(filter, rules[i].action, rules[i].call,
					   rules[i].condition ? 1 : 0, rules[i].condition);
	return r;
}

static void cleanup_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

/* A kernel with filters reads the one at NULL (EFAULT), one without knows of none (EINVAL). */
static bool has_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == 0 || errno != EINVAL;
}

/* 0, SANDBOX_UNFILTERED or -errno */
static int forbid_calls(void)
{
	_cleanup_(cleanup_filter) scmp_filter_ctx filter = NULL;
	int r;

	if (!has_filters())
		return SANDBOX_UNFILTERED;
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	r = filter ? 0 : -ENOMEM;
	/* else whatever the kernel says is ECANCELED (libseccomp 2.5) */
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	for (size_t i = 0; r == 0 && i < sizeof(allowed) / sizeof(*allowed); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (r == 0)
		r = allow_some(filter);
	return r == 0 ? seccomp_load(filter) : r;
}

/* 0, SANDBOX_UNFILTERED or -errno */
static int enter(pid_t parent)
{
	int r = 0;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	r = drop_user();
	if (r == 0)
		r = drop_capabilities();
	/* a change of user clears it */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		r = -errno;
	if (r == 0)
		r = forbid_files();
	return r == 0 ? forbid_calls() : r;
}

/* The terminal sends SIGINT to both; one that a process sent was meant for both, too. */
static bool is_to_pass_on(const struct signalfd_siginfo *info)
{
	return info->ssi_signo != SIGINT || info->ssi_code <= 0;
}

/* One question, one answer; false = the service is over. */
static bool answer_one(int fd, const struct sandbox_service *service, char *question, char *answer)
{
	ssize_t n = recv(fd, question, SANDBOX_MESSAGE_MAX, MSG_DONTWAIT);
	size_t len;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	len = n ? service->serve(question, (size_t)n, answer, service->userdata) : 0;
	return len && send(fd, answer, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void pass_on(int signals, pid_t child)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == sizeof(info))
		if (is_to_pass_on(&info))
			kill(child, (int)info.ssi_signo);
}

/*
 * SIGCHLD would not do to learn of the end: any thread of the program that does not block it may
 * take it. Linux before 5.3 has no descriptors of processes; there it is looked now and then.
 */
static int wait_for(pid_t child, int signals, int fd, const struct sandbox_service *service)
{
	_cleanup_(cleanup_fd) int ended = (int)syscall(SYS_pidfd_open, child, 0);
	_cleanup_(cleanup_free) char *messages = fd >= 0 ? malloc(2 * SANDBOX_MESSAGE_MAX) : NULL;
	struct pollfd polled[] = { { .fd = signals, .events = POLLIN },
				   { .fd = messages ? fd : -1, .events = POLLIN },
				   { .fd = -1, .events = POLLIN },
				   { .fd = ended, .events = POLLIN } };
	int status = 0;

	while (waitpid(child, &status, WNOHANG) == 0) {
		polled[2].fd = service && service->on_event ? service->event_fd : -1;
		poll(polled, 4, ended < 0 ? LOOK_EVERY_MS : -1);
		pass_on(signals, child);
		if (polled[2].revents)
			service->on_event(service->userdata);
		if (polled[1].revents &&
		    !answer_one(fd, service, messages, messages + SANDBOX_MESSAGE_MAX)) {
			shutdown(fd, SHUT_RDWR);
			polled[1].fd = -1;
		}
	}
	return status;
}

static void block(sigset_t *ret_set, sigset_t *ret_before)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };

	sigemptyset(ret_set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(ret_set, signals[i]);
	sigprocmask(SIG_BLOCK, ret_set, ret_before);
}

/* A parent that ignores SIGCHLD never learns how its children ended. */
static pid_t start(const sigset_t *before, struct sigaction *ret_before)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	pid_t pid;

	sigaction(SIGCHLD, &by_default, ret_before);
	pid = fork();
	if (pid == 0)
		sigprocmask(SIG_SETMASK, before, NULL);
	return pid;
}

/* The child's side of it: does not return. */
static void be_child(pid_t parent, struct shared *shared, sandbox_body body, void *userdata)
{
	int r = enter(parent);

	shared->error = r;
	_exit(r < 0 ? 0 : body(userdata, &shared->position));
}

/* The descriptors of the parent: signals that came, and its end of the service. */
struct ends {
	int signals, service[2];
};

static void cleanup_ends(struct ends *e)
{
	close_fd(e->signals);
	close_fd(e->service[0]);
	close_fd(e->service[1]);
}

static int open_ends(struct ends *e, const sigset_t *set, struct sandbox_service *service)
{
	e->signals = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (e->signals < 0)
		return -errno;
	if (!service)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, e->service) < 0)
		return -errno;
	service->child_fd = e->service[1];
	return 0;
}

static int run(sandbox_body body, void *userdata, struct sandbox_service *service,
	       struct shared *shared, struct sandbox_end *ret_end)
{
	_cleanup_(cleanup_ends) struct ends ends = { -1, { -1, -1 } };
	struct sigaction chld;
	sigset_t set, before;
	pid_t parent = getpid(), child = -1;
	int status = 0, r;

	block(&set, &before);
	r = open_ends(&ends, &set, service);
	if (r == 0) {
		child = start(&before, &chld);
		if (child == 0) {
			ends.service[0] = close_fd(ends.service[0]);
			if (service && service->forget)
				service->forget(service->userdata);
			be_child(parent, shared, body, userdata);
		}
		r = child < 0 ? -errno : 0;
		ends.service[1] = close_fd(ends.service[1]);
		if (child > 0)
			status = wait_for(child, ends.signals, ends.service[0], service);
		sigaction(SIGCHLD, &chld, NULL);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	*ret_end = (struct sandbox_end){ .status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
					 .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
					 .position = shared->position };
	return r < 0 ? r : shared->error;
}

int sandbox_run(sandbox_body body, void *userdata, struct sandbox_service *service,
		struct sandbox_end *ret_end)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (shared == MAP_FAILED)
		return -errno;
	r = run(body, userdata, service, shared, ret_end);
	munmap(shared, sizeof(*shared));
	return r;
}
