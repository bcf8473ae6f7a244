/* SPDX-License-Identifier: MIT */
/*
 * portavoz read: captures -> conversations -> writer. Files are opened first; then everything that
 * looks at foreign bytes runs in the sandbox, where nothing else can be opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <portavoz/portavoz.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/commands.h"
#include "cli/sandbox.h"
#include "ui/columns/columns.h"
#include "ui/render/flow_summary.h"
#include "ui/render/render.h"
#include "ui/text/escape.h"

struct read_values {
	bool numeric, no_header, summary, strict, verbose;
	bool json, jsonl, csv;
	int observed, color;
	const char *columns, *sort, *bpf, *joined;
	uint64_t memory;
	uint64_t bin_ns;
};

#define AT(member) offsetof(struct read_values, member)
#define FLAG(letter, name, help, member)                                                           \
	{                                                                                          \
		letter, name, NULL, help, OPTION_FLAG, AT(member), 0, 0, NULL                      \
	}
#define TEXT(letter, name, arg, help, member)                                                      \
	{                                                                                          \
		letter, name, arg, help, OPTION_TEXT, AT(member), 0, 0, NULL                       \
	}
#define CHOICE(letter, name, arg, help, member)                                                    \
	{                                                                                          \
		letter, name, arg, help, OPTION_CHOICE, AT(member), 0, 0, NULL                     \
	}
#define HEADING(text)                                                                              \
	{                                                                                          \
		0, NULL, NULL, text, OPTION_FLAG, 0, 0, 0, NULL                                    \
	}

/* A number and a unit of the list, e.g. "64M"; false when it is none, or too large. */
struct unit {
	const char *name;
	uint64_t factor;
};

static bool parse_with_unit(const char *text, const struct unit *units, uint64_t *ret)
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

static int set_memory(void *values, const char *arg, const struct option_def *def)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", UINT64_C(1) << 10 },
		{ "M", UINT64_C(1) << 20 },
		{ "G", UINT64_C(1) << 30 },
		{ "T", UINT64_C(1) << 40 },
		{ NULL, 0 },
	};
	struct read_values *v = values;

	(void)def;
	if (parse_with_unit(arg, units, &v->memory) && v->memory >= 1 << 20)
		return 0;
	usage_error("--memory", "\"%s\": expected a size of at least 1M, such as 512M or 2G", arg);
	return -EINVAL;
}

static int set_bin(void *values, const char *arg, const struct option_def *def)
{
	static const struct unit units[] = {
		{ "ms", 1000000 },    { "s", 1000000000 },    { "", 1000000000 },
		{ "m", 60000000000 }, { "h", 3600000000000 }, { NULL, 0 },
	};
	struct read_values *v = values;

	(void)def;
	if (parse_with_unit(arg, units, &v->bin_ns) && v->bin_ns <= INT64_MAX)
		return 0;
	usage_error("--bin", "\"%s\": expected a time such as 100ms, 1s, 5m or 1h", arg);
	return -EINVAL;
}

static const struct option_def read_options[] = {
	HEADING("What is read"),
	TEXT(0, "bpf", "EXPRESSION", "only packets that match, see pcap-filter(7)", bpf),
	TEXT(0, "joined", "DIR|FILE",
	     "processes from list --record, or saved text of ss, netstat or lsof", joined),
	CHOICE(0, "observed", "on|off", "tell protocols by their payload (on)", observed),
	{ 0, "memory", "SIZE", "room for conversations, such as 512M (1G)", OPTION_CALL, 0, 0, 0,
	  set_memory },
	HEADING("What is shown"),
	FLAG('n', "numeric", "numbers instead of names", numeric),
	FLAG('s', "summary", "counts instead of rows", summary),
	TEXT(0, "columns", "COLUMNS", "these columns, comma-separated; +NAME adds, -NAME drops",
	     columns),
	TEXT(0, "sort", "COLUMNS", "sort by these columns; -NAME: descending", sort),
	{ 0, "bin", "TIME", "add packets and bytes per stretch of time, such as 1s", OPTION_CALL, 0,
	  0, 0, set_bin },
	HEADING("How it is written"),
	FLAG(0, "json", "one JSON document", json),
	FLAG(0, "jsonl", "one JSON object a line", jsonl),
	FLAG(0, "csv", "comma-separated values", csv),
	FLAG('H', "no-header", "no headings", no_header),
	CHOICE(0, "color", "auto|always|never", "colours (default: on a terminal)", color),
	FLAG(0, "strict", "exit status 3 when something could not be seen", strict),
	FLAG('v', "verbose", "say on stderr what could not be seen, terminal or not", verbose),
	{ 0 },
};

