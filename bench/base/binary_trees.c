/* SPDX-License-Identifier: MIT
 * binary_trees.c - many short-lived trees of small structs: malloc and free.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
    struct node *left, *right;
};

static struct node *tree(int depth)
{
    struct node *n = malloc(sizeof *n);
    if (!n)
        exit(1);
    n->left = depth ? tree(depth - 1) : NULL;
    n->right = depth ? tree(depth - 1) : NULL;
    return n;
}

static int64_t count(const struct node *n)
{
    return n->left ? 1 + count(n->left) + count(n->right) : 1;
}

static void drop(struct node *n)
{
    if (n->left) {
        drop(n->left);
        drop(n->right);
    }
    free(n);
}

static int64_t count_new(int depth)
{
    struct node *n = tree(depth);
    int64_t c = count(n);
    drop(n);
    return c;
}

int main(int argc, char **argv)
{
    const int max_depth = argc > 1 ? atoi(argv[1]) : 16;
    printf("stretch tree of depth %d has %" PRId64 " nodes\n", max_depth + 1,
           count_new(max_depth + 1));
    struct node *kept = tree(max_depth);
    for (int depth = 4; depth <= max_depth; depth += 4) {
        int64_t rounds = (int64_t)1 << (max_depth - depth + 4), total = 0;
        for (int64_t i = 0; i < rounds; i++)
            total += count_new(depth);
        printf("%" PRId64 " trees of depth %d have %" PRId64 " nodes\n", rounds, depth, total);
    }
    printf("kept tree of depth %d has %" PRId64 " nodes\n", max_depth, count(kept));
    drop(kept);
    return 0;
}
