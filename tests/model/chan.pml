/* SPDX-License-Identifier: MIT
 * chan.pml - a channel with a buffer: two locks, two counts, and who must not be left waiting.
 *
 * spin: -DSAFETY -DCOLLAPSE -O2 -m100000
 *
 * Two senders, of two values and one, and two receivers, who end when the channel is closed; capacity 1 or 2, in a ring that grows up to it; once somebody who waits is claimed
 * by a timer, and tries again. Of runtime/chan.c the ways under one lock (try_add, gs_chan_try_take) are three steps: what they look at, the ring, the count; what is done under
 * both locks is one. The two locks are taken in one step: they are always taken in the same order. How who waits is woken is the matter of waitq.pml: here it is a word. Checked:
 * each sender's values arrive in order, once each, and none is lost; a place is written when it has been read, and read when it has been written; whenever both locks are held,
 * at most one of the queues has live waiters, beside a receiver that waits there is no value, beside a sender no room; once the channel is closed everybody comes to an end (else
 * it is an invalid end state).
 *
 * Try it     A way under one lock that does not look for who waits on the other side, or a sender that does not look at closed; waiting begun under one lock alone; a value
 *            counted before it is written, or its place given back before it is read; a kept count that is ahead, or compared by == though whoever had both locks has gone past
 *            it; room by cap where the ring has not grown to it; a waiting sender's value left where it is when there is room, or taken before the ring's: each makes it fail.
 */
#define NOBODY 4

mtype = { IDLE, WAITING, WOKEN, ENDED, TIMEOUT };

mtype word[4] = IDLE; /* of the senders 0 and 1 and the receivers 2 and 3; woken with a value taken or given, or by the end */
byte item[2];         /* of the senders that wait: a value, which is 4 * its sender + its number + 1 */
chan senders = [2] of { byte };
chan receivers = [2] of { byte };
bool in, out, closed;
byte cap, ringcap, ring[2];
byte in_at, added, taken_seen;  /* under in [N1] */
byte out_at, taken, added_seen; /* under out [N1] */
byte sent[2], arrived[2];       /* of each sender */

#define WAITS(p, q) (word[p] == WAITING || word[q] == WAITING)

/* Both locks have been taken. */
inline check()
{
    assert(added - taken <= ringcap && ringcap <= cap && taken_seen <= taken);
    assert(!WAITS(2, 3) || (added == taken && !WAITS(0, 1) && !closed));
    assert(!WAITS(0, 1) || (added - taken == cap && !closed))
}

inline arrive(v)
{
    assert(v != 0 && arrived[(v - 1) / 4] == (v - 1) % 4);
    arrived[(v - 1) / 4]++
}

inline write(v)
{
    atomic { assert(ring[in_at] == 0); ring[in_at] = v }
}

inline read()
{
    atomic { arrive(ring[out_at]); ring[out_at] = 0 }
}

inline count_added()
{
    in_at = (in_at + 1 == ringcap -> 0 : in_at + 1);
    added++
}

inline count_taken()
{
    out_at = (out_at + 1 == ringcap -> 0 : out_at + 1);
    taken++
}

/* w, or NOBODY. It is woken at once: to be woken after the unlocking is no more than to be slow. */
inline claim_first(queue, how)
{
    w = NOBODY;
    do
    :: w == NOBODY && len(queue) > 0 ->
        queue?w;
        if
        :: word[w] == WAITING -> word[w] = how
        :: else -> w = NOBODY
        fi
    :: else -> break
    od
}

/* gs_chan_offer_locked, and what its caller does under the locks. */
inline offer(v)
{
    if
    :: closed -> n = k
    :: else ->
        claim_first(receivers, WOKEN);
        if
        :: w != NOBODY -> arrive(v); k++
        :: w == NOBODY && added - taken == cap -> word[me] = WAITING; item[me] = v; senders!me
        :: else ->
            if
            :: added - taken == ringcap -> ringcap++; out_at = 0; in_at = added - taken
            :: else
            fi;
            write(v);
            count_added();
            k++
        fi
    fi;
    w = NOBODY
}

/* gs_chan_poll_locked, likewise. */
inline poll()
{
    claim_first(senders, WOKEN);
    if
    :: added > taken ->
        read();
        count_taken();
        if
        :: w != NOBODY -> write(item[w]); item[w] = 0; count_added()
        :: else
        fi
    :: else ->
        assert(w == NOBODY);
        if
        :: closed -> over = true
        :: else -> word[me] = WAITING; receivers!me
        fi
    fi;
    w = NOBODY
}

/* A wait that was claimed by somebody else ends. */
inline unlink(queue)
{
    if
    :: queue??[eval(me)] -> queue??eval(me)
    :: else
    fi;
    word[me] = IDLE
}

proctype sender(byte me, n)
{
    byte k, w = NOBODY;
    bool slow;
    do
    :: k < n ->
        atomic { /* try_add */
            !in;
            slow = (closed || len(receivers) > 0);
            if
            :: !slow && added - taken_seen >= ringcap -> taken_seen = taken; slow = (added - taken_seen >= ringcap)
            :: else
            fi;
            in = !slow
        };
        if
        :: !slow -> write(me * 4 + k + 1); atomic { count_added(); in = false; k++ }
        :: slow ->
            atomic { !in && !out -> check(); offer(me * 4 + k + 1) };
            if
            :: atomic { word[me] == WOKEN -> word[me] = IDLE; k++ }
            :: atomic { word[me] == ENDED -> word[me] = IDLE; item[me] = 0; n = k }
            :: atomic { word[me] == TIMEOUT && !out -> unlink(senders); item[me] = 0 } /* and again */
            :: word[me] == IDLE
            fi
        fi
    :: else -> break
    od;
    sent[me] = k
}

proctype receiver(byte me)
{
    byte w = NOBODY;
    bool slow, over;
    do
    :: !over ->
        atomic { /* gs_chan_try_take */
            !out;
            slow = len(senders) > 0;
            if
            :: !slow && taken >= added_seen -> added_seen = added; slow = (taken >= added_seen)
            :: else
            fi;
            out = !slow
        };
        if
        :: !slow -> read(); atomic { count_taken(); out = false }
        :: slow ->
            atomic { !in && !out -> check(); poll() };
            if
            :: atomic { word[me] == WOKEN -> word[me] = IDLE }
            :: atomic { word[me] == ENDED -> word[me] = IDLE; over = true }
            :: atomic { word[me] == TIMEOUT && !in -> unlink(receivers) }
            :: word[me] == IDLE
            fi
        fi
    :: else -> break
    od
}

proctype closer()
{
    byte w;
    atomic {
        !in && !out -> check();
        closed = true;
        do
        :: nempty(receivers) -> claim_first(receivers, ENDED)
        :: nempty(senders) -> claim_first(senders, ENDED)
        :: empty(receivers) && empty(senders) -> break
        od
    }
}

#define TIMES_OUT(p) atomic { word[p] == WAITING -> word[p] = TIMEOUT }

proctype clock()
{
    if
    :: TIMES_OUT(0)
    :: TIMES_OUT(1)
    :: TIMES_OUT(2)
    :: TIMES_OUT(3)
    :: closed
    fi
}

init
{
    atomic {
        select (cap : 1 .. 2);
        run sender(0, 2);
        run sender(1, 1);
        run receiver(2);
        run receiver(3);
        run closer();
        run clock()
    };
    _nr_pr == 1;
    assert(added == taken && sent[0] == arrived[0] && sent[1] == arrived[1] && empty(senders) && empty(receivers))
}
