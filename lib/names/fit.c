/* SPDX-License-Identifier: MIT */
/* What is fit to be shown as a name in place of an address. */
#include "names/names.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '.' ||
	       c == '-' || c == '_';
}

/*
 * A last label that is a number makes the whole an IPv4 address to inet_aton() and to browsers
 * ("127.1", "0x7f.1"); no top-level domain is one.
 */
static bool ends_in_number(const char *name, size_t len)
{
	size_t start = len;
	bool hex;

	while (start > 0 && name[start - 1] != '.')
		start--;
	hex = len - start >= 2 && name[start] == '0' && (name[start + 1] | 0x20) == 'x';
	for (size_t i = start + (hex ? 2 : 0); i < len; i++)
		if (!is_digit(name[i]) &&
		    !(hex && (name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'f'))
			return false;
	return true;
}

bool names_is_fit(const char *name, size_t len)
{
	if (len == 0 || len > NAMES_LENGTH_MAX || name[0] == '.' || name[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_name_byte(name[i]))
			return false;
	return !ends_in_number(name, len);
}
