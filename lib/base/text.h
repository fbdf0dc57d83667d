/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that others chose: tasks, files and commands are any bytes. */
#ifndef LIB_BASE_TEXT_H
#define LIB_BASE_TEXT_H

#include <stdio.h>

/*
 * Makes @s UTF-8 that prints on one line, in place: each byte that belongs to no whole character, or to one that controls a
 * terminal, becomes '?'. Where a name is read, so that nothing behind it (JSON, a page, gnuplot, the terminal) meets another.
 */
void text_utf8(char *s);

/* @s as a field of CSV in quotes (RFC 4180). */
void text_csv(const char *s, FILE *out);

#endif
