/* SPDX-License-Identifier: MIT
 * session.c - LLVM through its C API. Contract: session.h.
 *
 * Design     IR to object here, by a target machine for each level; LLJIT gets objects only, and links them. So the levels differ
 *            in code generation as well as in passes (LLJIT's own compiler knows one target machine), a module is freed as soon as
 *            its object exists, no lock of ORC guards the context, and the object is at hand for the sizes of symbols.
 * Names      A symbol is "label function#n" with n counted over the process, so no two compiles clash; the map for perf leaves
 *            "#n" out, so that all compiles of a function count as one there. One dynamic library of LLJIT holds all of them.
 * Memory     An object has a tracker, by which its code, names and tables go (gs_session_free); not when gdb or perf were told of it.
 *            The context keeps every constant that a module ever named, addresses above all: it is replaced every CONTEXT_MODULES modules.
 * Helpers    Absolute symbols, defined once. Calls go through a stub when the program lies too far from the code. Never nonlazybind: for
 *            "call *f@GOTPCREL" JITLink 19 looks whether the address of f fits 32 bits, not whether the distance does, and jumps
 *            astray in a program that is not position-independent (unit test a_float_helper_is_called).
 * Floats     Target options as LLVM makes them: fusion only of llvm.fmuladd, which the emitter never makes.
 * Failing    Bad IR and refused objects are answers (*why); what LLVM calls fatal ends the process with its message, for LLVM
 *            is in no state to go on.
 */
#define _GNU_SOURCE
#include "session.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/LLJITUtils.h>
#include <llvm-c/Object.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Support.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "compiled.h"
#include "decline.h"

/* What default<O2> does to loops, without what only C and C++ need (inlining, aggregates in memory, globals, several rounds of the
 * cleaners): the same speed of fib, Mandelbrot, a sum, a sieve, a matrix product and a vectorized a[i] * k + b[i] in half the time
 * (0.7 to 2 ms instead of 2 to 3.8). First the redundant guards go, since each one gone is an exit less for all that follows; rotation
 * puts what is invariant before the loop; gvn removes loads that licm has made equal; unrolling comes last. */
static const char full_passes[] =
    "function<eager-inv>("
    "sroa,instcombine<no-verify-fixpoint>,simplifycfg,early-cse<memssa>,"
    "constraint-elimination,correlated-propagation,"
    "loop-mssa(loop-rotate,licm<allowspeculation>,simple-loop-unswitch<no-nontrivial;trivial>),"
    "instcombine<no-verify-fixpoint>,"
    "loop(loop-idiom,indvars,loop-deletion,loop-unroll-full),gvn,"
    "loop-vectorize,slp-vectorizer,instcombine<no-verify-fixpoint>,loop-unroll<O2>,"
    "loop-mssa(licm<allowspeculation>),simplifycfg)";

/* What pays at once: redundant guards and loads go, what is invariant goes before the loop. 60 to 75 % of FULL's time; for code that runs
 * for 10 to 50 ms that is the better bargain. Without any passes it is a tenth less again, but loops of ints run up to twice as long, with FastISel up to five times. */
static const char quick_passes[] =
    "function<eager-inv>("
    "sroa,instcombine<no-verify-fixpoint>,simplifycfg,early-cse<memssa>,"
    "loop-mssa(loop-rotate,licm<allowspeculation>),instcombine<no-verify-fixpoint>,simplifycfg)";

/* Without loop strength reduction: 0.5 to 2 ms of 4 in code generation, and no difference in what the loops above need, as x86-64
 * addresses base + 8 * index for nothing. */
static const char *const llvm_options[] = {"langoost", "-disable-lsr"};

#define CONTEXT_MODULES 200u /* about 2 MB; a new context costs 20 us */
#define DEAD_NAMES 64u       /* objects freed, before dead names are thrown out */

#define MAX_ARGS 16u /* parameters of a helper, fillers included */
#if defined(__aarch64__)
#define ARG_REGS 8u
#else
#define ARG_REGS 6u
#endif

struct helper {
    const char *name, *result, *args, *attributes;
    uintptr_t address;
};

