/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register that holds the base of page tables, by architecture: struct base, and for the modes base_set_up(),
 * base_modes(), base_features(), base_rewrite(), base_leave().
 */
#ifndef ACTIVEMM_BASE_H
#define ACTIVEMM_BASE_H

#include <linux/bits.h>
#include <linux/types.h>

#include "activemm_abi.h"

#if defined(CONFIG_X86)
#include "base-x86.h"
#elif defined(CONFIG_ARM64)
#include "base-arm64.h"
#else
#error "activemm.ko needs x86-64 or arm64: its modes reload and flush write the page tables' base"
#endif

#endif
