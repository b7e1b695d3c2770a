------------------------------- MODULE Beats -------------------------------
(***************************************************************************)
(* Is the peer there, and does it hear us? Beats both ways that echo one   *)
(* another. The direction from A to B fails for good; from then on both    *)
(* must show DOWN in five seconds, though A still hears every beat of B.   *)
(* Both sides keep the same rules in every phase, so the other direction   *)
(* needs no model of its own; and when both fail, each hears less.         *)
(*                                                                         *)
(* MODELLED  time in ticks of half a second; two nodes with any phase      *)
(*           between their beats, a beat every 2 ticks; it arrives at once *)
(*           or a tick later, or is lost: MaxLost of them while a direction*)
(*           works, all of A's after the cut. Limits as in production,     *)
(*           rounded up to ticks: not heard 2.9 s (6), not echoed 4 s (8). *)
(* NOT MODELLED  a restart of a node (a new session: UNKNOWN until a beat  *)
(*           echoes one of it); beats that overtake one another (an older  *)
(*           one changes nothing); a direction that comes back.            *)
(***************************************************************************)
EXTENDS Naturals

CONSTANTS
  BeatEvery, HeardLimit, EchoLimit,   \* 2, 6, 8
  Promise,                            \* 10: both sides, five seconds
  ListenerPromise,                    \* 6: the side that hears nothing, three seconds
  MaxLost,
  \* Faults that can be planted; each is TRUE in the protocol.
  Echoes,    \* a side looks at echoes at all
  EchoAged   \* an echo counts from when the echoed beat was sent, not from when it came back

VARIABLES
  next,     \* side -> ticks until its next beat
  heard,    \* side -> ticks since it last heard a beat
  last,     \* side -> ticks since the last beat that it heard was sent: what it echoes
  echoed,   \* side -> ticks since its own newest echoed beat was sent
  way,      \* side -> its beat under way, as the age of what it echoes; None for no beat
  cut,      \* did the direction from A fail?
  cutFor,   \* ticks since then
  lost

vars == <<next, heard, last, echoed, way, cut, cutFor, lost>>
Sides == {"A", "B"}
Peer(s) == IF s = "A" THEN "B" ELSE "A"
Long == Promise + 1
None == Long + 1
Older(age) == IF age < Long THEN age + 1 ELSE age
Min(i, j) == IF i < j THEN i ELSE j
Fails(s) == cut /\ s = "A"

\* Both UP for a while, in any phase: the last beats of both came at once, the newest echo with it.
Init ==
  /\ next \in [Sides -> 0..(BeatEvery - 1)]
  /\ heard = [s \in Sides |-> BeatEvery - next[Peer(s)]]
  /\ last = heard
  /\ echoed = [s \in Sides |-> heard[s] + BeatEvery]
  /\ way = [s \in Sides |-> None]
  /\ cut = FALSE /\ cutFor = 0 /\ lost = 0

\* A beat of s leaves when it is due; it carries the age of what it echoes.
Beat(s) ==
  /\ next[s] = 0 /\ way[s] = None
  /\ next' = [next EXCEPT ![s] = BeatEvery]
  /\ way' = [way EXCEPT ![s] = last[s]]
  /\ UNCHANGED <<heard, last, echoed, cut, cutFor, lost>>

\* The beat of s arrives at its peer p. It was sent 0 or 1 tick ago, as next[s] tells.
Arrive(s) ==
  LET p == Peer(s)  sentAgo == BeatEvery - next[s] IN
    /\ way[s] # None /\ ~Fails(s)
    /\ way' = [way EXCEPT ![s] = None]
    /\ heard' = [heard EXCEPT ![p] = 0]
    /\ last' = [last EXCEPT ![p] = sentAgo]
    /\ echoed' = [echoed EXCEPT ![p] = IF EchoAged THEN Min(echoed[p], way[s]) ELSE 0]
    /\ UNCHANGED <<next, cut, cutFor, lost>>

Lose(s) ==
  /\ way[s] # None
  /\ IF Fails(s) THEN lost' = lost ELSE lost < MaxLost /\ lost' = lost + 1
  /\ way' = [way EXCEPT ![s] = None]
  /\ UNCHANGED <<next, heard, last, echoed, cut, cutFor>>

Cut ==
  /\ ~cut /\ cut' = TRUE
  /\ UNCHANGED <<next, heard, last, echoed, way, cutFor, lost>>

\* No beat is sent late, and none is under way for longer than a tick.
Tick ==
  /\ \A s \in Sides : next[s] > 0 /\ (way[s] # None => next[s] = BeatEvery)
  /\ next' = [s \in Sides |-> next[s] - 1]
  /\ heard' = [s \in Sides |-> Older(heard[s])]
  /\ last' = [s \in Sides |-> Older(last[s])]
  /\ echoed' = [s \in Sides |-> Older(echoed[s])]
  /\ way' = [s \in Sides |-> IF way[s] = None THEN None ELSE Older(way[s])]
  /\ cutFor' = IF cut THEN Older(cutFor) ELSE 0
  /\ UNCHANGED <<cut, lost>>

Next == Tick \/ Cut \/ \E s \in Sides : Beat(s) \/ Arrive(s) \/ Lose(s)
Spec == Init /\ [][Next]_vars /\ WF_vars(Tick)
             /\ WF_vars(\E s \in Sides : Beat(s) \/ Arrive(s) \/ Lose(s))
---------------------------------------------------------------------------
Down(s) == heard[s] >= HeardLimit \/ (Echoes /\ echoed[s] >= EchoLimit)

\* Five seconds after the direction failed both sides show DOWN.
BothDown == cutFor >= Promise => Down("A") /\ Down("B")
\* Its listener shows it after three seconds and the way of the last beat.
ListenerDown == cutFor > ListenerPromise => Down("B")
\* A delay of up to half a second each way is no reason to show DOWN. (With a lost beat besides, the
\* echo is exactly four seconds old in the worst case: below half a second of delay one may be lost.)
NoFalseAlarm == ~cut /\ lost = 0 => ~Down("A") /\ ~Down("B")
\* Liveness: the failure comes to be shown on both sides, and stays shown.
EndsDown == cut ~> [](Down("A") /\ Down("B"))
============================================================================