static const struct helper helpers[] = {
#define GS_HELPER(name, result, args, attributes)                                                  \
    {#name, result, args, attributes, (uintptr_t)name},
#include "helpers.def"
#undef GS_HELPER
};
#define HELPERS (sizeof helpers / sizeof helpers[0])

static struct {
    bool tried, open;
    const char *why;
    LLVMContextRef context;
    LLVMTargetMachineRef machine[GS_LEVEL_COUNT_];
    LLVMTargetDataRef layout;
    char *triple, *cpu, *features;
    LLVMPassBuilderOptionsRef options;
    LLVMOrcLLJITRef jit;
    LLVMOrcJITDylibRef lib;
    FILE *perf_map; /* NULL: not wanted */
    bool gdb;
    bool keep_text, bad; /* bad: an error was reported since it was cleared */
    char detail[512];
    char *ir, *assembly;
    uint64_t names; /* symbols named so far */
    LLVMOrcResourceTrackerRef code; /* of the last compile, until it is asked for */
    uint32_t code_bytes;
    unsigned modules; /* of the context */
    unsigned freed;   /* objects, since dead names were last thrown out */
    struct gs_session_cost cost;
} S;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- what LLVM says ---- */

static void note(const char *text)
{
    (void)snprintf(S.detail, sizeof S.detail, "%s", text);
#if defined(GS_DEBUG)
    (void)fprintf(stderr, "langoost: jit: %s\n", S.detail);
#endif
}

/* Takes e. True: there was an error, and it is noted. */
static bool failed(LLVMErrorRef e)
{
    if (e == LLVMErrorSuccess)
        return false;
    char *text = LLVMGetErrorMessage(e);
    note(text);
    LLVMDisposeErrorMessage(text);
    return true;
}

/* As failed, for the older functions: takes text. */
static bool failed_with(bool bad, char *text)
{
    if (bad)
        note(text != NULL ? text : "");
    LLVMDisposeMessage(text);
    return bad;
}

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *unused)
{
    (void)unused;
    if (LLVMGetDiagInfoSeverity(info) != LLVMDSError)
        return;
    char *text = LLVMGetDiagInfoDescription(info);
    note(text);
    LLVMDisposeMessage(text);
    S.bad = true;
}

static void on_link_error(void *unused, LLVMErrorRef e)
{
    (void)unused;
    (void)failed(e);
}

static void on_fatal(const char *text)
{
    (void)fprintf(stderr, "langoost: internal error: LLVM: %s\n", text);
    abort();
}

const char *gs_session_detail(void)
{
    return S.detail;
}

/* ---- opening ---- */

static bool wanted(const char *variable)
{
    const char *v = getenv(variable);
    return v != NULL && strcmp(v, "1") == 0;
}

static LLVMTargetMachineRef new_machine(LLVMTargetRef target, enum gs_level level)
{
    LLVMTargetMachineRef m = LLVMCreateTargetMachine(
        target, S.triple, S.cpu, S.features,
        level == GS_LEVEL_QUICK ? LLVMCodeGenLevelLess : LLVMCodeGenLevelDefault, LLVMRelocPIC,
        LLVMCodeModelSmall);
    return m;
}

static bool open_machines(LLVMTargetRef *target, const char **why)
{
    *why = GS_DECLINE(NO_LLVM);
    if (LLVMInitializeNativeTarget() != 0 || LLVMInitializeNativeAsmPrinter() != 0)
        return false;
    S.triple = LLVMGetDefaultTargetTriple();
    S.cpu = LLVMGetHostCPUName();
    S.features = LLVMGetHostCPUFeatures();
    char *text = NULL;
    bool bad = LLVMGetTargetFromTriple(S.triple, target, &text) != 0;
    if (failed_with(bad, text))
        return false;
    *why = GS_DECLINE(NO_MACHINE);
    for (unsigned i = 0; i < GS_LEVEL_COUNT_; i++) {
        S.machine[i] = new_machine(*target, (enum gs_level)i);
        if (S.machine[i] == NULL)
            return false;
    }
    S.layout = LLVMCreateTargetDataLayout(S.machine[GS_LEVEL_FULL]);
    return true;
}

