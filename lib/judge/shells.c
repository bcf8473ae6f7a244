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
#include <stdlib.h>
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

static uint64_t hash_end(uint64_t h, const char *end)
{
	for (; *end; end++)
		h = map_mix(h, (uint8_t)*end);
	return h;
}

/* What is read of one descriptor of a process, when it is a pipe that matters. */
struct pipe_use {
	int32_t pid;
	uint32_t first; /* of the uses of this process */
	uint64_t pipe;	/* hash_end() */
	bool is_writer;
	uint32_t next; /* 1 + another writer to the same pipe; 0 = none */
};

struct pipe_client {
	int32_t pid;
	char in[END_MAX];
	uint64_t from, to; /* hash_end() of its ends */
};

/*
 * Shells between two pipes, clients that could be in a loop with one, and who holds these pipes:
 * each descriptor of the host is looked at once, however many shells and clients there are.
 */
struct pipelines {
	VEC(char *) outputs; /* of shells: the text */
	struct map inputs;   /* hash of an input of a shell -> anything */
	struct map pairs;    /* input and output of a shell -> index of outputs */
	struct map wanted;   /* hash of a pipe that a third process could read or write */
	VEC(struct pipe_client) clients;
	VEC(struct pipe_use) uses;
	struct map writers; /* hash of a pipe -> 1 + use */
};

static void pipelines_deinit(struct pipelines *p)
{
	for (size_t i = 0; i < p->outputs.n; i++)
		free(p->outputs.items[i]);
	vec_deinit(&p->outputs);
	vec_deinit(&p->clients);
	vec_deinit(&p->uses);
	map_deinit(&p->inputs);
	map_deinit(&p->pairs);
	map_deinit(&p->wanted);
	map_deinit(&p->writers);
}

static int add_shell(struct pipelines *p, int32_t pid)
{
	char in[END_MAX], out[END_MAX], *text;
	uint64_t from, to;
	uint32_t old;
	int r;

	read_end(pid, 0, in);
	read_end(pid, 1, out);
	if (!is_pipe(in) || !is_pipe(out))
		return 0;
	from = hash_end(0, in);
	to = hash_end(0, out);
	r = map_insert(&p->pairs, map_mix(from, to), (uint32_t)p->outputs.n, &old);
	if (r != 0)
		return r < 0 ? r : 0;
	text = strdup(out);
	if (!text)
		return -ENOMEM;
	r = vec_push(&p->outputs, text);
	if (r < 0)
		free(text);
	if (r == 0)
		r = map_put(&p->inputs, from, 0);
	return r == 0 ? map_put(&p->wanted, to, 0) : r;
}

/*
 * A client whose output is the input of a shell, and whose input is that shell's output, if need be
 * through a third process. Everything else is what pipelines are for: curl URL | sh.
 */
static int put_client(struct pipelines *p, int32_t pid, struct buf *b)
{
	struct pipe_client c = { .pid = pid };
	char out[END_MAX];
	int r;

	read_end(pid, 0, c.in);
	read_end(pid, 1, out);
	if (!is_pipe(c.in) || !is_pipe(out))
		return 0;
	c.from = hash_end(0, c.in);
	c.to = hash_end(0, out);
	if (map_get(&p->inputs, c.to) == MAP_NONE)
		return 0;
	if (map_get(&p->pairs, map_mix(c.to, c.from)) != MAP_NONE) {
		put_process(pid, false, false, c.in, b);
		return 0;
	}
	r = map_put(&p->wanted, c.from, 0);
	return r == 0 ? vec_push(&p->clients, c) : r;
}

