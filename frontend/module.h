/* SPDX-License-Identifier: MIT
 * module.h - from import statements to compiled units.
 *
 * Resolution A bare name is a library module, else NAME.goost or the directory NAME in:
 *            langoost_modules beside the script, langoost_modules in the working directory, the
 *            script's directory, the working directory. A name that begins with ./, ../ or / is a
 *            path, relative to the importing file. A directory means the `main` of its
 *            langoost.json, else its main.goost.
 * Cache      A file is one unit however it is named: units are known by canonical path.
 * Cycles     are errors that name all files of the cycle.
 */
#ifndef GS_FRONTEND_MODULE_H
#define GS_FRONTEND_MODULE_H

#include "unit.h"

/* Reads a whole file. 0 or an errno; *text ends with a NUL that *len does not count. */
int gs_module_read(const char *path, char **text, size_t *len);
/* A unit for a text. real: canonical path or NULL; dir: where its relative imports start. */
struct gs_unit *gs_module_unit(struct gs_compiler *c, const char *shown, const char *name,
                               const char *real, const char *dir, const char *text, size_t len);
/* Parses, loads what it imports, resolves names, and emits as long as there is no error anywhere.
 */
void gs_module_compile(struct gs_unit *u);
/* Directory part of a path, in the compiler's arena. */
const char *gs_module_dir(struct gs_compiler *c, const char *path);

/* Reads the string at the top-level key "main" of a JSON text. False: malformed, or none. */
bool gs_module_json_main(const char *text, size_t n, char *out, size_t size);

#endif