static bool define_helpers(void)
{
    LLVMOrcCSymbolMapPair pairs[HELPERS];
    for (size_t i = 0; i < HELPERS; i++) {
        pairs[i].Name = LLVMOrcLLJITMangleAndIntern(S.jit, helpers[i].name);
        pairs[i].Sym.Address = helpers[i].address;
        pairs[i].Sym.Flags.GenericFlags =
            LLVMJITSymbolGenericFlagsExported | LLVMJITSymbolGenericFlagsCallable;
        pairs[i].Sym.Flags.TargetFlags = 0;
    }
    return !failed(LLVMOrcJITDylibDefine(S.lib, LLVMOrcAbsoluteSymbols(pairs, HELPERS)));
}

/* gdb's hook must be visible in the process, but LLVM came with a module that was opened for itself. */
static bool open_gdb(void)
{
    Dl_info info;
    if (dladdr((const void *)(uintptr_t)LLVMOrcLLJITEnableDebugSupport, &info) != 0)
        (void)dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
    return !failed(LLVMOrcLLJITEnableDebugSupport(S.jit));
}

static bool open_linker(LLVMTargetRef target, const char **why)
{
    *why = GS_DECLINE(NO_LINKER);
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    /* Takes the machine; never used to compile, but LLJIT would detect the host once more. */
    LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(
        builder,
        LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(new_machine(target, GS_LEVEL_FULL)));
    if (failed(LLVMOrcCreateLLJIT(&S.jit, builder)))
        return false;
    LLVMOrcExecutionSessionSetErrorReporter(LLVMOrcLLJITGetExecutionSession(S.jit), on_link_error,
                                            NULL);
    S.lib = LLVMOrcLLJITGetMainJITDylib(S.jit);
    if (wanted("LANGOOST_GDB")) {
        S.gdb = open_gdb();
        if (!S.gdb) /* asked for by hand: said at once */
            (void)fprintf(stderr, "langoost: jit: no code for gdb: %s\n", S.detail);
    }
    return define_helpers();
}

static void open_perf_map(void)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/perf-%ld.map", (long)getpid());
    S.perf_map = fopen(path, "a"); /* no map is no reason not to compile */
}

static void open_context(void)
{
    S.context = LLVMContextCreate();
    LLVMContextSetDiagnosticHandler(S.context, on_diagnostic, NULL);
    S.modules = 0;
}

void gs_session_rest(void)
{
    if (S.modules < CONTEXT_MODULES)
        return;
    LLVMContextDispose(S.context);
    open_context();
}

static bool open_all(const char **why)
{
    LLVMInstallFatalErrorHandler(on_fatal);
    LLVMParseCommandLineOptions((int)(sizeof llvm_options / sizeof llvm_options[0]), llvm_options,
                                NULL);
    LLVMTargetRef target;
    if (!open_machines(&target, why) || !open_linker(target, why))
        return false;
    open_context();
    S.options = LLVMCreatePassBuilderOptions();
    if (wanted("LANGOOST_PERF_MAP"))
        open_perf_map();
    return true;
}

bool gs_session_open(const char **why)
{
    if (!S.tried) {
        S.tried = true;
        S.open = open_all(&S.why);
    }
    if (!S.open)
        *why = S.why;
    return S.open;
}

LLVMContextRef gs_session_context(void)
{
    return S.context;
}

LLVMModuleRef gs_session_module(const char *name)
{
    LLVMModuleRef m = LLVMModuleCreateWithNameInContext(name, S.context);
    S.modules++;
    LLVMSetTarget(m, S.triple);
    LLVMSetModuleDataLayout(m, S.layout);
    return m;
}

/* ---- helpers ---- */

static const struct helper *find_helper(const char *name)
{
    for (size_t i = 0; i < HELPERS; i++)
        if (strcmp(helpers[i].name, name) == 0)
            return &helpers[i];
    return NULL;
}

static LLVMTypeRef type_of(char c)
{
    switch (c) {
    case 'v':
        return LLVMVoidTypeInContext(S.context);
    case 'i':
        return LLVMInt32TypeInContext(S.context);
    case 'd':
        return LLVMDoubleTypeInContext(S.context);
    case 'p':
        return LLVMPointerTypeInContext(S.context, 0);
    default: /* l, and each half of V */
        return LLVMInt64TypeInContext(S.context);
    }
}