static bool note_use(int32_t pid, int fd, void *userdata)
{
	struct pipelines *p = userdata;
	struct pipe_use use = { .pid = pid, .first = (uint32_t)p->uses.n };
	char end[END_MAX];

	read_end(pid, fd, end);
	use.pipe = hash_end(0, end);
	if (!is_pipe(end) || map_get(&p->wanted, use.pipe) == MAP_NONE)
		return false;
	use.is_writer = is_writer(pid, fd);
	if (p->uses.n && p->uses.items[p->uses.n - 1].pid == pid)
		use.first = p->uses.items[p->uses.n - 1].first;
	if (use.is_writer) {
		uint32_t old = map_get(&p->writers, use.pipe);

		/* copies of one descriptor would be walked once for each */
		if (old != MAP_NONE && p->uses.items[old - 1].pid == pid)
			return false;
		use.next = old == MAP_NONE ? 0 : old;
		if (map_put(&p->writers, use.pipe, (uint32_t)p->uses.n + 1) < 0)
			return true;
	}
	return vec_push(&p->uses, use) < 0;
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

/* The output of a shell that this process copies to the client: tail -f FIFO | curl ... */
static const char *copies(const struct pipelines *p, const struct pipe_use *writer,
			  const struct pipe_client *c)
{
	for (size_t i = writer->first; i < p->uses.n && p->uses.items[i].pid == writer->pid; i++) {
		const struct pipe_use *use = &p->uses.items[i];
		uint32_t shell =
			use->is_writer ? MAP_NONE : map_get(&p->pairs, map_mix(c->to, use->pipe));

		if (shell != MAP_NONE)
			return is_above(writer->pid, c->pid) ? NULL : p->outputs.items[shell];
	}
	return NULL;
}

static void put_copied(const struct pipelines *p, const struct pipe_client *c, struct buf *b)
{
	uint32_t i = map_get(&p->writers, c->from);

	for (i = i == MAP_NONE ? 0 : i; i; i = p->uses.items[i - 1].next) {
		const struct pipe_use *use = &p->uses.items[i - 1];
		const char *output = use->pid == c->pid ? NULL : copies(p, use, c);

		if (!output)
			continue;
		put_process(c->pid, false, false, output, b);
		return;
	}
}

static int put_copied_clients(struct pipelines *p, const pid_vec *pids, struct buf *b)
{
	for (size_t i = 0; p->clients.n && i < pids->n; i++)
		if (any_fd(pids->items[i], note_use, p))
			return -ENOMEM;
	for (size_t i = 0; i < p->clients.n; i++)
		put_copied(p, &p->clients.items[i], b);
	return 0;
}

static int put_shells(const pid_vec *pids, struct pipelines *p, bool *has_orphans, struct buf *b)
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
		r = add_shell(p, pid);
		*has_orphans = *has_orphans || is_orphan(pid);
	}
	reader_deinit(&reader);
	return r;
}

/* And the holders, to be compared with. */
static int put_holders(struct judge *j, struct pipelines *p, bool has_orphans, struct buf *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < j->n_subjects; i++) {
		const struct subject *s = &j->subjects[i];

		if (s->program == MAP_NONE)
			continue;
		if (!program_is_explained(&j->programs.items[s->program]))
			put_process(s->p->pid, false, has_orphans, NULL, b);
		else if (p->outputs.n && s->is_holder)
			r = put_client(p, s->p->pid, b);
	}
	return r;
}

static int list_shells(struct judge *j, struct buf *b)
{
	_cleanup_(cleanup_fd) int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct pipelines p = { .inputs = MAP_INIT };
	pid_vec pids = { 0 };
	bool has_orphans = false;
	int r = fd < 0 ? 0 : procfs_list_numbers(fd, &pids);

	if (r != -ENOMEM)
		r = put_shells(&pids, &p, &has_orphans, b);
	if (r == 0)
		r = put_holders(j, &p, has_orphans, b);
	if (r == 0)
		r = put_copied_clients(&p, &pids, b);
	pipelines_deinit(&p);
	vec_deinit(&pids);
	return r == -ENOMEM || buf_error(b) < 0 ? -ENOMEM : 0;
}

/* --- all of it --- */

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
	return r < 0 ? r : shells_parse(j, value.data, value.len);
}
