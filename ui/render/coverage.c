/* SPDX-License-Identifier: MIT */
/* Coverage in words and in JSON. */
#include <string.h>

#include "ui/render/render.h"
#include "ui/text/escape.h"
#include "ui/text/i18n.h"

static void put_words(struct buf *b, const char *text)
{
	text_put(b, text, strlen(text), 0);
}

static void put_gap(const struct pv_gap *gap, struct buf *b)
{
	const char *remedy = pv_gap_remedy(gap->kind);

	buf_u64(b, gap->count);
	buf_putc(b, ' ');
	buf_puts(b, text_translate(pv_gap_text(gap->kind)));
	if (gap->detail) {
		buf_puts(b, ": ");
		put_words(b, text_translate(gap->detail));
	}
	if (remedy) {
		buf_puts(b, " (");
		buf_puts(b, text_translate(remedy));
		buf_putc(b, ')');
	}
}

static void put_source(const struct pv_source *source, struct buf *b)
{
	buf_puts(b, source->name);
	buf_putc(b, ' ');
	if (source->state == PV_SOURCE_OFF) {
		buf_puts(b, _("off"));
	} else {
		buf_puts(b, _("by"));
		buf_putc(b, ' ');
		put_words(b, source->via);
	}
	if (source->cause) {
		buf_puts(b, " (");
		put_words(b, text_translate(source->cause));
		buf_putc(b, ')');
	}
}

int render_coverage_line(const struct pv_coverage *c, bool sources, struct buf *b)
{
	const char *before = c->complete ? _("portavoz: note: ") : _("portavoz: partial: ");
	size_t start = b->len;

	for (size_t i = 0; i < c->n_gaps; i++) {
		buf_puts(b, b->len == start ? before : "; ");
		put_gap(&c->gaps[i], b);
	}
	for (size_t i = 0; sources && i < c->n_sources; i++) {
		if (c->sources[i].state == PV_SOURCE_WORKING)
			continue;
		buf_puts(b, b->len == start ? before : "; ");
		put_source(&c->sources[i], b);
	}
	if (b->len > start)
		buf_putc(b, '\n');
	return buf_error(b);
}

static void put_string(struct buf *b, const char *key, const char *text)
{
	buf_puts(b, key);
	if (text)
		text_put_json(b, text, strlen(text));
	else
		buf_puts(b, "null");
}

void render_coverage_json(const struct pv_coverage *c, struct buf *b)
{
	buf_puts(b, c->complete ? "{\"complete\":true,\"sources\":["
				: "{\"complete\":false,\"sources\":[");
	for (size_t i = 0; i < c->n_sources; i++) {
		const struct pv_source *s = &c->sources[i];

		put_string(b, i ? ",{\"name\":" : "{\"name\":", s->name);
		put_string(b, ",\"via\":", s->via);
		put_string(b, ",\"state\":", pv_source_state_name(s->state));
		put_string(b, ",\"cause\":", s->cause);
		buf_putc(b, '}');
	}
	buf_puts(b, "],\"gaps\":[");
	for (size_t i = 0; i < c->n_gaps; i++) {
		const struct pv_gap *g = &c->gaps[i];

		put_string(b, i ? ",{\"kind\":" : "{\"kind\":", pv_gap_name(g->kind));
		buf_puts(b, ",\"count\":");
		buf_u64(b, g->count);
		put_string(b, ",\"detail\":", g->detail);
		put_string(b, ",\"text\":", pv_gap_text(g->kind));
		put_string(b, ",\"remedy\":", pv_gap_remedy(g->kind));
		buf_putc(b, '}');
	}
	buf_puts(b, "]}");
}
