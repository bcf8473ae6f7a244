/* SPDX-License-Identifier: MIT */
/*
 * Shells of this host and what their standard descriptors are: pipes, socket pairs, terminals. A
 * shell that is fed by a process which holds a conversation is typed into from afar. Looked for
 * only where a conversation is held by a program that nothing explains, or was opened here: a
 * client that a package explains (curl, ssh) may stand between two pipes.
 */
#include <dirent.h>
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
#include "procfs/reader.h"
#include "procfs/scan-internal.h"
#include "procfs/text.h"

#define FDS_MAX 1024
#define END_MAX 256

/* --- one process, live --- */

/* The target of a descriptor; a fifo by its identity, because its path tells nothing. */
static void read_end(int32_t pid, int fd, char end[static END_MAX])
{
	char path[48];
	struct statx st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	n = readlink(path, end, END_MAX - 1);
	end[n > 0 ? n : 0] = 0;
	if (end[0] == '/' &&
	    statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st) == 0 &&
	    S_ISFIFO(st.stx_mode))
		snprintf(end, END_MAX, "pipe:[%u:%u:%" PRIu64 "]", st.stx_dev_major,
			 st.stx_dev_minor, (uint64_t)st.stx_ino);
}

static bool is_pipe(const char *end)
{
	return !strncmp(end, "pipe:[", 6);
}

/* Which end of a pipe it is: the link has the rights the file was opened with (proc(5)). */
static bool is_writer(int32_t pid, int fd)
{
	char path[48];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	return lstat(path, &st) == 0 && st.st_mode & S_IWUSR;
}

/* The terminal that a master was opened for: "tty-index:" of its fdinfo (Linux 4.14). */
static bool read_terminal(int32_t pid, int fd, char end[static END_MAX])
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct text t, line;
	char path[48];
	uint32_t index;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	if (file_read_at(AT_FDCWD, path, &b) < 0)
		return false;
	t = text_of(b.data, b.len);
	while (text_line(&t, &line, NULL)) {
		if (!text_starts(line, "tty-index:") || !text_skip(&line, 1) ||
		    !text_word_u32(&line, 10, &index))
			continue;
		snprintf(end, END_MAX, "/dev/pts/%u", index);
		return true;
	}
	return false;
}

/* Calls for each descriptor up to a bound until it is told true. */
static bool any_fd(int32_t pid, bool (*found)(int32_t pid, int fd, void *userdata), void *userdata)
{
	_cleanup_(cleanup_dir) DIR *dir = NULL;
	char path[32];
	struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	for (int n = 0; dir && n < FDS_MAX && (e = readdir(dir)); n++) {
		uint32_t fd;

		if (text_u32(text_of(e->d_name, strlen(e->d_name)), 10, &fd) &&
		    found(pid, (int)fd, userdata))
			return true;
	}
	return false;
}

/* What a holder can write to beside its standard streams: "END END ...". */
static bool put_output(int32_t pid, int fd, void *userdata)
{
	char end[END_MAX];

	if (fd <= 2)
		return false;
	read_end(pid, fd, end);
	if (is_pipe(end) ? !is_writer(pid, fd)
			 : strcmp(end, "/dev/ptmx") != 0 && strcmp(end, "/dev/pts/ptmx") != 0)
		return false;
	if (is_pipe(end) || read_terminal(pid, fd, end))
		buf_printf(userdata, "%s ", end);
	return false;
}

static bool runs_shell(int32_t pid)
{
	char path[32], exe[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, exe, sizeof(exe));
	return n > 0 && program_path_is_shell(&(struct pv_bytes){ exe, (uint32_t)n });
}

static bool read_stat(int32_t pid, struct procfs_stat *ret)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return file_read_at(AT_FDCWD, path, &text) == 0 &&
	       procfs_stat_parse(text.data, text.len, ret) == 0;
}