/* How many fillers stand before the next argument, *used integer registers being taken; counts it. A structure of two words that
 * does not fit into what is left goes to the stack as a whole, and so does all after it. */
static unsigned fillers(char c, unsigned *used)
{
    if (c == 'd')
        return 0;
    unsigned n = c == 'V' && *used<ARG_REGS && * used + 2> ARG_REGS ? ARG_REGS - *used : 0;
    *used += n + (c == 'V' ? 2 : 1);
    return n;
}

static LLVMTypeRef helper_type(const struct helper *h)
{
    LLVMTypeRef types[MAX_ARGS];
    unsigned n = 0, used = 0;
    for (const char *c = h->args; *c != '\0'; c++) {
        for (unsigned fill = fillers(*c, &used) + (*c == 'V'); fill > 0; fill--)
            types[n++] = type_of('l');
        types[n++] = type_of(*c);
    }
    LLVMTypeRef word = type_of('l'), pair[2] = {word, word};
    LLVMTypeRef result = h->result[0] == 'V' ? LLVMStructTypeInContext(S.context, pair, 2, 0) : type_of(h->result[0]);
    return LLVMFunctionType(result, types, n, 0);
}

#define ON_FUNCTION ((LLVMAttributeIndex)LLVMAttributeFunctionIndex)

static void add_attribute(LLVMValueRef f, const char *name, uint64_t value)
{
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(f, ON_FUNCTION, LLVMCreateEnumAttribute(S.context, kind, value));
}

static void add_text_attribute(LLVMValueRef f, const char *name, const char *value)
{
    LLVMAddAttributeAtIndex(f, ON_FUNCTION,
                            LLVMCreateStringAttribute(S.context, name, (unsigned)strlen(name),
                                                      value, (unsigned)strlen(value)));
}

static LLVMValueRef declare(LLVMModuleRef m, const struct helper *h)
{
    LLVMValueRef f = LLVMAddFunction(m, h->name, helper_type(h));
    add_attribute(f, "nounwind", 0);
    if (h->attributes[0] == 'w')
        return f;
    /* Two bits for each kind of memory (arguments, inaccessible, other): 1 read, 2 write. */
    add_attribute(f, "memory", h->attributes[0] == 'r' ? 0x15 : 0);
    add_attribute(f, "willreturn", 0);
    add_attribute(f, "nosync", 0);
    add_attribute(f, "nofree", 0);
    return f;
}

LLVMValueRef gs_session_helper(LLVMModuleRef m, const char *name, LLVMTypeRef *type)
{
    LLVMValueRef f = LLVMGetNamedFunction(m, name);
    if (f == NULL) {
        const struct helper *h = find_helper(name);
        GS_CHECK(h != NULL);
        f = declare(m, h);
    }
    if (type != NULL)
        *type = LLVMGlobalGetValueType(f);
    return f;
}

LLVMValueRef gs_session_call(LLVMBuilderRef b, const char *name, const LLVMValueRef *args,
                             unsigned n)
{
    LLVMModuleRef m = LLVMGetGlobalParent(LLVMGetBasicBlockParent(LLVMGetInsertBlock(b)));
    LLVMTypeRef type;
    LLVMValueRef f = gs_session_helper(m, name, &type);
    LLVMValueRef all[MAX_ARGS];
    unsigned count = 0, used = 0, next = 0;
    for (const char *c = find_helper(name)->args; *c != '\0'; c++) {
        for (unsigned fill = fillers(*c, &used); fill > 0; fill--)
            all[count++] = LLVMGetPoison(type_of('l'));
        for (unsigned words = *c == 'V' ? 2 : 1; words > 0; words--) {
            GS_CHECK(next < n);
            all[count++] = args[next++];
        }
    }
    GS_CHECK(next == n);
    return LLVMBuildCall2(b, type, f, all, count, "");
}

/* ---- from IR to object ---- */

