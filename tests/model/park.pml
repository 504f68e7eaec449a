/* SPDX-License-Identifier: MIT
 * park.pml - sleeping and waking without a lost task, and the verdict that nothing can run.
 *
 * spin: -DSAFETY -O2 -m200000
 *
 * Two workers, one thread from outside inside its bracket, one timer, and tasks that push one more task. What sched/park.c does
 * under its lock is one atomic step here; idle, the queue and wake are read without it, a step each, in the order of the code.
 * Checked: the verdict comes only when nothing is queued, running, set or out; it comes exactly once; and nobody sleeps for
 * ever beside a queued task (that would be a deadlock before the verdict, an invalid end state).
 *
 * Try it     A sleeper that does not look again, a push that does not notify, a verdict without the timers or the outside bracket:
 *            each makes it fail.
 */
#define WORKERS 2
#define FED 2 /* tasks from outside */

byte queued;    /* tasks where thieves find them; more may push than spawns below */
byte spawns;    /* tasks that a running task may still push */
byte running;   /* tasks in the hands of a worker */
bool timer;     /* set; it belongs to worker 0 */
byte searching; /* idle, high half */
byte sleeping;  /* idle, low half */
byte awake = WORKERS;
byte outside = 1;
bool asleep[WORKERS]; /* the set */
bool wake[WORKERS];
bool stop;
byte verdicts;

/* Under the lock. */
inline rouse(i)
{
    asleep[i] = false;
    awake++;
    sleeping--;
    searching++
}

inline claim(i)
{
    rouse(i);
    wake[i] = true
}

/* After a push [P1]: the load of idle is a step of its own. */
inline notify()
{
    if
    :: searching == 0 && sleeping > 0 ->
        atomic { /* the lock */
            if
            :: searching == 0 && asleep[0] -> claim(0)
            :: searching == 0 && asleep[1] -> claim(1)
            :: else
            fi
        }
    :: else
    fi
}

inline push()
{
    atomic { assert(verdicts == 0); queued++ };
    notify()
}

inline run_task()
{
    if
    :: atomic { spawns > 0 -> spawns-- }; push()
    :: true
    fi;
    running--
}

/* Takes a task, or fires the timer, which pushes one. */
inline look(me, got)
{
    got = false;
    if
    :: atomic { me == 0 && timer -> timer = false }; queued++ /* the inbox of the one who fires */
    :: true /* or it is not due yet */
    fi;
    atomic {
        if
        :: queued > 0 -> queued--; running++; got = true
        :: else
        fi
    }
}

inline search_end()
{
    atomic { last = (searching == 1); searching-- }; /* [P1] */
    if
    :: last && queued > 0 -> notify()
    :: else
    fi
}

inline withdraw(me)
{
    atomic {
        if
        :: asleep[me] -> rouse(me)
        :: else
        fi
    }
}

inline verdict(me)
{
    atomic { /* the lock; the hook */
        if
        :: asleep[me] && awake == 0 && outside == 0 && !timer && queued == 0 && !stop ->
            rouse(me);
            verdicts++;
            assert(running == 0);
            stop = true; /* and everybody is woken */
            if
            :: asleep[1 - me] -> claim(1 - me)
            :: else
            fi
        :: else
        fi
    }
}

inline sleep(me)
{
    atomic { /* the lock [P2] */
        asleep[me] = true;
        wake[me] = false;
        awake--;
        last = (awake == 0 && outside == 0);
        searching--; /* [P1] */
        sleeping++
    };
    if
    :: stop || queued > 0 -> withdraw(me) /* [P1] */
    :: else ->
        if
        :: last -> verdict(me)
        :: else
        fi;
        if
        :: !stop || asleep[me] ->
            if
            :: wake[me] -> skip
            :: me == 0 && timer -> withdraw(me) /* its time has come */
            fi
        :: else
        fi
    fi
}

proctype worker(byte me)
{
    bool got, last;
    do
    :: stop -> break
    :: else ->
        /* The queue first, as a worker that runs does; then as a searcher. */
        look(me, got);
        if
        :: got -> run_task()
        :: else ->
            searching++; /* [P1] */
            do
            :: stop -> break
            :: else ->
                look(me, got);
                if
                :: got -> break
                :: else -> sleep(me)
                fi
            od;
            search_end();
            if
            :: got -> run_task()
            :: else
            fi
        fi
    od
}

proctype feeder()
{
    byte n;
    do
    :: n < FED -> n++; push()
    :: else -> break
    od;
    queued == 0; /* waits for what it asked for: a lost wake-up is a deadlock here */
    atomic { /* outside_end: the last actor wakes somebody to look */
        outside--;
        if
        :: outside == 0 && awake == 0 ->
            if
            :: asleep[0] -> claim(0)
            :: else -> claim(1)
            fi
        :: else
        fi
    }
}

init
{
    atomic {
        timer = true;
        spawns = 1;
        run worker(0);
        run worker(1);
        run feeder()
    };
    _nr_pr == 1;
    assert(verdicts == 1);
    assert(queued == 0 && running == 0 && !timer && outside == 0)
}
