/* SPDX-License-Identifier: MIT
 * waitq.pml - the abortable wait queue: one task that waits again and again with the same waiter, and who wakes it.
 *
 * spin: -DSAFETY -DCOLLAPSE -O2 -m100000
 *
 * Two wakers with a token each, a canceller and a timer. Every access of runtime/waitq.c, of the cancelling in runtime/taskobj.c and of gs_task_ready_mt and after_park in sched/
 * that somebody else may look at meanwhile is a step of its own, in its order. The one load that may overtake a store before it, because only a light fence is between them,
 * is that of cancel [C1]; the heavy fence waits until the store has followed.
 * Each token and the cancel end one wait, and there are as many waits, so a wake-up or a cancel that is lost is a deadlock, an invalid end state. Checked: for each park one
 * party readies the task, and only while it is about to park or parked; the waiter is in no queue when the wait is over; nobody touches it, or the word for its sake, once its VM
 * has gone on; a cancel throws once, in this wait or the next.
 *
 * Try it     A task that does not look at cancel after WAITING, or a canceller that looks at the word before it stores cancel, or once only, or without a fence in between; a waker that pops before it claims, or takes q
 *            away before it has unlinked; a claim by load and store, a worker that stores PARKED without CAS; a wake before the outcome; a wait that ends without stopping the
 *            timer (or not waiting for one that fires), without unlinking, without looking again under the lock, or without taking the cancel back: each makes it fail.
 */
#define TOKENS 2
#define WAITS (TOKENS + 1)

mtype = { IDLE, WAITING, WOKEN, TIMEOUT, CANCELLED };
mtype = { RUNNING, PARKED, READY };

mtype word = IDLE;     /* vm->park.word */
mtype state = RUNNING; /* vm->task.state */
bool runnable;         /* the scheduler has it */
byte readies;          /* of this park */
byte wait;             /* which it is; goes up when the VM goes on */
bool linked;           /* the queue, of this one waiter */
bool q;                /* w->q is not NULL */
bool ok;               /* the outcome */
bool alive = true;     /* o->vm is not NULL */
bool cancel;           /* o->cancel */
bool early;            /* cancel has been loaded, WAITING not yet been stored */
bool asked;
byte thrown;
bool timer, firing;    /* set; in fire */
byte tokens, got;      /* given while nobody waited; received */
bool qlock, olock;     /* of the queue's object, of the task's */

inline lock(l)
{
    atomic { !l -> l = true }
}

/* For the wait number at. */
inline claim(at, reason, mine)
{
    atomic { /* [W1] */
        assert(alive && wait == at);
        mine = (word == WAITING);
        word = (mine -> reason : word)
    }
}

/* gs_task_ready_mt, for whom has won the claim. */
inline ready(mine)
{
    if
    :: mine ->
        atomic { /* [T1] */
            assert(alive && readies == 0 && state != READY && word != IDLE && word != WAITING);
            readies++;
            mine = (state == PARKED)
        }
        if
        :: mine -> atomic { state = READY; runnable = true }
        :: else -> atomic { runnable = (state == PARKED); state = READY } /* an exchange */
        fi
    :: else
    fi
}

inline take_cancel(was)
{
    was = false;
    if
    :: cancel -> atomic { !olock -> was = cancel; cancel = false; thrown = thrown + was }
    :: else
    fi
}

inline park()
{
    if
    :: was_early
    :: else -> seen = cancel
    fi;
    if /* cancel_parking [C1] */
    :: seen ->
        lock(olock);
        mine = false;
        if
        :: cancel -> claim(wait, CANCELLED, mine)
        :: else
        fi;
        olock = false;
        ready(mine)
    :: else
    fi;
    atomic { runnable = (state == READY); state = (state == RUNNING -> PARKED : state) }; /* after_park [T1] */
    atomic { runnable -> runnable = false; state = RUNNING; assert(readies == 1); readies = 0 }
}

inline wait_end()
{
    atomic { !firing -> timer = false };
    if
    :: q -> /* [W2] */
        lock(qlock);
        if
        :: q -> assert(linked); linked = false; q = false
        :: else
        fi;
        qlock = false
    :: else
    fi;
    assert(!linked && !q && !timer);
    why = word;
    atomic { assert(why != IDLE && why != WAITING && why == word); word = IDLE; wait++ }
}

proctype task()
{
    byte n;
    bool mine, seen, was_early;
    mtype why;
    do
    :: n < WAITS ->
        n++;
        take_cancel(mine);
        if
        :: mine -> skip
        :: else ->
            lock(qlock);
            if
            :: tokens > 0 -> tokens--; got++; qlock = false
            :: else ->
                ok = false;
                if
                :: atomic { seen = cancel; early = true; was_early = true }
                :: was_early = false
                fi;
                atomic { word = WAITING; early = false }; /* [C1] */
                linked = true;
                q = true;
                qlock = false;
                if
                :: timer = true
                :: true
                fi;
                park();
                wait_end();
                if
                :: why == WOKEN -> assert(ok); got++
                :: why == CANCELLED -> take_cancel(mine)
                :: else
                fi
            fi
        fi
    :: else -> break
    od;
    atomic { !olock -> alive = false } /* publish */
}

proctype waker()
{
    bool mine;
    byte at;
    lock(qlock);
    if
    :: linked ->
        at = wait;
        claim(at, WOKEN, mine);
        atomic { assert(wait == at && linked); linked = false };
        atomic { assert(wait == at); q = false } /* [W2] */
    :: else
    fi;
    if
    :: mine -> atomic { assert(wait == at); ok = true }
    :: else -> tokens++
    fi;
    qlock = false;
    ready(mine)
}

proctype canceller()
{
    bool mine;
    lock(olock);
    if
    :: alive -> asked = true; cancel = true /* [C1] */; claim(wait, CANCELLED, mine)
    :: else -> goto over
    fi;
    if
    :: !mine ->
        olock = false;
        atomic { !early }; /* the heavy fence */
        lock(olock);
        if
        :: cancel && alive -> claim(wait, CANCELLED, mine)
        :: else
        fi
    :: else
    fi;
over:
    olock = false;
    ready(mine)
}

proctype clock()
{
    bool mine;
    byte at;
    do
    :: atomic { timer -> timer = false; firing = true; at = wait };
        claim(at, TIMEOUT, mine);
        ready(mine);
        firing = false
    :: atomic { !alive && !timer -> break }
    od
}

init
{
    atomic {
        run task();
        run waker();
        run waker();
        run canceller();
        run clock()
    };
    _nr_pr == 1;
    assert(!linked && word == IDLE && !qlock && !olock);
    assert(got + tokens == TOKENS && thrown + cancel == asked)
}