static void mark_function(LLVMValueRef f)
{
    add_attribute(f, "nounwind", 0);
    /* Wider vectors lower the clock of some processors, and loops of scripts are short. */
    add_text_attribute(f, "prefer-vector-width", "256");
    add_text_attribute(f, "frame-pointer", S.gdb ? "all" : "none");
    if (S.gdb)
        add_attribute(f, "uwtable", 2); /* gdb walks the stack by tables */
}

static bool is_named(LLVMValueRef f, const char *const *names, unsigned n)
{
    const char *own = LLVMGetValueName2(f, &(size_t){0});
    for (unsigned i = 0; i < n; i++)
        if (strcmp(own, names[i]) == 0)
            return true;
    return false;
}

static bool prepare(LLVMModuleRef m, const char *const *names, unsigned n)
{
    for (LLVMValueRef f = LLVMGetFirstFunction(m); f != NULL; f = LLVMGetNextFunction(f)) {
        if (LLVMIsDeclaration(f))
            continue;
        mark_function(f);
        LLVMSetLinkage(f, is_named(f, names, n) ? LLVMExternalLinkage : LLVMInternalLinkage);
    }
    for (unsigned i = 0; i < n; i++) {
        LLVMValueRef f = LLVMGetNamedFunction(m, names[i]);
        if (f == NULL || LLVMIsDeclaration(f)) {
            note("a function that was asked for is not in the module");
            return false;
        }
    }
    return true;
}

static bool verified(LLVMModuleRef m)
{
    char *text = NULL;
    bool bad = LLVMVerifyModule(m, LLVMReturnStatusAction, &text) != 0;
    return !failed_with(bad, text);
}

static bool emit(LLVMModuleRef m, enum gs_level level, LLVMCodeGenFileType kind,
                 LLVMMemoryBufferRef *out)
{
    char *text = NULL;
    S.bad = false;
    bool bad = LLVMTargetMachineEmitToMemoryBuffer(S.machine[level], m, kind, &text, out) != 0;
    if (failed_with(bad, text))
        return false;
    if (S.bad) /* reported through the context only */
        LLVMDisposeMemoryBuffer(*out);
    return !S.bad;
}

static void drop_text(void)
{
    LLVMDisposeMessage(S.ir);
    LLVMDisposeMessage(S.assembly);
    S.ir = S.assembly = NULL;
}

/* Code generation changes the module, so the assembly is made of a copy. */
static void take_text(LLVMModuleRef m, enum gs_level level)
{
    S.ir = LLVMPrintModuleToString(m);
    LLVMModuleRef copy = LLVMCloneModule(m);
    LLVMMemoryBufferRef buffer;
    if (emit(copy, level, LLVMAssemblyFile, &buffer)) {
        S.assembly = LLVMCreateMessage(LLVMGetBufferStart(buffer));
        LLVMDisposeMemoryBuffer(buffer);
    }
    LLVMDisposeModule(copy);
}

/* The module is no longer needed after it; not freed. */
static bool make_object(LLVMModuleRef m, enum gs_level level, LLVMMemoryBufferRef *out,
                        const char **why)
{
    uint64_t t0 = now();
    bool good = verified(m);
    uint64_t t1 = now();
    S.cost.verify_ns += t1 - t0;
    *why = GS_DECLINE(VERIFY);
    if (!good)
        return false;
    *why = GS_DECLINE(PASSES);
    const char *passes = level == GS_LEVEL_FULL ? full_passes : quick_passes;
    if (failed(LLVMRunPasses(m, passes, S.machine[level], S.options)))
        return false;
    uint64_t t2 = now();
    S.cost.passes_ns += t2 - t1;
    if (S.keep_text)
        take_text(m, level);
    *why = GS_DECLINE(CODEGEN);
    t2 = now();
    good = emit(m, level, LLVMObjectFile, out);
    S.cost.codegen_ns += now() - t2;
    return good;
}

/* ---- symbols ---- */

/* The symbol of a function that gets an address; free() it. */
static char *symbol_name(const char *label, const char *name)
{
    char *s = NULL;
    int n = label != NULL ? asprintf(&s, "%s %s#%" PRIu64, label, name, ++S.names)
                          : asprintf(&s, "%s#%" PRIu64, name, ++S.names);
    if (n < 0)
        return NULL;
    for (char *c = s; *c != '\0'; c++)
        if ((unsigned char)*c < ' ') /* a line of the perf map is a symbol */
            *c = '?';
    return s;
}

