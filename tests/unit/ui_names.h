/* SPDX-License-Identifier: MIT */
/* Names that processes and unix sockets may give themselves to deceive whoever lists them. */
#ifndef TESTS_UNIT_UI_NAMES_H
#define TESTS_UNIT_UI_NAMES_H

#include <stdbool.h>
#include <utf8proc.h>

#include <portavoz/conversation.h>

#define LEN(a) (sizeof(a) / sizeof(*(a)))
#define NAME(s)                                                                                    \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

/* What a process or a unix socket may call itself; each one different. */
static const struct pv_bytes hostile[] = {
	NAME("plain"),
	NAME("\033[31mred\033[0m"),
	NAME("\033[2J\033[H"),
	NAME("\033]0;owned\a"),
	NAME("up\033[A\033[2K"),
	NAME("line\rover"),
	NAME("back\b\b\b\bgone"),
	NAME("bell\a"),
	NAME("two\nlines"),
	NAME("two\\nlines"),
	NAME("two\\x0alines"),
	NAME("tab\tbed"),
	NAME("del\177ete"),
	NAME("c1\23331mraw"),
	NAME("c1\302\23331mutf"),
	NAME("bad\377\376utf8"),
	NAME("bad\\xff\\xfeutf8"),
	NAME("cut\342\202"),
	NAME("over\300\257long"),
	NAME("sur\355\240\200rogate"),
	NAME("\342\200\256txt.exe"),
	NAME("zero\342\200\213width"),
	NAME("zerowidth"),
	NAME("line\342\200\250sep"),
	NAME("nb\302\240space"),
	NAME("nb space"),
	NAME("a  b"),
	NAME(" a"),
	NAME("a "),
	NAME(" "),
	NAME("-"),
	NAME("--"),
	NAME("-rf"),
	NAME("\"\""),
	NAME("\"\"x"),
	NAME("\""),
	NAME(""),
	NAME("'"),
	NAME("''"),
	NAME("=1+1"),
	NAME("'=1+1"),
	NAME("+cmd|' /C calc'!A0"),
	NAME("@SUM(A1)"),
	NAME("\357\274\235full"),
	NAME("x\",pid=1,fd=3"),
	NAME("init(1),x"),
	NAME(") start"),
	NAME("(sd-pam)"),
	NAME("nc ("),
	NAME("quo\"te'd"),
	NAME("semi;colon,comma"),
	NAME("<b>html&amp;"),
	NAME("\342\200\246"),
	NAME("\\"),
	NAME("\\\\"),
	NAME("\\xff"),
	NAME("\377"),
	NAME("\327\251\327\234\327\225\327\235"),
	NAME("\346\227\245\346\234\254"),
	NAME("e\314\201"),
	NAME("\303\251"),
	NAME("\343\205\244"),
	NAME("\0eu-plain"),
	NAME("@eu-plain"),
	NAME("eu-plain"),
	NAME("\0eu\0nul"),
	NAME("\0eu@nul"),
	NAME("\0eu-trailing\0\0\0"),
	NAME("\0"),
	NAME("\0\0"),
	NAME("*"),
	NAME("#12"),
	NAME("~"),
	NAME("~\303\251"),
	NAME("[kworker/0:1]"),
	NAME("ESTABLISHED 0 0 1.2.3.4:22"),
	NAME("\360\237\230\200"),
	NAME("\364\217\277\277"),
	NAME("\356\200\200"),
	NAME("\357\273\277bom"),
};

/* Nothing in it that could steer, split or rearrange what a terminal shows. */
static inline bool is_harmless(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	while (len) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n = utf8proc_iterate(p, (utf8proc_ssize_t)len, &c);
		utf8proc_category_t category = n > 0 ? utf8proc_category(c) : UTF8PROC_CATEGORY_CN;

		if (n <= 0 || category == UTF8PROC_CATEGORY_CN || category > UTF8PROC_CATEGORY_ZS ||
		    (c > 0x7f && utf8proc_charwidth(c) < 1) ||
		    (category == UTF8PROC_CATEGORY_ZS && c != ' '))
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

#endif
