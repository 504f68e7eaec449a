/* SPDX-License-Identifier: MIT
 * rwlock.pml - readers that come and go by counts, and the writer who must not be overlooked by the last of them (runtime/rwlock.c).
 *
 * spin: -DSAFETY -O2 -m100000
 *
 * Two readers, each twice and each time on any of two workers, to come in and to leave; a writer, twice, who closes the lock, takes it or waits. What is done under the spin lock is one
 * atomic step; counts and `open` are read and written without it, a step each, in the order of the code. The lock opens again at any reader under the lock, not after 32.
 * Checked: nobody reads while somebody writes; all come through (a waiter whom nobody lets in is an invalid end state); whoever reads finds a count to take back; at the end nothing
 * is counted any more.
 *
 * Try it     Looking at open before counting; leaving without looking at open; a reader on its way back that does not admit, or does not take from `slow` what it owes;
 *            a leaver that looks along the counts once only: each makes it fail.
 */
#define READERS 2
#define ROUNDS 2

byte n[2];        /* the counts of two workers */
byte slow;        /* readers that came in under the lock */
bool open = true;
bool writing;
bool reading[READERS];
bool wwaits, wgranted;       /* the writer in the queue, and let in */
bool rwaits[READERS], rgranted[READERS]; /* readers behind it */
byte done;

/* Under the lock. The writer is the head of the queue whenever it waits: readers queue up only behind it. */
inline admit()
{
    if
    :: wwaits && !writing && n[0] + n[1] + slow == 0 -> wwaits = false; writing = true; wgranted = true
    :: else
    fi;
    if
    :: !writing && !wwaits ->
        if
        :: rwaits[0] -> rwaits[0] = false; slow++; rgranted[0] = true
        :: else
        fi;
        if
        :: rwaits[1] -> rwaits[1] = false; slow++; rgranted[1] = true
        :: else
        fi
    :: else
    fi
}

/* CAS on one count, then on the other. */
inline leave(own, took)
{
    took = false;
    atomic {
        if
        :: n[own] > 0 -> n[own]--; took = true
        :: else
        fi
    };
    if
    :: !took ->
        atomic {
            if
            :: n[1 - own] > 0 -> n[1 - own]--; took = true
            :: else
            fi
        }
    :: else
    fi
}

/* Within the lock: the steps of leave are others' business, too, so it is no atomic step as a whole. */
bool lock;
inline acquire() { atomic { !lock -> lock = true } }
inline release() { lock = false }

inline leave_locked(own, took)
{
    if
    :: slow > 0 -> slow--; took = true
    :: else -> open = false; leave(own, took)
    fi
}

proctype reader(byte me)
{
    byte round = 0, own;
    bool took, in, owes;
    do
    :: round == ROUNDS -> break
    :: else ->
        round++;
        select(own : 0 .. 1);
        in = false;
        owes = false;
        if
        :: open ->
            n[own]++;
            if
            :: open -> in = true
            :: else -> leave(own, took); owes = !took
            fi
        :: else
        fi;
        if
        :: !in ->
            acquire();
            if
            :: owes -> leave_locked(own, took)
            :: else
            fi;
            atomic { admit() };
            if
            :: !writing && !wwaits ->
                slow++;
                in = true;
                if
                :: open = true
                :: skip
                fi
            :: else -> rwaits[me] = true
            fi;
            release();
            if
            :: !in -> rgranted[me]; rgranted[me] = false
            :: else
            fi
        :: else
        fi;
        reading[me] = true;
        assert(!writing);
        reading[me] = false;
        select(own : 0 .. 1);
        leave(own, took);
        if
        :: took ->
            if
            :: !open -> acquire(); atomic { admit() }; release()
            :: else
            fi
        :: else ->
            acquire();
            leave_locked(own, took);
            assert(took);
            atomic { admit() };
            release()
        fi
    od;
    done++
}

proctype writer()
{
    byte round = 0;
    bool in;
    do
    :: round == ROUNDS -> break
    :: else ->
        round++;
        acquire();
        open = false;
        atomic { admit() };
        /* The counts are read one after the other. */
        in = !writing && n[0] == 0;
        in = in && n[1] == 0;
        if
        :: in && slow == 0 -> writing = true
        :: else -> in = false; wwaits = true
        fi;
        release();
        if
        :: !in -> wgranted; wgranted = false
        :: else
        fi;
        assert(writing && !reading[0] && !reading[1]);
        acquire();
        writing = false;
        atomic { admit() };
        release()
    od;
    done++
}

active proctype end()
{
    run reader(0);
    run reader(1);
    run writer();
    done == READERS + 1;
    assert(n[0] + n[1] + slow == 0 && !wwaits)
}
