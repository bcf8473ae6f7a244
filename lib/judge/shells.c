/* SPDX-License-Identifier: MIT */
/*
 * Shells of this host and what their standard descriptors are: pipes, socket pairs, terminals. A
 * shell that is fed by a process which holds a conversation is typed into from afar. Looked for
 * only where a conversation is held by a program that nothing explains.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "judge/judge-internal.h"
#include "procfs/process.h"
#include "procfs/scan-internal.h"
#include "procfs/text.h"

/* --- one process, live --- */

/* The target of a descriptor; a fifo by its identity, because its path tells nothing. */
static void read_end(int32_t pid, int fd, struct buf *b)
{
	char path[48], link[256];
	struct statx st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	n = readlink(path, link, sizeof(link));
	if (n > 0 && link[0] == '/' &&
	    statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) == 0 &&
	    S_ISFIFO(st.stx_mode))
		buf_printf(b, "pipe:[%u:%u:%" PRIu64 "]", st.stx_dev_major, st.stx_dev_minor,
			   (uint64_t)st.stx_ino);
	else if (n > 0)
		buf_put(b, link, (size_t)n);
	buf_putc(b, 0);
}

static bool runs_shell(int32_t pid)
{
	char path[32], exe[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, sizeof(exe));
	return n > 0 && program_path_is_shell(&(struct pv_bytes){ exe, (uint32_t)n });
}

/* "PID PPID SHELL", comm, three ends; a NUL behind each. */
static void put_process(int32_t pid, bool is_shell, struct buf *b)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct procfs_stat stat;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (file_read_at(AT_FDCWD, path, &text) < 0 ||
	    procfs_stat_parse(text.data, text.len, &stat) < 0)
		return;
	buf_printf(b, "%d %d %d", pid, stat.ppid, is_shell);
	buf_putc(b, 0);
	buf_put(b, stat.comm, stat.comm_len);
	buf_putc(b, 0);
	for (int fd = 0; fd < 3; fd++)
		read_end(pid, fd, b);
}

static int list_shells(struct judge *j, struct buf *b)
{
	_cleanup_(cleanup_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_vec pids = { 0 };
	int r = fd < 0 ? 0 : procfs_list_numbers(fd, &pids);

	for (size_t i = 0; i < pids.n; i++)
		if (runs_shell(pids.items[i]))
			put_process(pids.items[i], true, b);
	/* and the holders, to be compared with */
	for (size_t i = 0; i < j->n_subjects; i++) {
		const struct subject *s = &j->subjects[i];

		if (s->program != MAP_NONE && !program_is_explained(&j->programs.items[s->program]))
			put_process(s->p->pid, false, b);
	}
	vec_deinit(&pids);
	return r == -ENOMEM || buf_error(b) < 0 ? -ENOMEM : 0;
}

/* --- what is kept --- */

static struct pv_bytes next_part(struct text *t)
{
	struct text part = { NULL, NULL };

	text_until(t, 0, &part);
	return (struct pv_bytes){ part.p, (uint32_t)text_len(part) };
}

static int parse(struct judge *j, const char *data, size_t len)
{
	struct text t = text_of(data, len), numbers;

	while (text_until(&t, 0, &numbers)) {
		struct shell shell = { 0 };
		uint32_t pid, ppid, is_shell;

		if (!text_word_u32(&numbers, 10, &pid) || !text_word_u32(&numbers, 10, &ppid) ||
		    !text_word_u32(&numbers, 10, &is_shell))
			break;
		shell.is_shell = is_shell;
		shell.pid = (int32_t)pid;
		shell.ppid = (int32_t)ppid;
		shell.comm = next_part(&t);
		for (int i = 0; i < 3; i++)
			shell.ends[i] = next_part(&t);
		if (vec_push(&j->shells, shell) < 0)
			return -ENOMEM;
	}
	return 0;
}

int shells_gather(struct judge *j)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_bytes value;
	int r = 0;

	if (j->has_shells)
		return 0;
	j->has_shells = true;
	if (!recall_get(&j->recall, "shells", &value)) {
		r = list_shells(j, &b);
		if (r < 0)
			return r;
		recall_put(&j->recall, "shells", b.data, b.len);
		r = snapshot_bytes(j->s, &value, b.data, b.len);
	}
	return r < 0 ? r : parse(j, value.data, value.len);
}

/* --- who feeds whom --- */

static const struct shell *find(const struct judge *j, int32_t pid)
{
	for (size_t i = 0; i < j->shells.n; i++)
		if (j->shells.items[i].pid == pid)
			return &j->shells.items[i];
	return NULL;
}

/* Started by it, or by a shell that was. */
static bool is_below(const struct judge *j, const struct shell *shell, int32_t pid)
{
	for (int n = 0; shell && n < 4; n++) {
		if (shell->ppid == pid)
			return true;
		shell = find(j, shell->ppid);
	}
	return false;
}

/* What somebody else can type into. */
static const char *channel_of(const struct pv_bytes *end)
{
	if (bytes_start(end, "pipe:["))
		return "pipe";
	if (bytes_start(end, "socket:["))
		return "socket pair";
	if (bytes_start(end, "/dev/pts/"))
		return "terminal";
	return NULL;
}

/*
 * A child whose input is not the one that the holder has itself; or a process beside it whose
 * output the holder reads, and whose input is a pipe: sh -i < fifo | nc HOST PORT > fifo.
 */
static const char *feeds(const struct judge *j, const struct shell *holder,
			 const struct shell *shell)
{
	const char *channel = channel_of(&shell->ends[0]);
	bool writes_pipe = holder && bytes_start(&holder->ends[1], "pipe:[");

	if (!channel || shell->pid == (holder ? holder->pid : 0))
		return NULL;
	if (holder && is_below(j, shell, holder->pid) &&
	    !bytes_equal(&holder->ends[0], &shell->ends[0]))
		return channel;
	if (writes_pipe && bytes_start(&shell->ends[1], "pipe:[") &&
	    bytes_equal(&holder->ends[0], &shell->ends[1]) &&
	    bytes_start(&shell->ends[0], "pipe:["))
		return channel;
	return NULL;
}

static void find_fed(struct judge *j, struct subject *subject)
{
	const struct shell *holder = find(j, subject->p->pid);

	subject->has_fed = true;
	for (size_t i = 0; holder && !subject->fed && i < j->shells.n; i++) {
		const struct shell *shell = &j->shells.items[i];

		/* holders are in the list, too: an interpreter is not fed as a shell is */
		if (!shell->is_shell)
			continue;
		subject->channel = feeds(j, holder, shell);
		if (subject->channel)
			subject->fed = (uint32_t)i + 1;
	}
}

const struct shell *shells_fed_by(struct judge *j, struct subject *subject,
				  const char **ret_channel)
{
	if (!subject->has_fed)
		find_fed(j, subject);
	*ret_channel = subject->channel;
	return subject->fed ? &j->shells.items[subject->fed - 1] : NULL;
}
