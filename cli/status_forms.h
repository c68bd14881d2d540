/* status_forms.h - what `cfshim status` prints for programs. */
#ifndef CFSHIM_STATUS_FORMS_H
#define CFSHIM_STATUS_FORMS_H

#include "counted.h"

/* One object.  False: no memory. */
bool print_json(const struct counted_all *all, FILE *file);

/* Prometheus' text format; groups of one program are added up.  False: no memory. */
bool print_metrics(const struct counted_all *all, FILE *file);

#endif