static void drop_symbols(char **symbols, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(symbols[i]);
    free(symbols);
}

/* For tools that show them. */
static void label_inner(LLVMModuleRef m, const char *label)
{
    for (LLVMValueRef f = LLVMGetFirstFunction(m); f != NULL; f = LLVMGetNextFunction(f)) {
        if (LLVMIsDeclaration(f) || LLVMGetLinkage(f) != LLVMInternalLinkage)
            continue;
        char *symbol = symbol_name(label, LLVMGetValueName2(f, &(size_t){0}));
        if (symbol == NULL)
            return;
        LLVMSetValueName2(f, symbol, strlen(symbol));
        free(symbol);
    }
}

static char **rename_functions(LLVMModuleRef m, const char *const *names, unsigned n,
                               const char *label)
{
    char **symbols = calloc(n != 0 ? n : 1, sizeof *symbols);
    for (unsigned i = 0; symbols != NULL && i < n; i++) {
        symbols[i] = symbol_name(label, names[i]);
        if (symbols[i] == NULL) {
            drop_symbols(symbols, n);
            return NULL;
        }
        LLVMSetValueName2(LLVMGetNamedFunction(m, names[i]), symbols[i], strlen(symbols[i]));
    }
    if (S.perf_map != NULL || S.gdb)
        label_inner(m, label);
    return symbols;
}

static bool same_place(LLVMBinaryRef binary, LLVMSymbolIteratorRef a, LLVMSymbolIteratorRef b)
{
    LLVMSectionIteratorRef sa = LLVMObjectFileCopySectionIterator(binary);
    LLVMSectionIteratorRef sb = LLVMObjectFileCopySectionIterator(binary);
    LLVMMoveToContainingSection(sa, a);
    LLVMMoveToContainingSection(sb, b);
    bool same = strcmp(LLVMGetSectionName(sa), LLVMGetSectionName(sb)) == 0;
    LLVMDisposeSectionIterator(sa);
    LLVMDisposeSectionIterator(sb);
    return same;
}

/* The number at its end is for the linker. */
static int without_number(const char *symbol)
{
    const char *end = strrchr(symbol, '#');
    return (int)(end != NULL ? (size_t)(end - symbol) : strlen(symbol));
}

/* A line for each symbol in the section of the first one that was looked up; what is cold lies elsewhere. */
static void write_symbols(LLVMBinaryRef binary, const char *first, uintptr_t address)
{
    LLVMSymbolIteratorRef at = LLVMObjectFileCopySymbolIterator(binary);
    while (!LLVMObjectFileIsSymbolIteratorAtEnd(binary, at) &&
           strcmp(LLVMGetSymbolName(at), first) != 0)
        LLVMMoveToNextSymbol(at);
    LLVMSymbolIteratorRef it = LLVMObjectFileCopySymbolIterator(binary);
    for (; !LLVMObjectFileIsSymbolIteratorAtEnd(binary, it); LLVMMoveToNextSymbol(it))
        if (LLVMGetSymbolSize(it) != 0 && same_place(binary, it, at))
            (void)fprintf(S.perf_map, "%" PRIx64 " %" PRIx64 " %.*s\n",
                          address + LLVMGetSymbolAddress(it) - LLVMGetSymbolAddress(at),
                          LLVMGetSymbolSize(it), without_number(LLVMGetSymbolName(it)),
                          LLVMGetSymbolName(it));
    LLVMDisposeSymbolIterator(it);
    LLVMDisposeSymbolIterator(at);
    (void)fflush(S.perf_map);
}

static void write_perf_map(LLVMMemoryBufferRef object, const char *first, void *address)
{
    char *text = NULL;
    LLVMBinaryRef binary = LLVMCreateBinary(object, S.context, &text);
    if (failed_with(binary == NULL, text))
        return;
    write_symbols(binary, first, (uintptr_t)address);
    LLVMDisposeBinary(binary);
}

/* ---- from object to code ---- */

