/* SPDX-License-Identifier: MIT
 * closures.c - closures by hand: a function pointer beside its variables, short-lived ones from
 * malloc.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct counter {
    int64_t (*call)(struct counter *self);
    int64_t n, step;
};

static int64_t counter_call(struct counter *self)
{
    self->n += self->step;
    return self->n;
}

static struct counter *counter(int64_t step)
{
    struct counter *c = malloc(sizeof *c);
    if (!c)
        exit(1);
    *c = (struct counter){counter_call, 0, step};
    return c;
}

struct fn {
    int64_t (*call)(struct fn *self, int64_t x);
    struct fn *f, *g;
    int64_t k;
};

static struct fn *fn_new(int64_t (*call)(struct fn *, int64_t), struct fn *f, struct fn *g,
                         int64_t k)
{
    struct fn *c = malloc(sizeof *c);
    if (!c)
        exit(1);
    *c = (struct fn){call, f, g, k};
    return c;
}

static int64_t composed_call(struct fn *self, int64_t x)
{
    return self->f->call(self->f, self->g->call(self->g, x));
}

static int64_t reduce_call(struct fn *self, int64_t x)
{
    (void)self;
    return x % 1000003;
}

static int64_t stretch_call(struct fn *self, int64_t x)
{
    (void)self;
    return x * 7 + 1;
}

static int64_t adder_call(struct fn *self, int64_t x)
{
    return x + self->k;
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 8000000;
    struct counter *a = counter(1), *b = counter(3);
    int64_t s = 0;
    for (int64_t i = 0; i < n; i++)
        s += a->call(a) + b->call(b);
    printf("%" PRId64 "\n", s);
    free(a);
    free(b);

    struct fn *f = fn_new(reduce_call, NULL, NULL, 0), *g = fn_new(stretch_call, NULL, NULL, 0);
    struct fn *h = fn_new(composed_call, f, g, 0);
    int64_t x = 1;
    for (int64_t i = 0; i < n; i++)
        x = h->call(h, x);
    printf("%" PRId64 "\n", x);
    free(f);
    free(g);
    free(h);

    int64_t t = 0;
    for (int64_t i = 0; i < n; i++) {
        struct fn *add = fn_new(adder_call, NULL, NULL, i);
        t += add->call(add, 1);
        free(add);
    }
    printf("%" PRId64 "\n", t);
    return 0;
}