#define ABOUT                                                                                      \
	"FILE is a capture: pcap or pcapng, gzip, zstd and lz4 too; - is standard input.\n"        \
	"Several are read as one. FILTER is an expression such as 'dport = :443',\n"               \
	"'conn_state S0' or 'proto udp and out_bytes > 10000': see portavoz-filter(7).\n"          \
	"The initiator's end is the local one. Columns are in portavoz-columns(7)."

static int run_read(int argc, char **argv);

const struct command command_read = {
	.name = "read",
	.summary = "list the conversations of a capture file",
	.usage = "[OPTION]... FILE... [FILTER]",
	.about = ABOUT,
	.defs = read_options,
	.operands = OPERAND_CAPTURE,
	.run = run_read,
};

static enum render_format format_of(const struct read_values *v)
{
	return v->json ? RENDER_JSON : v->jsonl ? RENDER_JSONL : v->csv ? RENDER_CSV : RENDER_TABLE;
}

static int check_values(const struct read_values *v)
{
	if (v->json + v->jsonl + v->csv > 1)
		usage_error("--json, --jsonl, --csv", "only one of them at a time");
	else if (v->summary && (v->jsonl || v->csv))
		usage_error("--summary", "is written as text or --json");
	else if (v->summary && (v->columns || v->sort || v->bin_ns))
		usage_error("--summary", "does not go with --columns, --sort or --bin");
	else
		return 0;
	return -EINVAL;
}

/* ---- operands ---- */

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && !strcmp(text + n - m, suffix);
}

/* The first operand is a file; so is what follows as long as it looks like one. */
static bool is_file(const char *word)
{
	static const char *const suffixes[] = { ".pcap", ".pcapng", ".cap", ".gz", ".zst", ".lz4" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (has_suffix(word, suffixes[i]))
			return true;
	return !strcmp(word, "-") || access(word, F_OK) == 0;
}

/* ---- progress ---- */

#define NS INT64_C(1000000000)

struct meter {
	bool is_shown, was_shown;
	int64_t start, next;
	volatile uint64_t *position;
};

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static int show_progress(const struct pv_capture_progress *p, void *userdata)
{
	struct meter *m = userdata;
	int64_t time;

	*m->position = p->packets;
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

static void clear_progress(struct meter *m)
{
	if (m->was_shown)
		fputs("\r\033[K", stderr);
	m->was_shown = false;
}

/* ---- the run ---- */

struct view {
	const struct column **columns;
	size_t n_columns;
	struct sort_key *sort;
	size_t n_sort;
};

struct reading {
	const struct read_values *values;
	const struct view *view;
	struct pv_capture *capture;
	struct meter meter;
	struct render_options options;
};

static void cleanup_view(struct view *v)
{
	free(v->columns);
	free(v->sort);
}

static void say_coverage(const struct pv_snapshot *s, bool verbose)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	if (!verbose && !isatty(STDERR_FILENO))
		return;
	if (render_coverage_line(pv_snapshot_coverage(s), verbose, &b) == 0 && b.len)
		fwrite(b.data, 1, b.len, stderr);
}

static bool say_damage(const struct pv_capture *capture)
{
	const struct pv_capture_error *e;
	size_t i = 0;

	for (; (e = pv_capture_damage(capture, i)); i++) {
		const char *unit = e->is_decompressed ? "decompressed byte" : "byte";

		if (e->error)
			usage_error(e->path, "%s %llu, after %llu packets: %s", unit,
				    (unsigned long long)e->offset, (unsigned long long)e->packets,
				    strerror(e->error));
		else
			usage_error(e->path, "%s %llu, after %llu packets: expected %s, found %s",
				    unit, (unsigned long long)e->offset,
				    (unsigned long long)e->packets, e->expected, e->found);
	}
	return i > 0;
}

static int fail(const char *what, int r)
{
	usage_error(what, "%s", strerror(-r));
	return EXIT_FAILURE;
}

static int end(struct reading *g, const struct pv_snapshot *last)
{
	bool is_complete = !last || pv_snapshot_coverage(last)->complete;

	clear_progress(&g->meter);
	if (say_damage(g->capture))
		return EXIT_FAILURE;
	if (last)
		say_coverage(last, g->values->verbose);
	return g->values->strict && !is_complete ? EXIT_PARTIAL : EXIT_SUCCESS;
}

struct output {
	struct render_stream *rows;
	struct flow_summary *summary;
};

static int open_output(const struct reading *g, struct output *o)
{
	if (g->values->summary)
		return flow_summary_new(&o->summary);
	return render_open(&g->options, STDOUT_FILENO, &o->rows);
}

static int put_batch(struct reading *g, struct output *o, const struct pv_snapshot *s)
{
	clear_progress(&g->meter);
	return o->summary ? flow_summary_add(o->summary, s) : render_batch(o->rows, s);
}

static int close_output(const struct reading *g, struct output *o, const struct pv_snapshot *last)
{
	if (o->summary)
		return flow_summary_write(o->summary, last, g->options.format, g->options.ascii,
					  STDOUT_FILENO);
	return render_close(o->rows, last);
}

static int read_all(struct reading *g)
{
	struct pv_snapshot *s = NULL, *last = NULL;
	struct output o = { NULL, NULL };
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
		status = fail(is_read ? "standard output" : "read", r);
	} else {
		status = end(g, last);
	}
	pv_snapshot_free(last);
	render_stream_free(o.rows);
	flow_summary_free(o.summary);
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
	uint64_t position;
	int r;

	fflush(NULL);
	r = sandbox_run(body, g, &ended);
	if (r == -ENOSYS || r == -EINVAL) {
		usage_error("read", "note: this kernel has no seccomp filters: reading without");
		return body(g, &position);
	}
	if (r < 0)
		return fail("sandbox", r);
	if (!ended.signal)
		return ended.status;
	/* what was meant for both, or tells that nobody reads on, ends both alike */
	if (ended.signal == SIGPIPE || ended.signal == SIGINT || ended.signal == SIGTERM) {
		signal(ended.signal, SIG_DFL);
		raise(ended.signal);
	}
	usage_error("read", "stopped by signal %d (%s) after packet %llu", ended.signal,
		    ended.signal == SIGSYS ? "a forbidden system call" : strsignal(ended.signal),
		    (unsigned long long)ended.position);
	return EXIT_FAILURE;
}

