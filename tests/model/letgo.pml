/* SPDX-License-Identifier: MIT
 * letgo.pml - a worker that lets go of its tasks, and two who poke whatever it is running.
 *
 * spin: -DSAFETY -DCOLLAPSE -O2 -m100000
 *
 * Every access of run, gs_worker_detach_owner, take_slot, gs_worker_hold_mt, gs_worker_poke_held and gs_worker_empty_slot_held in sched/worker.c, and of put_in_slot in sched/sched.c,
 * that the other side may look at is a step of its own. The loads that may overtake the store before them, because only a light fence is between them, are those of poking and
 * then of the slot; the heavy fence waits until the store has followed. Checked: a task is poked only while it is
 * there; who was asked to poke in one run does so in that run; each task that was put into the slot is taken once, by the owner or by a poker.
 *
 * Try it     A poker without the heavy fence, or one that loads current before it takes poking; an owner that does not look at poking; a poker that takes the slot after it has
 *            let go of poking, or by load and store; an owner that puts into a full slot by load and store: each makes it fail.
 */
#define RUNS 3
#define TASKS 4 /* made ready */

bool current;       /* is not NULL */
byte run_seq;
bool poking;
bool alive;         /* the memory of the running task */
bool early;         /* poking has been loaded, current = NULL not yet been stored */
byte slot;          /* number of a task, 0: empty */
byte taken[TASKS + 1];
byte put;

inline take(t)
{
    assert(taken[t] == 0);
    taken[t]++
}

inline put_in_slot()
{
    if
    :: put < TASKS ->
        put++;
        old = slot;
        if
        :: old == 0 -> slot = put /* [S1] */
        :: else ->
            atomic { /* [S1] */
                old = slot;
                slot = put
            };
            if
            :: old != 0 -> take(old) /* to the deque */
            :: else
            fi
        fi
    :: else
    fi
}

proctype owner()
{
    byte n, old;
    bool seen, slot_read;
    do
    :: n < RUNS ->
        n++;
        alive = true;
        run_seq++;
        current = true; /* [C1] */
        if
        :: put_in_slot()
        :: skip
        fi;
        if
        :: put_in_slot()
        :: skip
        fi;
        if /* gs_worker_detach_owner */
        :: atomic { seen = poking; early = true };
            old = slot; /* for take_slot */
            slot_read = !seen;
            atomic { current = false; early = false }
        :: current = false; seen = poking; slot_read = false
        fi;
        if
        :: seen -> !poking /* wait_for_poker */
        :: else
        fi;
        alive = false;
        run_seq++;
        if
        :: slot_read
        :: else -> old = slot
        fi;
        if /* take_slot [S1] */
        :: old != 0 ->
            slot = 0;
            take(old)
        :: else
        fi
    :: else -> break
    od
}

proctype poker()
{
    byte n, seq, t;
    bool mine;
    do
    :: n < 2 ->
        n++;
        if
        :: seq = run_seq
        :: seq = 0 /* whatever it runs */
        fi;
        atomic { mine = !poking; poking = true }; /* [C1] */
        if
        :: mine ->
            atomic { !early }; /* the heavy fence */
            if
            :: current -> /* [C1] */
                assert(alive);
                if
                :: seq == 0 || seq == run_seq ->
                    assert(run_seq % 2 == 1);
                    seq = run_seq;
                    atomic { t = slot; slot = 0 }; /* [S1] */
                    if
                    :: t != 0 -> take(t) /* to the inbox */
                    :: else
                    fi;
                    assert(alive && seq == run_seq)
                :: else
                fi
            :: else
            fi;
            poking = false /* [C1] */
        :: else
        fi
    :: else -> break
    od
}

init
{
    byte i;
    atomic {
        run owner();
        run poker();
        run poker()
    };
    _nr_pr == 1;
    assert(!poking && !current && slot == 0);
    for (i : 1 .. put) {
        assert(taken[i] == 1)
    }
}