static bool look_up(char **symbols, void **addresses, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        LLVMOrcExecutorAddress a = 0;
        if (failed(LLVMOrcLLJITLookup(S.jit, &a, symbols[i])))
            return false;
        addresses[i] = (void *)(uintptr_t)a;
    }
    return true;
}

static void drop_code(void)
{
    if (S.code != NULL)
        LLVMOrcReleaseResourceTracker(S.code); /* what it tracked is the library's then */
    S.code = NULL;
    S.code_bytes = 0;
}

/* Takes the object. A tracker makes a failed link go away whole. */
static bool link_object(LLVMMemoryBufferRef object, char **symbols, void **addresses, unsigned n)
{
    drop_code();
    size_t size = LLVMGetBufferSize(object);
    LLVMOrcResourceTrackerRef tracker = LLVMOrcJITDylibCreateResourceTracker(S.lib);
    bool good = !failed(LLVMOrcLLJITAddObjectFileWithRT(S.jit, tracker, object)) &&
                look_up(symbols, addresses, n);
    if (good) {
        S.code = tracker;
        S.code_bytes = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
        return true;
    }
    LLVMConsumeError(LLVMOrcResourceTrackerRemove(tracker));
    LLVMOrcReleaseResourceTracker(tracker);
    return false;
}

void *gs_session_code(uint32_t *bytes)
{
    *bytes = S.code_bytes;
    if (S.gdb || S.perf_map != NULL)
        drop_code();
    void *code = S.code;
    S.code = NULL;
    return code;
}

void gs_session_free(void *code)
{
    if (code == NULL)
        return;
    (void)failed(LLVMOrcResourceTrackerRemove(code));
    LLVMOrcReleaseResourceTracker(code);
    if (++S.freed < DEAD_NAMES)
        return;
    S.freed = 0;
    LLVMOrcSymbolStringPoolClearDeadEntries(LLVMOrcExecutionSessionGetSymbolStringPool(LLVMOrcLLJITGetExecutionSession(S.jit)));
}

static bool finish(LLVMMemoryBufferRef object, char **symbols, void **addresses, unsigned n)
{
    LLVMMemoryBufferRef copy = NULL;
    size_t size = LLVMGetBufferSize(object);
    if (S.perf_map != NULL && n != 0)
        copy = LLVMCreateMemoryBufferWithMemoryRangeCopy(LLVMGetBufferStart(object), size, "");
    uint64_t t0 = now();
    bool good = link_object(object, symbols, addresses, n);
    S.cost.link_ns += now() - t0;
    S.cost.object_bytes += size;
    if (copy != NULL && good)
        write_perf_map(copy, symbols[0], addresses[0]);
    if (copy != NULL)
        LLVMDisposeMemoryBuffer(copy);
    return good;
}

static bool compile(LLVMModuleRef m, enum gs_level level, const char *const *names,
                    void **addresses, unsigned n, const char *label, const char **why)
{
    *why = GS_DECLINE(VERIFY);
    if (!prepare(m, names, n))
        return false;
    LLVMMemoryBufferRef object;
    char **symbols = rename_functions(m, names, n, label);
    *why = GS_DECLINE(NOMEM);
    if (symbols == NULL)
        return false;
    bool good = make_object(m, level, &object, why);
    if (good) {
        *why = GS_DECLINE(LINK);
        good = finish(object, symbols, addresses, n);
    }
    drop_symbols(symbols, n);
    return good;
}

bool gs_session_compile(LLVMModuleRef m, enum gs_level level, const char *const *names,
                        void **addresses, unsigned n, const char *label, const char **why)
{
    S.detail[0] = '\0';
    drop_text();
    const char *reason;
    bool good = compile(m, level, names, addresses, n, label, &reason);
    LLVMDisposeModule(m);
    S.cost.compiles++;
    S.cost.failed += !good;
    if (!good)
        *why = reason;
    return good;
}

const struct gs_session_cost *gs_session_cost(void)
{
    return &S.cost;
}

/* ---- texts ---- */

void gs_session_keep_text(bool on)
{
    S.keep_text = on;
}

bool gs_session_debug(void)
{
    return S.keep_text || S.gdb;
}

const char *gs_session_ir(void)
{
    return S.ir;
}

const char *gs_session_asm(void)
{
    return S.assembly;
}
