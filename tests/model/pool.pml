/* SPDX-License-Identifier: MIT
 * pool.pml - the runners of a pool: ranges of jobs that are taken without the lock and stolen under it, and the waking of who waits for all jobs.
 *
 * spin: -DSAFETY -DCOLLAPSE -O2 -m100000
 *
 * A pool of two runners; somebody who submits five jobs, in chunks of three and two, starts runners while there are fewer than two, and waits. A batch is of one job or of three,
 * as the clock likes. What runtime/pool_run.c does under the pool's lock is one step, but for the accesses to ranges that their owners change without it. Some jobs end as those
 * do that have an outcome of their own: refill first, account later. That runners that are out do not count as tasks is left out. Checked: each job is begun once, by a runner
 * that knows its chunk; while two jobs have not ended there are two runners, and nobody leaves while there is one to be begun; pending is right; the list's count comes to the
 * number of its jobs when all of them have ended, and its share of itself goes once each time; who waits is woken then, and only then, and no runner is left then but such as
 * have never got a job (those are out); and all runners go (else it is an invalid end state).
 *
 * Try it     An owner that takes a job, or a thief that takes some, without CAS; a CAS that compares one half; stealing, or filling a range from the queue, without the lock; a
 *            thief that does not take the chunk over, or nobody who steals; a runner that decides to leave under the lock and does so after it; a submitter that counts the
 *            runners before it has the lock, or starts one only where there is none; over that is not settled by who leaves, or goes up when a job begins; an outcome after its accounting;
 *            waiting without a look under the lock; a refill that gives a range and no job: each makes it fail.
 */
#define JOBS 5
#define CHUNK 3

bool lock;
byte n[2], taken[2];    /* of each chunk; it is queued while they differ */
byte list_n, list_over; /* jobs; how many have ended */
bool share;             /* that the list has of itself */
bool waiting, woken;
byte unfinished;
bool linked[2], counts[2];            /* runners; those that have once got a job */
byte chunk[2], lo[2], hi[2], over[2]; /* over: jobs that have ended and are not accounted for [P2] */
byte begun[JOBS], ended, gone;        /* gone: or about to end, which pending does not tell apart */

/* Of runner v, who may be changing it. */
inline load_range(v)
{
    atomic { l = lo[v]; h = hi[v] }
}

inline cas_range(v, a, b)
{
    atomic { /* [P1] */
        won = (lo[v] == l && hi[v] == h);
        if
        :: won -> lo[v] = a; hi[v] = b
        :: else -> load_range(v)
        fi
    }
}

inline pop()
{
    load_range(me);
    won = false;
    do
    :: !won && l < h -> cas_range(me, l + 1, h)
    :: else -> break
    od
}

/* The lock is held. */
inline account(k)
{
    list_over = list_over + k;
    assert(list_over <= list_n);
    if
    :: k > 0 && list_over == list_n ->
        assert(ended == list_n && unfinished == 0 && share);
        share = false;
        woken = waiting
    :: else
    fi
}

inline fill(from, to)
{
    at = from;
    lo[me] = from + 1;
    hi[me] = to;
    counts[me] = true;
    got = true
}

inline take()
{
    pop();
    if
    :: won -> atomic { at = l; l = 0; h = 0; won = false }
    :: else -> refill(0)
    fi
}

/* Gives got and, if so, at. */
inline refill(ending)
{
    if
    :: batch = 1
    :: batch = 3
    fi;
    atomic {
        !lock -> lock = true;
        got = (lo[me] < hi[me]);
        if
        :: got -> at = lo[me]; lo[me]++ /* no thief meanwhile */
        :: !got && (taken[0] < n[0] || taken[1] < n[1]) -> /* take_queued_locked */
            chunk[me] = (taken[0] < n[0] -> 0 : 1);
            l = taken[chunk[me]];
            h = (n[chunk[me]] - l < batch -> n[chunk[me]] : l + batch);
            taken[chunk[me]] = h;
            fill(l, h)
        :: else
        fi;
        l = 0;
        h = 0;
        batch = 0
    };
    if
    :: !got && linked[1 - me] -> /* steal_locked */
        load_range(1 - me);
        won = false;
        do
        :: !won && l < h ->
            mid = h - (h - l + 1) / 2;
            cas_range(1 - me, l, mid)
        :: else -> break
        od;
        atomic {
            if
            :: won -> chunk[me] = chunk[1 - me]; fill(mid, h)
            :: else
            fi;
            mid = 0
        }
    :: else
    fi;
    atomic {
        if
        :: !got ->
            assert(n[0] == taken[0] && n[1] == taken[1] && (!linked[1 - me] || lo[1 - me] >= hi[1 - me]));
            linked[me] = false
        :: else
        fi;
        l = (got -> 0 : over[me]); /* there is one list only: who goes on goes on with it */
        unfinished = unfinished - l - ending;
        gone = gone + ending;
        over[me] = over[me] - l;
        account(l);
        l = 0;
        h = 0;
        lock = false
    }
}

proctype runner(byte me)
{
    byte l, h, mid, batch, at;
    bool won, got = true;
    take();
    do
    :: got ->
        atomic {
            assert(at < n[chunk[me]] && begun[chunk[me] * CHUNK + at] == 0);
            begun[chunk[me] * CHUNK + at]++;
            at = 0
        };
        if
        :: atomic { over[me]++; ended++; gone++ }; take() /* [P2] */
        :: refill(1); atomic { !lock -> ended++; account(1) }
        fi
    :: else -> break
    od
}

#define PENDING (unfinished - over[0] - over[1])

proctype submitter()
{
    byte k;
    do
    :: k < JOBS ->
        atomic {
            !lock -> n[k / CHUNK]++;
            if
            :: list_n == list_over -> assert(!share); share = true
            :: else
            fi;
            list_n++;
            unfinished++;
            if
            :: !linked[0] -> linked[0] = true; counts[0] = false; lo[0] = 0; hi[0] = 0; run runner(0)
            :: linked[0] && !linked[1] -> linked[1] = true; counts[1] = false; lo[1] = 0; hi[1] = 0; run runner(1)
            :: else
            fi;
            assert(PENDING == list_n - gone && (PENDING < 2 || (linked[0] && linked[1])));
            k++
        }
    :: else -> break
    od;
    atomic {
        !lock;
        if
        :: list_over != list_n -> waiting = true
        :: else -> woken = true
        fi
    };
    woken;
    assert(list_over == JOBS && ended == JOBS && unfinished == 0 && !share);
    assert(!(linked[0] && counts[0]) && !(linked[1] && counts[1]))
}

init
{
    byte k;
    run submitter();
    _nr_pr == 1;
    assert(woken && !linked[0] && !linked[1]);
    for (k : 0 .. JOBS - 1) {
        assert(begun[k] == 1)
    }
}
