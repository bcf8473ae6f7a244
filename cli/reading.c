/* SPDX-License-Identifier: MIT */
/*
 * A run over packets, of files or of an interface: its options, its loop, its end. Everything that
 * looks at foreign bytes runs in the sandbox, where nothing can be opened any more.
 */
#include "cli/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/filter_text.h"
#include "ui/render/flow_summary.h"
#include "ui/render/flow_tree.h"
#include "ui/text/escape.h"
#include "ui/text/i18n.h"

const struct unit units_of_size[] = {
	{ "", 1 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
	{ "T", UINT64_C(1) << 40 },
	{ NULL, 0 },
};
const struct unit units_of_time[] = {
	{ "ms", 1000000 },    { "s", 1000000000 },    { "", 1000000000 },
	{ "m", 60000000000 }, { "h", 3600000000000 }, { NULL, 0 },
};

bool parse_with_unit(const char *text, const struct unit *units, uint64_t *ret)
{
	size_t n = strspn(text, "0123456789");
	char digits[20];
	uint64_t value;

	if (n == 0 || n >= sizeof(digits))
		return false;
	memcpy(digits, text, n);
	digits[n] = 0;
	if (parse_number(digits, 1, UINT64_MAX, &value) < 0)
		return false;
	for (; units->name; units++)
		if (!strcasecmp(text + n, units->name))
			return !__builtin_mul_overflow(value, units->factor, ret);
	return false;
}

int reading_set_memory(void *values, const char *arg, const struct option_def *def)
{
	struct reading_values *v = values;

	(void)def;
	if (parse_with_unit(arg, units_of_size, &v->memory) && v->memory >= 1 << 20)
		return 0;
	usage_error("--memory", "\"%s\": expected a size of at least 1M, such as 512M or 2G", arg);
	return -EINVAL;
}

int reading_set_bin(void *values, const char *arg, const struct option_def *def)
{
	struct reading_values *v = values;

	(void)def;
	if (parse_with_unit(arg, units_of_time, &v->bin_ns) && v->bin_ns <= INT64_MAX)
		return 0;
	usage_error("--bin", "\"%s\": expected a time such as 100ms, 1s, 5m or 1h", arg);
	return -EINVAL;
}

static enum render_format format_of(const struct reading_values *v)
{
	return v->json ? RENDER_JSON : v->jsonl ? RENDER_JSONL : v->csv ? RENDER_CSV : RENDER_TABLE;
}

int reading_check(const struct reading_values *v)
{
	if (v->json + v->jsonl + v->csv > 1)
		usage_error("--json, --jsonl, --csv", "only one of them at a time");
	else if (v->tree && (v->jsonl || v->csv))
		usage_error("--tree", "is written as text or --json");
	else if (v->tree && (v->summary || v->columns || v->sort || v->bin_ns))
		usage_error("--tree", "does not go with --summary, --columns, --sort or --bin");
	else if (v->summary && (v->jsonl || v->csv))
		usage_error("--summary", "is written as text or --json");
	else if (v->summary && (v->columns || v->sort || v->bin_ns))
		usage_error("--summary", "does not go with --columns, --sort or --bin");
	else
		return 0;
	return -EINVAL;
}

/* ---- progress ---- */

#define NS INT64_C(1000000000)
#define VENDORS "/usr/share/ieee-data/oui.txt" /* of the package ieee-data */

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static void clear_progress(struct meter *m)
{
	if (m->was_shown)
		fputs("\r\033[K", stderr);
	m->was_shown = false;
}

static int show_progress(const struct pv_capture_progress *p, void *userdata)
{
	struct reading *g = userdata;
	struct meter *m = &g->meter;
	int64_t time;

	*m->position = p->packets;
	if (g->report && *g->is_report_wanted) {
		*g->is_report_wanted = 0;
		clear_progress(m);
		g->report(p);
	}
	if (p->is_down != m->was_down) {
		m->was_down = p->is_down;
		clear_progress(m);
		usage_error(g->request.live->interface, "note: the interface %s",
			    p->is_down ? "is down: waiting for it" : "is up again");
	}
	if (!m->is_shown)
		return 0;
	time = now();
	if (time < m->next)
		return 0;
	m->next = time + NS / 5;
	m->was_shown = true;
	if (p->total_bytes)
		fprintf(stderr, "\r%3llu %%  ",
			(unsigned long long)(100 * p->bytes / p->total_bytes));
	else
		fprintf(stderr, "\r%llu MB  ", (unsigned long long)(p->bytes / 1000000));
	fprintf(stderr, "%llu packets, %llu/s, %llu MB/s \033[K", (unsigned long long)p->packets,
		(unsigned long long)(p->packets * 1000 /
				     (uint64_t)((time - m->start) / 1000000 + 1)),
		(unsigned long long)(p->bytes / (uint64_t)((time - m->start) / 1000 + 1)));
	return 0;
}

/* ---- the run ---- */

static bool say_damage(const struct pv_capture *capture)
{
	const struct pv_capture_error *e;
	size_t i = 0, n_harmless = 0;

	for (; (e = pv_capture_damage(capture, i)); i++) {
		const char *unit = e->is_decompressed ? "decompressed byte" : "byte";

		/* as for rows, below */
		if (e->is_written && e->error == EPIPE && !strcmp(e->path, STANDARD_OUTPUT))
			n_harmless++;
		else if (e->is_written)
			usage_error(e->path, "cannot be written: %s", strerror(e->error));
		else if (e->is_live)
			usage_error(e->path, "after %llu packets: %s",
				    (unsigned long long)e->packets, strerror(e->error));
		else if (e->error)
			usage_error(e->path, "%s %llu, after %llu packets: %s", unit,
				    (unsigned long long)e->offset, (unsigned long long)e->packets,
				    strerror(e->error));
		else
			usage_error(e->path, "%s %llu, after %llu packets: expected %s, found %s",
				    unit, (unsigned long long)e->offset,
				    (unsigned long long)e->packets, e->expected, e->found);
	}
	return i > n_harmless;
}

static int fail(const char *what, int r)
{
	usage_error(what, "%s", strerror(-r));
	return EXIT_FAILURE;
}

/* Rows that could not be kept until the end are not in one order with the others: never silently.
 */
static void say_order(const struct reading *g, const struct pv_snapshot *last)
{
	const struct pv_coverage *coverage = pv_snapshot_coverage(last);

	for (size_t i = 0; g->options.n_sort && i < coverage->n_gaps; i++)
		if (coverage->gaps[i].kind == PV_GAP_EVICTED)
			usage_error("--sort",
				    "note: %llu conversations did not fit into --memory, came "
				    "first and are sorted for themselves",
				    (unsigned long long)coverage->gaps[i].count);
}

static int end(struct reading *g, const struct pv_snapshot *last)
{
	clear_progress(&g->meter);
	if (g->report)
		g->report(pv_capture_progress(g->capture));
	if (last)
		say_order(g, last);
	if (say_damage(g->capture))
		return EXIT_FAILURE;
	return last ? say_coverage(last, NULL, g->values->verbose, g->values->strict)
		    : EXIT_SUCCESS;
}

struct output {
	struct render_stream *rows;
	struct flow_summary *summary;
	struct flow_tree *tree;
};

#define TREE_SHARE 4 /* of the memory */

static int open_output(const struct reading *g, struct output *o)
{
	if (g->values->summary)
		return flow_summary_new(&o->summary);
	if (g->values->tree)
		return flow_tree_new(&g->vendors, g->values->memory / TREE_SHARE, &o->tree);
	return render_open(&g->options, STDOUT_FILENO, &o->rows);
}

static int put_batch(struct reading *g, struct output *o, const struct pv_snapshot *s)
{
	clear_progress(&g->meter);
	return o->summary ? flow_summary_add(o->summary, s)
	       : o->tree  ? flow_tree_add(o->tree, s)
			  : render_batch(o->rows, s);
}

static int close_output(const struct reading *g, struct output *o, const struct pv_snapshot *last)
{
	if (o->summary)
		return flow_summary_write(o->summary, last, g->options.format, g->options.ascii,
					  STDOUT_FILENO);
	if (o->tree)
		return flow_tree_write(o->tree, last, g->options.format, g->options.ascii,
				       STDOUT_FILENO);
	return render_close(o->rows, last);
}

static int read_all(struct reading *g)
{
	struct pv_snapshot *s = NULL, *last = NULL;
	struct output o = { NULL, NULL, NULL };
	bool is_read = true;
	int r = open_output(g, &o), status;

	while (r == 0) {
		r = pv_capture_next(g->capture, &s);
		is_read = r >= 0;
		if (r != 0)
			break;
		pv_snapshot_free(last);
		last = s;
		r = put_batch(g, &o, s);
	}
	if (r == PV_CAPTURE_END)
		r = close_output(g, &o, last);
	/* a reader that went away has seen what it wanted */
	if (r < 0 && r != -EPIPE) {
		clear_progress(&g->meter);
		status = fail(is_read ? "standard output" : g->command, r);
	} else {
		status = end(g, last);
	}
	pv_snapshot_free(last);
	render_stream_free(o.rows);
	flow_summary_free(o.summary);
	flow_tree_free(o.tree);
	return status;
}

static int body(void *userdata, volatile uint64_t *position)
{
	struct reading *g = userdata;
	int status;

	g->meter.position = position;
	status = read_all(g);
	fflush(NULL);
	return status;
}

static int run_sandboxed(struct reading *g)
{
	struct sandbox_end ended;
	int r;

	fflush(NULL);
	r = sandbox_run(body, g, g->service, &ended);
	if (r < 0)
		return fail("sandbox", r);
	if (r == SANDBOX_UNFILTERED)
		usage_error(g->command,
			    "note: this kernel has no seccomp filters: packets were decoded "
			    "without privileges, but with every system call");
	if (!ended.signal)
		return ended.status;
	/* what was meant for both, or tells that nobody reads on, ends both alike */
	if (ended.signal == SIGPIPE || ended.signal == SIGINT || ended.signal == SIGTERM) {
		signal(ended.signal, SIG_DFL);
		raise(ended.signal);
	}
	usage_error(g->command, "stopped by signal %d (%s) after packet %llu", ended.signal,
		    ended.signal == SIGSYS ? "a forbidden system call" : strsignal(ended.signal),
		    (unsigned long long)ended.position);
	return EXIT_FAILURE;
}

/* ---- options ---- */

static int make_view(const struct reading *g, struct view *view)
{
	_cleanup_(cleanup_buf) struct buf defaults = BUF_INIT;
	const struct reading_values *v = g->values;

	buf_puts(&defaults,
		 format_of(v) == RENDER_TABLE ? COLUMNS_FLOW_TABLE : COLUMNS_FLOW_MACHINE);
	/* the processes at both ends, where there is something that tells them */
	if (g->service || g->request.joined)
		buf_puts(&defaults, format_of(v) == RENDER_TABLE ? ",process,peer" : ",peer");
	if (v->bin_ns)
		buf_puts(&defaults, ",series");
	return buf_str(&defaults) ? view_parse(v->columns, v->sort, defaults.data, view) : -ENOMEM;
}

static int open_capture(struct reading *g, const struct view *view, const struct pv_filter *filter)
{
	_cleanup_(cleanup_free) char *message = NULL;
	struct pv_capture_request *q = &g->request;
	int r;

	q->filter = filter;
	q->bpf = g->values->bpf;
	q->observed = g->values->observed == 0;
	q->memory = g->values->memory;
	if (g->values->tree)
		q->memory -= q->memory / TREE_SHARE;
	q->bin_ns = (int64_t)g->values->bin_ns;
	if (view->n_sort)
		q->batch = 0;
	q->progress = show_progress;
	q->userdata = g;
	r = pv_capture_open(q, &g->capture, &message);
	/* of an interface the message says all, of a file which it is */
	if (r < 0 && message && (r == -EINVAL || q->live))
		usage_error(g->command, "%s", message);
	else if (r < 0)
		fail(message ? message : g->command, r);
	return r;
}

static void set_options(struct reading *g, const struct view *view)
{
	const struct reading_values *v = g->values;

	g->options = (struct render_options){
		.format = format_of(v),
		.columns = view->columns,
		.n_columns = view->n_columns,
		.sort = view->sort,
		.n_sort = view->n_sort,
		.needs = columns_needs(view->columns, view->n_columns, v->numeric),
		.numeric = v->numeric,
		.header = !v->no_header,
		.color = terminal_color(v->color),
		.ascii = terminal_is_ascii(),
		.keep_columns = v->columns != NULL,
		.width = terminal_width(),
	};
	g->meter.start = now();
	g->meter.next = g->meter.start + NS;
	g->meter.is_shown = isatty(STDERR_FILENO);
}

/*
 * What the C library opens when it is first needed, when nothing can be opened any more: the time
 * zone, the catalogues of the program's texts and of strerror(), and what converts them: a text
 * that is translated is converted, and one that is not is looked for in every language asked for.
 */
static void read_late_files(void)
{
	tzset();
	gettext("portavoz: partial: ");
	gettext("\177");
	strerror(EPERM);
	dgettext("libc", "\177");
}

int reading_run(struct reading *g, char **words, int n_words)
{
	_cleanup_(cleanup_view) struct view view = { 0 };
	_cleanup_(cleanup_redactor) struct pv_redactor *redactor = NULL;
	struct pv_filter *filter = NULL;
	int r = redact_open(g->values->redact, &redactor);

	if (r != 0)
		return r;
	g->request.redactor = redactor;
	r = filter_text_parse(&(struct filter_text){ .argc = n_words, .argv = words }, &filter);
	if (r == 0)
		r = make_view(g, &view);
	if (r == 0) {
		set_options(g, &view);
		read_late_files();
		/* without that file there are addresses only; renamed ones are of no vendor */
		if (g->values->tree && !redactor)
			file_read_at(AT_FDCWD, VENDORS, &g->vendors);
		r = open_capture(g, &view, filter);
		/* the expression is all that can be invalid by now */
		r = r == 0			     ? run_sandboxed(g)
		    : r == -EINVAL && g->values->bpf ? EXIT_USAGE
						     : EXIT_FAILURE;
		pv_capture_free(g->capture);
		buf_deinit(&g->vendors);
	} else {
		r = r == -EINVAL ? EXIT_USAGE : fail(g->command, r);
	}
	pv_filter_free(filter);
	return r;
}