/* Has its parent ended, so that a system or user manager has taken it? */
static bool is_orphan(int32_t pid)
{
	static const char manager[] = "systemd";
	struct procfs_stat stat;

	if (!read_stat(pid, &stat))
		return false;
	return stat.ppid == 1 ||
	       (read_stat(stat.ppid, &stat) && stat.comm_len == sizeof(manager) - 1 &&
		!memcmp(stat.comm, manager, sizeof(manager) - 1));
}

/* "sh -c COMMAND" does what it was told when it was started, and reads no commands. */
static bool runs_command(int32_t pid, struct reader *reader)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct text t, word;
	char path[32];
	bool has_command = false;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || reader_read(reader, fd, PROCFS_CMDLINE_MAX, READER_DEADLINE_MS, &b) < 0)
		return false;
	t = text_of(b.data, b.len);
	text_until(&t, 0, &word);
	while (text_until(&t, 0, &word) && text_len(word) > 1 && *word.p == '-') {
		if (word.p[1] == '-')
			continue;
		has_command = has_command || memchr(word.p, 'c', text_len(word));
		if (memchr(word.p, 'i', text_len(word)) || memchr(word.p, 's', text_len(word)))
			return false;
	}
	return has_command;
}

/*
 * "PID PPID SHELL", comm, three ends, other outputs of a holder; a NUL behind each. The outputs
 * cost a look at each descriptor: only a shell that lost its parent is found by them alone.
 */
static void put_process(int32_t pid, bool is_shell, bool has_orphans, const char *input,
			struct buf *b)
{
	struct procfs_stat stat;

	if (!read_stat(pid, &stat))
		return;
	buf_printf(b, "%d %d %d", pid, stat.ppid, is_shell);
	buf_putc(b, 0);
	buf_put(b, stat.comm, stat.comm_len);
	buf_putc(b, 0);
	for (int fd = 0; fd < 3; fd++) {
		char end[END_MAX];

		read_end(pid, fd, end);
		buf_puts(b, fd == 0 && input ? input : end);
		buf_putc(b, 0);
	}
	if (!is_shell && has_orphans)
		any_fd(pid, put_output, b);
	buf_putc(b, 0);
}

/* --- explained clients between two pipes --- */

/* Does a process copy from one pipe to another? tail -f FIFO | curl ... */
struct copier {
	const char *from, *to;
	bool reads, writes;
};

static bool check_copier(int32_t pid, int fd, void *userdata)
{
	struct copier *c = userdata;
	char end[END_MAX];

	read_end(pid, fd, end);
	c->reads = c->reads || (!strcmp(end, c->from) && !is_writer(pid, fd));
	c->writes = c->writes || (!strcmp(end, c->to) && is_writer(pid, fd));
	return c->reads && c->writes;
}

/* Whoever started both and holds the pipes for them copies nothing between them. */
static bool is_above(int32_t pid, int32_t of)
{
	for (int n = 0; of > 1 && n < 16; n++) {
		struct procfs_stat stat;

		of = read_stat(of, &stat) ? stat.ppid : 0;
		if (of == pid)
			return true;
	}
	return false;
}

static bool is_copied(const pid_vec *pids, int32_t client, const char *from, const char *to)
{
	for (size_t i = 0; i < pids->n; i++) {
		struct copier c = { .from = from, .to = to };

		if (pids->items[i] != client && any_fd(pids->items[i], check_copier, &c) &&
		    !is_above(pids->items[i], client))
			return true;
	}
	return false;
}

/*
 * A client whose output is the input of a shell, and whose input is that shell's output, if need be
 * through a third process. Everything else is what pipelines are for: curl URL | sh.
 */
static void put_client(const pid_vec *pids, const pid_vec *shells, int32_t pid, struct buf *b)
{
	char in[END_MAX], out[END_MAX], shell_in[END_MAX], shell_out[END_MAX];

	read_end(pid, 0, in);
	read_end(pid, 1, out);
	if (!is_pipe(in) || !is_pipe(out))
		return;
	for (size_t i = 0; i < shells->n; i++) {
		read_end(shells->items[i], 0, shell_in);
		read_end(shells->items[i], 1, shell_out);
		if (strcmp(out, shell_in) != 0 || !is_pipe(shell_out))
			continue;
		if (!strcmp(shell_out, in) || is_copied(pids, pid, shell_out, in))
			put_process(pid, false, false, shell_out, b);
	}
}

