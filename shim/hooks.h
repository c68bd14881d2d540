/* hooks.h - gives every replaced function of hooks.def default visibility; included by every door.
 */
#ifndef CFSHIM_HOOKS_H
#define CFSHIM_HOOKS_H

#include "compat.h"
#include "libc_names.h"

#define HOOK(symbol, need) extern __typeof__(symbol) symbol __attribute__((visibility("default")));
#define LIBC(symbol, need) extern __typeof__(symbol) symbol __attribute__((visibility("default")));
#include "hooks.def"

#endif
