/* SPDX-License-Identifier: MIT */
/*
 * Protocols in which the server speaks first, in a line of text: SSH (RFC 4253), SMTP (RFC 5321),
 * FTP (RFC 959), POP3 (RFC 1939), IMAP (RFC 9051). "220" opens SMTP as well as FTP, and "+OK" says
 * little: where the line does not name its protocol the client's first command decides.
 */
#include "observe/observe-internal.h"

#define LINE_MAX_BYTES 512

enum prefix { PREFIX_NO, PREFIX_MAY, PREFIX_YES };

static enum prefix begins(const uint8_t *d, size_t len, const char *const *words, size_t n_words)
{
	enum prefix best = PREFIX_NO;

	for (size_t i = 0; i < n_words && best != PREFIX_YES; i++) {
		size_t n = strlen(words[i]), k = 0;

		/* commands may be written in any case */
		while (k < n && k < len &&
		       (d[k] == (uint8_t)words[i][k] ||
			(d[k] >= 'a' && d[k] - 0x20 == words[i][k])))
			k++;
		if (k == n)
			best = PREFIX_YES;
		else if (k == len)
			best = PREFIX_MAY;
	}
	return best;
}

#define begins_with(d, len, words) begins((d), (len), (words), sizeof(words) / sizeof((words)[0]))

static const char *const smtp_commands[] = { "EHLO ", "HELO ", "LHLO " };
static const char *const ftp_commands[] = {
	"USER ", "AUTH ", "FEAT\r", "OPTS ", "SYST\r", "HOST "
};
static const char *const pop3_commands[] = {
	"USER ", "CAPA\r", "APOP ", "AUTH", "STLS\r", "QUIT\r"
};

/* One greeting: how it begins, what it must say to be believed at once, what the client says. */
struct greeting {
	const char *const *begin;
	size_t n_begin;
	const char *const *words;
	size_t n_words;
	const char *const *commands;
	size_t n_commands;
};

#define LIST(a) (a), sizeof(a) / sizeof((a)[0])

static const char *const code_220[] = { "220 ", "220-" };
static const char *const pop3_ok[] = { "+OK", "-ERR" };
static const char *const smtp_words[] = { "SMTP", "LMTP" };
static const char *const ftp_words[] = { "FTP" };
static const char *const pop3_words[] = { "POP3", "POP server" };

static const struct greeting smtp = { LIST(code_220), LIST(smtp_words), LIST(smtp_commands) };
static const struct greeting ftp = { LIST(code_220), LIST(ftp_words), LIST(ftp_commands) };
static const struct greeting pop3 = { LIST(pop3_ok), LIST(pop3_words), LIST(pop3_commands) };

static bool has_words(struct span line, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_have_word(line, words[i]))
			return true;
	return false;
}

/* What a server's line tells by itself. PROBE_MORE: it begins as it should. */
static enum probe_result line_verdict(const struct greeting *g, const uint8_t *d, size_t len,
				      struct span *ret_line)
{
	enum prefix prefix = begins(d, len, g->begin, g->n_begin);
	bool whole;

	*ret_line = first_line(d, len, &whole);
	if (prefix == PREFIX_NO || !bytes_are_text(*ret_line) || ret_line->n > LINE_MAX_BYTES)
		return PROBE_NO;
	if (prefix == PREFIX_YES && whole && has_words(*ret_line, g->words, g->n_words))
		return PROBE_DONE;
	return PROBE_MORE;
}

/* Whether another protocol of the family is named in the line. */
static bool is_named_otherwise(const struct greeting *g, struct span line)
{
	return (g != &smtp && has_words(line, LIST(smtp_words))) ||
	       (g != &ftp && has_words(line, LIST(ftp_words)) &&
		!has_words(line, g->words, g->n_words));
}

static enum probe_result done(struct probe *p, struct span line)
{
	detail_span(&p->detail, "greeting", line);
	return PROBE_DONE;
}

static enum probe_result greeting(struct probe *p, const struct greeting *g)
{
	enum probe_result verdict;
	struct span line;

	if (p->other_len && line_verdict(g, p->other, p->other_len, &line) == PROBE_MORE &&
	    !is_named_otherwise(g, line)) {
		enum prefix command = begins(p->data, p->len, g->commands, g->n_commands);

		if (command == PREFIX_YES)
			return done(p, line);
		if (command == PREFIX_MAY)
			return PROBE_MORE;
	}
	verdict = line_verdict(g, p->data, p->len, &line);
	if (verdict == PROBE_NO || is_named_otherwise(g, line))
		return PROBE_NO;
	if (verdict == PROBE_DONE)
		return done(p, line);
	/* the client's command may have come first where a capture lost the order */
	if (p->other_len &&
	    begins(p->other, p->other_len, g->commands, g->n_commands) == PREFIX_YES)
		return done(p, line);
	return PROBE_MORE;
}

enum probe_result observe_smtp_probe(struct probe *p)
{
	return greeting(p, &smtp);
}

enum probe_result observe_ftp_probe(struct probe *p)
{
	return greeting(p, &ftp);
}

enum probe_result observe_pop3_probe(struct probe *p)
{
	return greeting(p, &pop3);
}

enum probe_result observe_imap_probe(struct probe *p)
{
	static const char *const begin[] = { "* OK ", "* PREAUTH ", "* BYE " };
	enum prefix prefix = begins_with(p->data, p->len, begin);
	struct span line;
	bool whole;

	line = first_line(p->data, p->len, &whole);
	if (prefix == PREFIX_NO || !bytes_are_text(line) || line.n > LINE_MAX_BYTES)
		return PROBE_NO;
	if (prefix == PREFIX_MAY || !whole)
		return PROBE_MORE;
	return done(p, line);
}

/* "SSH-2.0-software comment", 255 bytes at most with its end; servers may send lines before. */
enum probe_result observe_ssh_probe(struct probe *p)
{
	enum probe_result match = match_text(p->data, p->len, "SSH-");
	struct span line;
	bool whole;

	if (match != PROBE_DONE)
		return match;
	line = first_line(p->data, p->len, &whole);
	if (line.n > 255 || !bytes_are_text(line))
		return PROBE_NO;
	if (!whole && p->is_last && line.n >= 8) {
		detail_bytes(&p->detail, "banner", line.p + 4, line.n - 4);
		return PROBE_DONE;
	}
	if (!whole)
		return PROBE_MORE;
	if (line.n < 9 || line.p[5] != '.' || line.p[4] < '1' || line.p[4] > '2')
		return PROBE_NO;
	detail_bytes(&p->detail, "banner", line.p + 4, line.n - 4);
	return PROBE_DONE;
}