/* ---- options ---- */

static size_t terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return 0;
	return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static bool use_color(const struct read_values *v)
{
	const char *term = getenv("TERM"), *off = getenv("NO_COLOR");

	if (v->color != 0)
		return v->color == 1;
	return isatty(STDOUT_FILENO) && !(off && off[0]) && term && strcmp(term, "dumb");
}

static int parse_view(const struct read_values *v, struct view *view)
{
	_cleanup_(cleanup_buf) struct buf defaults = BUF_INIT;
	struct columns_error error;
	int r;

	buf_puts(&defaults,
		 format_of(v) == RENDER_TABLE ? COLUMNS_FLOW_TABLE : COLUMNS_FLOW_MACHINE);
	if (v->joined && format_of(v) == RENDER_TABLE)
		buf_puts(&defaults, ",process,peer");
	else if (v->joined)
		buf_puts(&defaults, ",pid,comm,exe,unit,peer_pid,peer_comm");
	if (v->bin_ns)
		buf_puts(&defaults, ",series");
	if (!buf_str(&defaults))
		return -ENOMEM;
	r = columns_parse(v->columns, defaults.data, &view->columns, &view->n_columns, &error);
	if (r == -EINVAL)
		usage_error("--columns", "%s", error.message);
	if (r < 0 || !v->sort)
		return r;
	r = columns_parse_sort(v->sort, &view->sort, &view->n_sort, &error);
	if (r == -EINVAL)
		usage_error("--sort", "%s", error.message);
	return r;
}

static int parse_filter(int argc, char **argv, int first, struct pv_filter **ret_filter)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct pv_syntax_error error = { 0 };
	int r;

	for (int i = first; i < argc; i++) {
		if (i > first)
			buf_putc(&text, ' ');
		buf_puts(&text, argv[i]);
	}
	if (first >= argc)
		return 0;
	if (!buf_str(&text))
		return -ENOMEM;
	r = pv_filter_parse(text.data, ret_filter, &error);
	if (r == -EINVAL)
		usage_error("filter", "%s, at \"%.*s\"%s%s", error.message,
			    (int)strcspn(text.data + error.offset, " "), text.data + error.offset,
			    error.expected[0] ? "; expected: " : "", error.expected);
	return r;
}

