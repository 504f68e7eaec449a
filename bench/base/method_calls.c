/* SPDX-License-Identifier: MIT
 * method_calls.c - methods through tables of function pointers: one hot class that writes its
 * fields, and a site that sees three classes in turn.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct counter {
    const struct counter_class *class;
    int64_t n, calls;
};

struct counter_class {
    int64_t (*add)(struct counter *self, int64_t d);
};

static int64_t counter_add(struct counter *self, int64_t d)
{
    self->n = (self->n + d) % 1000003;
    self->calls++;
    return self->n;
}

struct shape {
    const struct shape_class *class;
    int64_t w, h; /* a square has its side in w */
};

struct shape_class {
    int64_t (*area)(struct shape *self);
    int64_t (*weight)(struct shape *self, int64_t k);
};

static int64_t shape_weight(struct shape *self, int64_t k)
{
    return self->class->area(self) * k;
}

static int64_t square_area(struct shape *self)
{
    return self->w * self->w;
}

static int64_t box_area(struct shape *self)
{
    return self->w * self->h;
}

static int64_t strip_area(struct shape *self)
{
    return box_area(self) + 1;
}

/* Not const, so that the calls stay calls through the table. */
struct counter_class counter_class = {counter_add};
struct shape_class square_class = {square_area, shape_weight};
struct shape_class box_class = {box_area, shape_weight};
struct shape_class strip_class = {strip_area, shape_weight};

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 10000000;
    struct counter c = {&counter_class, 1, 0};
    for (int64_t i = 0; i < n; i++)
        c.class->add(&c, i);
    printf("%" PRId64 "\n%" PRId64 "\n", c.n, c.calls);

    struct shape shapes[] = {
        {&square_class, 3, 0}, {&box_class, 2, 5}, {&strip_class, 7, 1}, {&box_class, 1, 1}};
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) {
        struct shape *s = &shapes[i % 4];
        total += s->class->weight(s, i % 3);
    }
    printf("%" PRId64 "\n", total);
    return 0;
}
