/* SPDX-License-Identifier: MIT */
/*
 * Which shell a process feeds that holds a conversation. Anybody can start as many of both as he is
 * let, so nothing here compares all with all: shells are found by what a holder has in common with
 * them, by chains that are in the order of the list.
 */
#include <errno.h>
#include <string.h>

#include "judge/judge-internal.h"
#include "procfs/text.h"

#define GENERATIONS_MAX 4

/* --- what is kept --- */

static struct pv_bytes next_part(struct text *t)
{
	struct text part = { NULL, NULL };

	text_until(t, 0, &part);
	return (struct pv_bytes){ part.p, (uint32_t)text_len(part) };
}

static int read_list(struct judge *j, const char *data, size_t len)
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

/* What leads from a holder to a shell. */
enum link {
	LINK_BELOW, /* pid of a process above the shell */
	LINK_INPUT, /* its input */
	LINK_LOOP,  /* its output, when it is between two pipes */
	LINK_PAIR,  /* both of these */
};

static uint64_t hash_end(uint64_t h, const struct pv_bytes *end)
{
	for (uint32_t i = 0; i < end->len; i++)
		h = map_mix(h, (uint8_t)end->data[i]);
	return h;
}

static uint64_t key_of(enum link link, const struct pv_bytes *a, const struct pv_bytes *b)
{
	uint64_t h = hash_end((uint64_t)link, a);

	return b ? hash_end(map_mix(h, 0), b) : h;
}

static uint64_t key_below(int32_t pid)
{
	return map_mix(LINK_BELOW, (uint64_t)pid);
}

static const struct shell *find(const struct judge *j, int32_t pid)
{
	uint32_t i = map_get(&j->shells_by_pid, (uint64_t)pid);

	return i == MAP_NONE ? NULL : &j->shells.items[i];
}

/* Before those that are there already. */
static int add_link(struct judge *j, uint64_t key, uint32_t shell)
{
	uint32_t next = map_get(&j->shell_chains, key);
	struct shell_link link = { shell, next == MAP_NONE ? 0 : next };
	int r = vec_push(&j->shell_links, link);

	return r < 0 ? r : map_put(&j->shell_chains, key, (uint32_t)j->shell_links.n);
}

