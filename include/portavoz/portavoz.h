/* SPDX-License-Identifier: MIT */
/* Everything libportavoz offers. */
#ifndef PORTAVOZ_PORTAVOZ_H
#define PORTAVOZ_PORTAVOZ_H

#include <portavoz/capture.h>
#include <portavoz/conversation.h>
#include <portavoz/coverage.h>
#include <portavoz/dump.h>
#include <portavoz/ends.h>
#include <portavoz/events.h>
#include <portavoz/exposure.h>
#include <portavoz/filter.h>
#include <portavoz/flow.h>
#include <portavoz/judge.h>
#include <portavoz/kill.h>
#include <portavoz/names.h>
#include <portavoz/policy.h>
#include <portavoz/redact.h>
#include <portavoz/registry.h>
#include <portavoz/role.h>
#include <portavoz/snapshot.h>
#include <portavoz/tables.h>
#include <portavoz/tasks.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* "0.1.0" */
const char *pv_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
