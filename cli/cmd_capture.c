/* SPDX-License-Identifier: MIT */
/*
 * portavoz capture: an interface -> conversations with their processes -> writer. The interface and
 * the files are opened with the caller's rights; packets are looked at in the sandbox, which asks
 * its parent whose sockets they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/owner_service.h"
#include "cli/reading.h"

#define RING_FILES_MAX 1000
#define SNAPLEN 262144
#define BUFFER (UINT32_C(16) << 20)

struct capture_values {
	struct reading_values reading;
	const char *interface, *write;
	uint64_t duration_ns, ring_bytes, buffer;
	uint32_t packets, snaplen, ring_files;
	bool not_promiscuous;
};

#define AT(member) offsetof(struct capture_values, member)

static int set_time(void *values, const char *arg, const struct option_def *def)
{
	uint64_t *ret = (uint64_t *)((char *)values + def->offset);

	if (parse_with_unit(arg, units_of_time, ret) && *ret && *ret <= INT64_MAX)
		return 0;
	usage_error("--duration", "\"%s\": expected a time such as 10s, 5m or 1h", arg);
	return -EINVAL;
}

static int set_buffer(void *values, const char *arg, const struct option_def *def)
{
	uint64_t *ret = (uint64_t *)((char *)values + def->offset);

	if (parse_with_unit(arg, units_of_size, ret) && *ret >= 1 << 20 && *ret <= 1 << 30)
		return 0;
	usage_error("--buffer", "\"%s\": expected a size from 1M to 1G, such as 64M", arg);
	return -EINVAL;
}

/* "10Mx5" */
static int set_ring(void *values, const char *arg, const struct option_def *def)
{
	struct capture_values *v = values;
	const char *times = strrchr(arg, 'x');
	uint64_t files = 0;
	char size[24] = "";

	(void)def;
	if (times && (size_t)(times - arg) < sizeof(size))
		memcpy(size, arg, (size_t)(times - arg));
	if (size[0] && parse_with_unit(size, units_of_size, &v->ring_bytes) &&
	    v->ring_bytes >= 1 << 16 && parse_number(times + 1, 1, RING_FILES_MAX, &files) == 0) {
		v->ring_files = (uint32_t)files;
		return 0;
	}
	usage_error("--ring",
		    "\"%s\": expected a size of at least 64K, x, and a number of files up to %d, "
		    "such as 100Mx10",
		    arg, RING_FILES_MAX);
	return -EINVAL;
}

static const struct option_def capture_options[] = {
	OPTION_HEADING("What is captured"),
	{ 'i', "interface", "INTERFACE", "of this interface, or any (any)", OPTION_TEXT,
	  AT(interface), 0, 0, NULL },
	READING_INPUT_OPTIONS,
	{ 'p', "no-promiscuous", NULL, "only frames for this host", OPTION_FLAG,
	  AT(not_promiscuous), 0, 0, NULL },
	{ 0, "snaplen", "BYTES", "bytes of each packet that are kept (262144)", OPTION_NUMBER,
	  AT(snaplen), 64, SNAPLEN, NULL },
	{ 0, "buffer", "SIZE", "what the kernel may hold for us (16M)", OPTION_CALL, AT(buffer), 0,
	  0, set_buffer },
	OPTION_HEADING("How long"),
	{ 0, "duration", "TIME", "end after that time, such as 30s", OPTION_CALL, AT(duration_ns),
	  0, 0, set_time },
	{ 0, "packets", "N", "end after that many packets", OPTION_NUMBER, AT(packets), 1,
	  UINT32_MAX, NULL },
	OPTION_HEADING("Where packets are written"),
	{ 'w', "write", "FILE", "as pcapng, with the processes of each; - is standard output",
	  OPTION_TEXT, AT(write), 0, 0, NULL },
	{ 0, "ring", "SIZExCOUNT", "a ring of files, FILE with a number each", OPTION_CALL, 0, 0, 0,
	  set_ring },
	READING_OUTPUT_OPTIONS,
};

#define ABOUT                                                                                      \
	"Needs CAP_NET_RAW; decoding happens in a process without any privilege. It ends\n"        \
	"with Ctrl-C; SIGUSR1 tells how far it is. FILTER chooses what is shown, --bpf\n"          \
	"what is captured. The initiator's end is the local one; see portavoz-columns(7)."

static int run_capture(int argc, char **argv);

const struct command command_capture = {
	.name = "capture",
	.summary = "list the conversations of an interface, with their processes",
	.usage = "[OPTION]... [FILTER]",
	.about = ABOUT,
	.defs = capture_options,
	.operands = OPERAND_FILTER,
	.run = run_capture,
};

/* ---- signals ---- */

static volatile sig_atomic_t is_stopped, is_report_wanted;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		is_report_wanted = 1;
	else
		is_stopped = 1;
}