static bool is_pipe(const struct pv_bytes *end)
{
	return bytes_start(end, "pipe:[");
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

static int link_shell(struct judge *j, uint32_t index)
{
	const struct shell *shell = &j->shells.items[index], *above = shell;
	int r;

	/* holders are in the list, too: an interpreter is not fed as a shell is */
	if (!shell->is_shell || !channel_of(&shell->ends[0]))
		return 0;
	r = add_link(j, key_of(LINK_INPUT, &shell->ends[0], NULL), index);
	if (r == 0 && is_pipe(&shell->ends[0]) && is_pipe(&shell->ends[1])) {
		r = add_link(j, key_of(LINK_LOOP, &shell->ends[1], NULL), index);
		if (r == 0)
			r = add_link(j, key_of(LINK_PAIR, &shell->ends[0], &shell->ends[1]), index);
	}
	/* started by it, or by a shell that was */
	for (int n = 0; r == 0 && above && n < GENERATIONS_MAX; n++) {
		r = add_link(j, key_below(above->ppid), index);
		above = find(j, above->ppid);
	}
	return r;
}

int shells_parse(struct judge *j, const char *data, size_t len)
{
	int r = read_list(j, data, len);
	uint32_t ignored;

	for (size_t i = 0; r >= 0 && i < j->shells.n; i++)
		r = map_insert(&j->shells_by_pid, (uint64_t)j->shells.items[i].pid, (uint32_t)i,
			       &ignored);
	for (size_t i = j->shells.n; r >= 0 && i > 0; i--)
		r = link_shell(j, (uint32_t)i - 1);
	return r < 0 ? r : 0;
}

/* --- who feeds whom --- */

/* sh -i < fifo | nc HOST PORT > fifo: each reads what the other writes. */
static bool is_loop(const struct shell *holder, const struct shell *shell)
{
	return is_pipe(&holder->ends[1]) && is_pipe(&shell->ends[0]) && is_pipe(&shell->ends[1]) &&
	       bytes_equal(&holder->ends[0], &shell->ends[1]);
}

/* Is what the chain stands for true? Keys are hashes. */
static bool is_below(const struct judge *j, const struct shell *shell, int32_t pid)
{
	for (int n = 0; shell && n < GENERATIONS_MAX; n++) {
		if (shell->ppid == pid)
			return true;
		shell = find(j, shell->ppid);
	}
	return false;
}

/* A holder, what it is asked about, and the first shell of the list that it feeds so far. */
struct feeder {
	const struct judge *j;
	const struct shell *holder;
	struct pv_bytes input; /* of LINK_INPUT */
	uint32_t found;	       /* MAP_NONE = none */
};

/*
 * A child whose input is not the one that the holder has itself, a shell that the holder writes to,
 * whoever started it, or a process in a loop with it.
 */
static bool feeds(const struct feeder *f, enum link link, const struct shell *shell)
{
	const struct shell *holder = f->holder;

	if (shell->pid == holder->pid)
		return false;
	switch (link) {
	case LINK_BELOW:
		return !bytes_equal(&holder->ends[0], &shell->ends[0]) &&
		       is_below(f->j, shell, holder->pid);
	case LINK_INPUT:
		return bytes_equal(&f->input, &shell->ends[0]);
	case LINK_LOOP:
		return is_loop(holder, shell);
	default:
		return is_loop(holder, shell) && bytes_equal(&holder->ends[1], &shell->ends[0]);
	}
}

static void follow(struct feeder *f, enum link link, uint64_t key)
{
	const struct judge *j = f->j;
	uint32_t i = map_get(&j->shell_chains, key);

	for (i = i == MAP_NONE ? 0 : i; i; i = j->shell_links.items[i - 1].next) {
		uint32_t shell = j->shell_links.items[i - 1].shell;

		if (shell >= f->found)
			return;
		if (!feeds(f, link, &j->shells.items[shell]))
			continue;
		f->found = shell;
		return;
	}
}

static void follow_input(struct feeder *f, struct pv_bytes end)
{
	if (bytes_equal(&f->holder->ends[0], &end))
		return;
	f->input = end;
	follow(f, LINK_INPUT, key_of(LINK_INPUT, &end, NULL));
}

/* A relay's output is the other end's word. */
static void follow_all(struct feeder *f, const struct program *program)
{
	const struct shell *holder = f->holder;
	struct text t = text_of(holder->outputs.data, holder->outputs.len), word;

	if (is_pipe(&holder->ends[1]))
		follow(f, LINK_LOOP, key_of(LINK_LOOP, &holder->ends[0], NULL));
	follow(f, LINK_BELOW, key_below(holder->pid));
	/* by descriptors of its own */
	while (text_word(&t, &word))
		follow_input(f, (struct pv_bytes){ word.p, (uint32_t)text_len(word) });
	if (program->kind == KIND_RELAY && is_pipe(&holder->ends[1]))
		follow_input(f, holder->ends[1]);
}

static void find_fed(struct judge *j, struct subject *subject)
{
	const struct program *program = &j->programs.items[subject->program];
	struct feeder f = { .j = j, .holder = find(j, subject->p->pid), .found = MAP_NONE };

	subject->has_fed = true;
	if (!f.holder)
		return;
	/* of a program that is explained only the loop tells something */
	if (program_is_explained(program))
		follow(&f, LINK_PAIR, key_of(LINK_PAIR, &f.holder->ends[1], &f.holder->ends[0]));
	else
		follow_all(&f, program);
	if (f.found == MAP_NONE)
		return;
	subject->fed = f.found + 1;
	subject->channel = channel_of(&j->shells.items[f.found].ends[0]);
}

const struct shell *shells_fed_by(struct judge *j, struct subject *subject,
				  const char **ret_channel)
{
	if (!subject->has_fed)
		find_fed(j, subject);
	*ret_channel = subject->channel;
	return subject->fed ? &j->shells.items[subject->fed - 1] : NULL;
}