/* A folder is a recording; anything else is text. */
static int open_joined(const char *path, struct pv_snapshot **ret)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct pv_request q = PV_REQUEST_INIT;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		r = file_read_at(AT_FDCWD, path, &text);
		return r < 0 ? r : pv_listing_parse(text.data, text.len, ret);
	}
	q.replay_dir = path;
	q.needs = PV_NEED_OWNERS | PV_NEED_EXE | PV_NEED_CMDLINE | PV_NEED_CGROUP | PV_NEED_PUSER;
	return pv_collect(&q, ret);
}

static int join(const char *path, struct pv_snapshot **ret)
{
	int r = path ? open_joined(path, ret) : 0;

	if (r == -EINVAL || r == -EBADMSG)
		usage_error("--joined",
			    "%s: neither a recording of list --record nor text of ss -tunap, "
			    "netstat -tunap or lsof -nPi",
			    path);
	else if (r < 0)
		fail(path, r);
	return r;
}

static int open_capture(const struct read_values *v, const struct view *view,
			const struct pv_filter *filter, char **paths, size_t n_paths,
			const struct pv_snapshot *joined, struct reading *g)
{
	_cleanup_(cleanup_free) char *message = NULL;
	struct pv_capture_request q = PV_CAPTURE_INIT;
	int r;

	q.paths = (const char *const *)paths;
	q.n_paths = n_paths;
	q.filter = filter;
	q.observed = v->observed == 0;
	q.bpf = v->bpf;
	q.joined = joined;
	q.memory = v->memory;
	q.bin_ns = (int64_t)v->bin_ns;
	if (view->n_sort)
		q.batch = 0;
	q.progress = show_progress;
	q.userdata = &g->meter;
	r = pv_capture_open(&q, &g->capture, &message);
	if (r == -EINVAL && v->bpf && message)
		usage_error("--bpf", "%s", message);
	else if (r < 0)
		fail(message ? message : "read", r);
	return r;
}

static int read_files(const struct read_values *v, const struct view *view,
		      const struct pv_filter *filter, char **paths, size_t n_paths)
{
	struct reading g = { .values = v, .view = view };
	struct pv_snapshot *joined = NULL;
	int r = join(v->joined, &joined);

	if (r == 0)
		r = open_capture(v, view, filter, paths, n_paths, joined, &g);
	if (r < 0) {
		pv_snapshot_free(joined);
		return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	}
	g.meter.start = now();
	g.meter.next = g.meter.start + NS;
	g.meter.is_shown = isatty(STDERR_FILENO);
	g.options = (struct render_options){
		.format = format_of(v),
		.columns = view->columns,
		.n_columns = view->n_columns,
		.sort = view->sort,
		.n_sort = view->n_sort,
		.needs = columns_needs(view->columns, view->n_columns, v->numeric),
		.numeric = v->numeric,
		.header = !v->no_header,
		.color = use_color(v),
		.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
		.keep_columns = v->columns != NULL,
		.width = terminal_width(STDOUT_FILENO),
	};
	tzset(); /* which reads a file, and is called by others later */
	r = run_sandboxed(&g);
	pv_capture_free(g.capture);
	pv_snapshot_free(joined);
	return r;
}

static int run_read(int argc, char **argv)
{
	_cleanup_(cleanup_view) struct view view = { 0 };
	struct read_values v = { .memory = PV_CAPTURE_MEMORY };
	struct pv_filter *filter = NULL;
	int first, after, r = command_options(&command_read, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (first >= argc) {
		usage_error("read", "a capture file is missing; - is standard input");
		return EXIT_USAGE;
	}
	if (check_values(&v) < 0)
		return EXIT_USAGE;
	for (after = first + 1; after < argc && is_file(argv[after]); after++)
		;
	r = parse_filter(argc, argv, after, &filter);
	if (r == 0)
		r = parse_view(&v, &view);
	if (r == 0)
		r = read_files(&v, &view, filter, argv + first, (size_t)(after - first));
	else
		r = r == -EINVAL ? EXIT_USAGE : fail("read", r);
	pv_filter_free(filter);
	return r;
}
