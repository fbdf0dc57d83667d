/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The version of the files of result sets, which each of their JSON texts names (results/schema/). */
#ifndef LIB_BASE_SCHEMA_H
#define LIB_BASE_SCHEMA_H

#define RESULT_SCHEMA 1

#endif