static void catch_signals(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	const struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

static bool is_over(void *userdata)
{
	(void)userdata;
	return is_stopped;
}

static void report(const struct pv_capture_progress *p)
{
	fprintf(stderr,
		"portavoz: capture: %llu packets received, %llu dropped by the kernel, "
		"%llu dropped by us, %llu not understood\n",
		(unsigned long long)p->packets, (unsigned long long)p->dropped,
		(unsigned long long)p->unread, (unsigned long long)p->undecoded);
}

/* ---- files ---- */

struct files {
	int *fds;
	char **names;
	size_t n;
};

/* "a.pcapng" -> "a.0001.pcapng", for free(). */
static char *numbered(const char *path, size_t number)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const char *dot = strrchr(name, '.');
	size_t stem = dot && dot > name ? (size_t)(dot - path) : strlen(path);
	char *ret;

	return asprintf(&ret, "%.*s.%04zu%s", (int)stem, path, number, path + stem) < 0 ? NULL
											: ret;
}

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		usage_error(path, "%s", strerror(errno));
	return fd;
}

/* Packets go to standard output, so conversations do not. */
static int take_stdout(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0) {
		usage_error(STANDARD_OUTPUT, "%s", strerror(errno));
		fd = close_fd(fd);
	}
	close_fd(null);
	return fd;
}

static int open_files(const struct capture_values *v, struct files *f)
{
	size_t n = !v->write ? 0 : v->ring_files ? v->ring_files : 1;
	bool is_stdout = v->write && strcmp(v->write, "-") == 0;

	f->fds = calloc(n + 1, sizeof(*f->fds));
	f->names = calloc(n + 1, sizeof(*f->names));
	for (; f->fds && f->names && f->n < n; f->n++) {
		char **name = &f->names[f->n];

		*name = v->ring_files ? numbered(v->write, f->n + 1)
				      : strdup(is_stdout ? STANDARD_OUTPUT : v->write);
		f->fds[f->n] = !*name ? -1 : is_stdout ? take_stdout() : open_file(*name);
		if (f->fds[f->n] < 0)
			return -1;
	}
	return f->fds && f->names ? 0 : -1;
}

static void cleanup_files(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		close_fd(f->fds[i]);
	for (size_t i = 0; f->names && f->names[i]; i++)
		free(f->names[i]);
	free(f->names);
	free(f->fds);
}

/* ---- the run ---- */

struct capturing {
	struct reading reading; /* first: it is the userdata */
	struct owner_service owners;
};

static int find_owners(const struct pv_capture_question *questions, size_t n,
		       struct pv_capture_owner (*ret)[2], void *userdata)
{
	const struct capturing *c = userdata;

	if (!c->reading.service) /* there is no sandbox */
		return -ENOTSUP;
	return owner_service_ask(&c->owners, questions, n, ret);
}

static int check(const struct capture_values *v)
{
	if (v->ring_files && !v->write)
		usage_error("--ring", "needs -w FILE");
	else if (v->write && v->reading.redact)
		usage_error("--write", "does not go with --redact: packets hold the addresses");
	else if (v->ring_files && strcmp(v->write, "-") == 0)
		usage_error("--ring", "does not go with standard output");
	else
		return reading_check(&v->reading);
	return -EINVAL;
}

static int run_capture(int argc, char **argv)
{
	_cleanup_(cleanup_files) struct files files = { 0 };
	struct capture_values v = { .reading = READING_VALUES_INIT,
				    .interface = "any",
				    .snaplen = SNAPLEN,
				    .buffer = BUFFER };
	struct capturing c = { .reading = { .command = "capture",
					    .values = &v.reading,
					    .request = PV_CAPTURE_INIT,
					    .report = report,
					    .is_report_wanted = &is_report_wanted } };
	struct pv_capture_live live;
	int first, r = command_options(&command_capture, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (check(&v) < 0)
		return EXIT_USAGE;
	if (open_files(&v, &files) < 0)
		return EXIT_FAILURE;
	live = (struct pv_capture_live){ .interface = v.interface,
					 .snaplen = v.snaplen,
					 .buffer = (uint32_t)v.buffer,
					 .is_promiscuous = !v.not_promiscuous,
					 .max_packets = v.packets,
					 .duration_ns = (int64_t)v.duration_ns,
					 .is_over = is_over,
					 .find_owners = find_owners,
					 .closed_source = &c.owners.closed_source,
					 .files = files.fds,
					 .file_names = (const char *const *)files.names,
					 .n_files = files.n,
					 .file_bytes = v.ring_bytes };
	catch_signals();
	/* who reads a FIFO may leave; of standard output that ends the run as anywhere */
	if (v.write && strcmp(v.write, "-") != 0)
		signal(SIGPIPE, SIG_IGN);
	owner_service_init(&c.owners, "all");
	c.reading.service = &c.owners.sandbox;
	c.reading.request.live = &live;
	r = reading_run(&c.reading, argv + first, argc - first);
	owner_service_deinit(&c.owners);
	return r;
}
