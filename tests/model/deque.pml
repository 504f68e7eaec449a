/* SPDX-License-Identifier: MIT
 * deque.pml - the work-stealing deque: one owner, two thieves, a ring that wraps and grows.
 *
 * spin: -DSAFETY -DCOLLAPSE -O2 -m100000
 *
 * Every atomic access of sched/deque.c is a step of its own, in its order. All accesses to top and bottom that the argument rests on
 * are sequentially consistent there, which is how spin executes everything. Checked: each task is taken exactly once,
 * nothing else is ever taken, and nothing is left over.
 *
 * Try it     Reading bottom before top in the thief, or top before storing bottom in the owner, makes it fail.
 */
#define TASKS 3
#define POPS 1  /* that the owner does between its pushes */
#define TRIES 2 /* of each thief */

byte slot_a[2]; /* the first ring, of 2 */
byte slot_b[4]; /* the ring after growing, of 4 */
bool grown;     /* which one the deque points to */
short top = 1;
short bottom = 1;
byte taken[TASKS + 1];
byte working = 3;

inline read_slot(ring_b, i, x)
{
    x = (ring_b -> slot_b[(i) % 4] : slot_a[(i) % 2])
}

inline write_slot(ring_b, i, x)
{
    atomic {
        if
        :: ring_b -> slot_b[(i) % 4] = x
        :: else -> slot_a[(i) % 2] = x
        fi
    }
}

inline take(x)
{
    atomic {
        assert(x >= 1 && x <= TASKS);
        taken[x]++;
        assert(taken[x] == 1)
    }
}

inline push(x)
{
    b = bottom;
    t = top; /* [D4] */
    if
    :: b - t > 1 && !grown ->
        i = t;
        do
        :: i < b -> read_slot(false, i, y); write_slot(true, i, y); i++
        :: else -> break
        od;
        grown = true /* [D1] */
    :: else
    fi;
    write_slot(grown, b, x);
    bottom = b + 1 /* [D1] */
}

inline pop()
{
    b = bottom - 1;
    t = top;
    if
    :: t > b -> skip /* empty */
    :: else ->
        bottom = b; /* [D2] */
        t = top;    /* [D2] */
        if
        :: t < b -> read_slot(grown, b, y); take(y)
        :: t == b ->
            read_slot(grown, b, y);
            atomic { /* [D3] */
                if
                :: top == t -> top = t + 1; won = true
                :: else -> won = false
                fi
            };
            if
            :: won -> take(y)
            :: else
            fi;
            bottom = b + 1
        :: else -> bottom = b + 1
        fi
    fi
}

proctype owner()
{
    short b, t, i;
    byte y, n, pops;
    bool won;
    n = 1;
    do
    :: n <= TASKS -> push(n); n++
    :: n > 1 && pops < POPS -> pops++; pop()
    :: n > TASKS -> break
    od;
    /* Empties it at the end. */
    do
    :: bottom - top > 0 -> pop()
    :: else -> break
    od;
    working--
}

proctype thief()
{
    short b, t;
    byte y, tries;
    bool ring_b, won;
    do
    :: tries < TRIES ->
        tries++;
        t = top;    /* [D2] */
        b = bottom; /* [D2] [D1] */
        if
        :: b - t <= 0 -> skip
        :: else ->
            ring_b = grown; /* [D1] */
            read_slot(ring_b, t, y);
            atomic { /* [D3] */
                if
                :: top == t -> top = t + 1; won = true
                :: else -> won = false
                fi
            };
            if
            :: won -> take(y)
            :: else
            fi
        fi
    :: else -> break
    od;
    working--
}

init
{
    byte k;
    atomic {
        run owner();
        run thief();
        run thief()
    };
    working == 0;
    k = 1;
    do
    :: k <= TASKS -> assert(taken[k] == 1); k++
    :: else -> break
    od
}
