/* SPDX-License-Identifier: MIT
 * select.pml - selects that want each other: who decides, and that both sides agree.
 *
 * spin: -DSAFETY -DCOLLAPSE -O2 -m100000
 *
 * Two channels without buffer; two selects of two cases each, any two of send and receive on either channel, in either order; a plain receiver on one channel (a sender, or the
 * other channel, would be the same thing mirrored); and a stranger who may claim the wait of one of them, as timers and cancels do. Accesses to wait words are a step each, in
 * the order of runtime/select.c and gs_waitq_claim_first_locked; queues change only under their channel's lock. Who spins on HELD is one who waits for it to go. When nothing
 * moves any more there is a verdict: nobody holds a lock or itself, and no two wait that could meet; then those that wait are stopped. Checked besides: each is decided and
 * readied once, both sides of a meeting agree on who, where and which way, and the queues are empty at the end. That a select which is BUSY gets through is not checked: a loop
 * is no error here.
 *
 * Try it     A select that claims a partner without holding itself, or either of them by load and store; one that is HELD taken for decided, and popped, by selects or by others;
 *            holders that wait for each other whatever their order, or pass each other over; own waiters that are not passed over; a select that registers without a look, after
 *            the unlocking, or when it is BUSY, or keeps the lock then; one that leaves a waiter in a queue, or is WAITING too late or again; a stranger who does not care for
 *            HELD: each makes it fail.
 */
#define PLAIN 2 /* after the selects 0 and 1, whose addresses are in this order */
#define NOBODY 3
#define NONE 4  /* no case; 0 to 3 are: send on x, receive from x, send on y, receive from y */
#define ALONE 5 /* stopped */

mtype = { IDLE, WAITING, HELD, WOKEN, STOPPED };

mtype word[3] = IDLE;
byte wanted[3];    /* cases, a bit each */
byte at[12], n[4]; /* for each case the queue of those who wait for it */
bool locked[2];
byte with[3] = NOBODY, how[3] = NONE; /* the decision */
byte readies[3];
byte working = 3;

/* who leaves the queue of case c, if it is there. */
inline remove(c, who)
{
    d_step {
        for (j : 0 .. 2) {
            if
            :: j < n[c] && at[(c) * 3 + j] != who -> at[(c) * 3 + m] = at[(c) * 3 + j]; m++
            :: else
            fi
        }
        do
        :: n[c] > m -> n[c]--; at[(c) * 3 + n[c]] = 0
        :: else -> break
        od;
        j = 0;
        m = 0
    }
}

inline lock(c)
{
    atomic { !locked[c / 2] -> locked[c / 2] = true; p = NOBODY; busy = false; i = 0 }
}

inline enqueue(c)
{
    d_step { at[c * 3 + n[c]] = me; n[c]++ }
}

inline decide(p, who, c)
{
    assert(how[p] == NONE);
    with[p] = who;
    how[p] = c
}

inline ready(p)
{
    atomic { assert(readies[p] == 0 && (word[p] == WOKEN || word[p] == STOPPED)); readies[p]++ }
}

/* Case c of me, under the lock: p is the partner, claimed and popped, or NOBODY. */
inline claim_partner(c, held)
{
    do
    :: atomic {
            i < n[c ^ 1] && p == NOBODY && !busy ->
            w = at[(c ^ 1) * 3 + i];
            if
            :: w == me -> i++
            :: w != me && word[w] == WAITING -> /* [W1] */
                word[w] = WOKEN;
                decide(w, me, c ^ 1);
                decide(me, w, c);
                p = w;
                remove((c ^ 1), w)
            :: w != me && word[w] == HELD && held && me > w -> busy = true
            :: w != me && word[w] == HELD && !(held && me > w) -> word[w] != HELD
            :: else -> remove((c ^ 1), w)
            fi;
            w = 0
        }
    :: else -> i = 0; break
    od
}

inline poll(c)
{
    lock(c);
    claim_partner(c, false);
    locked[c / 2] = false;
    if
    :: p != NOBODY -> ready(p); goto over
    :: else
    fi
}

inline enlist(c)
{
    do
    :: lock(c);
        if
        :: n[c ^ 1] > 0 -> /* maybe ready */
            atomic { /* [W3] */
                if
                :: word[me] == WAITING -> word[me] = HELD
                :: else -> locked[c / 2] = false; goto park
                fi
            };
            claim_partner(c, true);
            word[me] = (p != NOBODY -> WOKEN : WAITING) /* [W3] */
        :: else
        fi;
        atomic {
            locked[c / 2] = false;
            if
            :: p != NOBODY -> skip
            :: p == NOBODY && busy -> skip
            :: p == NOBODY && !busy -> enqueue(c); break
            fi
        };
        if
        :: p != NOBODY -> ready(p); goto end_wait
        :: else
        fi
    od
}

proctype selector(byte me, first, second)
{
    byte i, j, m, p, w;
    bool busy;
    poll(first);
    poll(second);
    word[me] = WAITING;
    enlist(first);
    enlist(second);
park:
    readies[me] == 1;
end_wait:
    atomic { !locked[first / 2] -> remove(first, me) };
    atomic { !locked[second / 2] -> remove(second, me) };
    atomic { assert(how[me] != NONE && (word[me] == WOKEN || word[me] == STOPPED)); word[me] = IDLE };
over:
    working--
}

proctype receiver(byte me, c)
{
    byte i, j, m, p, w;
    bool busy;
    lock(c);
    claim_partner(c, false);
    if
    :: p != NOBODY -> locked[c / 2] = false; ready(p)
    :: else ->
        word[me] = WAITING;
        atomic { enqueue(c); locked[c / 2] = false };
        readies[me] == 1;
        atomic { !locked[c / 2] -> remove(c, me) };
        word[me] = IDLE
    fi;
    working--
}

inline stop(p)
{
    atomic { word[p] == WAITING -> word[p] = STOPPED; decide(p, NOBODY, ALONE) };
    ready(p)
}

proctype stranger(byte p)
{
    if
    :: stop(p)
    :: how[p] != NONE
    fi
}

#define COULD_MEET(p, q) (p != q && word[p] == WAITING && word[q] == WAITING && \
                          ((wanted[p] & 5) << 1 & wanted[q] | (wanted[p] & 10) >> 1 & wanted[q]))

init
{
    byte a, b, c, d, p;
    atomic {
        select (a : 0 .. 3);
        select (b : 1 .. 3);
        select (c : 0 .. 3);
        select (d : 1 .. 3);
        select (p : 0 .. 3);
        b = (a + b) % 4;
        d = (c + d) % 4;
        wanted[0] = 1 << a | 1 << b;
        wanted[1] = 1 << c | 1 << d;
        wanted[PLAIN] = 2;
        run selector(0, a, b);
        run selector(1, c, d);
        run receiver(PLAIN, 1);
        if
        :: p != NOBODY -> run stranger(p)
        :: else
        fi;
        a = 0; b = 0; c = 0; d = 0; p = 0
    };
    timeout;
    d_step {
        assert(!locked[0] && !locked[1]);
        for (p : 0 .. 8) {
            assert(word[p / 3] != HELD && !COULD_MEET(p / 3, p % 3))
        }
    }
    for (p : 0 .. 2) {
        if
        :: word[p] == WAITING -> stop(p)
        :: else
        fi
    }
    working == 0;
    d_step {
        assert(n[0] + n[1] + n[2] + n[3] == 0);
        for (p : 0 .. 2) {
            assert(how[p] == ALONE || (with[p] != p && with[with[p]] == p && how[with[p]] == (how[p] ^ 1)))
        }
    }
}