static int put_shells(const pid_vec *pids, pid_vec *shells, bool *has_orphans, struct buf *b)
{
	struct reader reader = READER_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < pids->n; i++) {
		int32_t pid = pids->items[i];
		bool is_shell;

		if (!runs_shell(pid))
			continue;
		is_shell = !runs_command(pid, &reader);
		put_process(pid, is_shell, false, NULL, b);
		if (!is_shell)
			continue;
		r = vec_push(shells, pid);
		*has_orphans = *has_orphans || is_orphan(pid);
	}
	reader_deinit(&reader);
	return r;
}

static int list_shells(struct judge *j, struct buf *b)
{
	_cleanup_(cleanup_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_vec pids = { 0 }, shells = { 0 };
	bool has_orphans = false;
	int r = fd < 0 ? 0 : procfs_list_numbers(fd, &pids);

	if (r != -ENOMEM)
		r = put_shells(&pids, &shells, &has_orphans, b);
	/* and the holders, to be compared with */
	for (size_t i = 0; i < j->n_subjects; i++) {
		const struct subject *s = &j->subjects[i];

		if (s->program == MAP_NONE)
			continue;
		if (!program_is_explained(&j->programs.items[s->program]))
			put_process(s->p->pid, false, has_orphans, NULL, b);
		else if (shells.n && s->is_holder)
			put_client(&pids, &shells, s->p->pid, b);
	}
	vec_deinit(&pids);
	vec_deinit(&shells);
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
		shell.outputs = next_part(&t);
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

/* Does it write to the shell's input, by a descriptor of its own? */
static bool writes_to(const struct shell *holder, const struct pv_bytes *end)
{
	struct text t = text_of(holder->outputs.data, holder->outputs.len), word;

	while (text_word(&t, &word))
		if (text_len(word) == end->len && !memcmp(word.p, end->data, end->len))
			return true;
	return false;
}

/* sh -i < fifo | nc HOST PORT > fifo: each reads what the other writes. */
static bool is_loop(const struct shell *holder, const struct shell *shell)
{
	return bytes_start(&holder->ends[1], "pipe:[") && bytes_start(&shell->ends[0], "pipe:[") &&
	       bytes_start(&shell->ends[1], "pipe:[") &&
	       bytes_equal(&holder->ends[0], &shell->ends[1]);
}

/*
 * A child whose input is not the one that the holder has itself, a shell that the holder writes to,
 * whoever started it, or a process in a loop with it. A relay's output is the other end's word. Of
 * a program that is explained only the loop tells something.
 */
static const char *feeds(const struct judge *j, const struct shell *holder,
			 const struct shell *shell, const struct program *program)
{
	bool is_explained = program_is_explained(program);
	const char *channel = channel_of(&shell->ends[0]);

	if (!channel || shell->pid == holder->pid)
		return NULL;
	if (is_loop(holder, shell))
		return is_explained && !bytes_equal(&holder->ends[1], &shell->ends[0]) ? NULL
										       : channel;
	if (is_explained || bytes_equal(&holder->ends[0], &shell->ends[0]))
		return NULL;
	if (is_below(j, shell, holder->pid) || writes_to(holder, &shell->ends[0]))
		return channel;
	return program->kind == KIND_RELAY && bytes_start(&shell->ends[0], "pipe:[") &&
			       bytes_equal(&holder->ends[1], &shell->ends[0])
		       ? channel
		       : NULL;
}

static void find_fed(struct judge *j, struct subject *subject)
{
	const struct shell *holder = find(j, subject->p->pid);
	const struct program *program = &j->programs.items[subject->program];

	subject->has_fed = true;
	for (size_t i = 0; holder && !subject->fed && i < j->shells.n; i++) {
		const struct shell *shell = &j->shells.items[i];

		/* holders are in the list, too: an interpreter is not fed as a shell is */
		if (!shell->is_shell)
			continue;
		subject->channel = feeds(j, holder, shell, program);
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
