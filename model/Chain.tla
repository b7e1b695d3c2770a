------------------------------- MODULE Chain -------------------------------
(***************************************************************************)
(* One chain in ordinary life: A says, B logs, receipts and answers. Both  *)
(* crash at any moment; nobody's disk is ever older than what it said (for *)
(* that see Restore.tla).                                                  *)
(*                                                                         *)
(* MODELLED                                                                *)
(*   Saying   in three steps with a crash possible between any two: a slot *)
(*            is taken in memory, made durable, signed and sent.           *)
(*   Network  `sent' is everything A ever signed. Any of it may reach B at *)
(*            any later time, in any order, any number of times, or never. *)
(*   Hearing  accepted in memory, made durable, then receipted. B owes a   *)
(*            receipt after it logs and again for each duplicate; a crash  *)
(*            forgets what it owes, but not what is durable.               *)
(*   Receipt  A may lose one in a crash: it need not be durable at once.   *)
(*   Answer   a person of B answers what was put before them.              *)
(*   Time     ticks without end; elapsed times saturate, so the states are *)
(*            finitely many. Time does not pass A by while an alarm is due:*)
(*            a live node serves its timer. A crash loses elapsed times.   *)
(*                                                                         *)
(* NOT MODELLED HERE: the reorder window (B asks for a gap; here A simply  *)
(* repeats), the hash of the predecessor (Liar.tla), SEEN as a state of its*)
(* own, ladders with more than one rung, STANDBY. A log stands for its hash*)
(***************************************************************************)
EXTENDS Naturals, Sequences, TLC

CONSTANTS
  Values,           \* what can be said
  MaxMsg,           \* slots of the chain
  MaxCrash,         \* crashes of both together
  LackLimit,        \* A expects the receipt within this many ticks,
  AnswerLimit,      \* and the answer within this many
  Expiry,           \* B may not act on a message older than this
  \* Faults that can be planted; each is TRUE in the protocol.
  PersistFirst,     \* a slot is durable before it is signed
  FsyncFirst,       \* a message is durable before it is receipted
  InOrder,          \* only the next message is accepted
  OnceEach,         \* a duplicate is not logged again
  ReceiptAgain,     \* a duplicate is receipted again
  EscalateOnBoot,   \* what was open at a crash is told at the start
  ExpiryHeeded,     \* B looks at the age of a message at all
  JudgedWhenLogged, \* ... once more when it is durable, not on arrival only
  TimerServed       \* A's timer is sure to be served

VARIABLES
  aUp, aTaken, aLog, aAck, aTimer, aAnswered, told, sent,
  bVol, bLog, bOwes, acted, answers, receipts,
  actedLate, age, crashes

a == <<aUp, aTaken, aLog, aAck, aTimer, aAnswered, told, sent>>
b == <<bVol, bLog, bOwes, acted, answers, receipts, actedLate>>
vars == <<a, b, age, crashes>>

Min(i, j) == IF i < j THEN i ELSE j
Max(i, j) == IF i < j THEN j ELSE i
Slots   == 1..MaxMsg
EndOfTime == 1 + Max(Expiry, Max(LackLimit, AnswerLimit))
Said    == 1..Len(aLog)
BAll    == bLog \o bVol
Words(entries) == [i \in DOMAIN entries |-> entries[i].v]

Init ==
  /\ aUp = TRUE          \* is A's process running?
  /\ aTaken = <<>>       \* A, memory: the slot taken and not yet durable
  /\ aLog = <<>>         \* A, disk: its chain
  /\ aAck = 0            \* A: so many slots are receipted
  /\ aTimer = <<>>       \* A, memory: elapsed time of each slot
  /\ aAnswered = {}      \* A, disk: slots whose answer is logged
  /\ told = {}           \* what A's person was told: <<slot, what is owed>>
  /\ sent = {}           \* signed and let go: <<slot, value>>
  /\ bVol = <<>>         \* B, memory: accepted, not yet durable
  /\ bLog = <<>>         \* B, disk: A's chain as logged
  /\ bOwes = FALSE       \* B, memory: a receipt is to be sent
  /\ acted = {}          \* slots put before B's person
  /\ actedLate = FALSE   \* was one of them past its expiry by then?
  /\ answers = {}        \* B, disk: slots answered
  /\ receipts = {}       \* every receipt B ever signed
  /\ age = <<>>          \* true age of each slot of A
  /\ crashes = 0
---------------------------------------------------------------------------
\* Saying

Take(v) ==
  /\ aUp /\ aTaken = <<>> /\ Len(aLog) < MaxMsg
  /\ aTaken' = <<v>>
  /\ UNCHANGED <<aUp, aLog, aAck, aTimer, aAnswered, told, sent, b, age, crashes>>

Persist ==
  /\ aUp /\ aTaken # <<>>
  /\ aLog' = aLog \o aTaken /\ aTaken' = <<>>
  /\ aTimer' = Append(aTimer, 0) /\ age' = Append(age, 0)
  /\ UNCHANGED <<aUp, aAck, aAnswered, told, sent, b, crashes>>

\* Also after a start: signing is deterministic, so equal slots give equal bytes.
Send ==
  /\ aUp
  /\ LET mayLeave == IF PersistFirst THEN aLog ELSE aLog \o aTaken IN
       \E i \in DOMAIN mayLeave :
         /\ <<i, mayLeave[i]>> \notin sent
         /\ sent' = sent \cup {<<i, mayLeave[i]>>}
  /\ UNCHANGED <<aUp, aTaken, aLog, aAck, aTimer, aAnswered, told, b, age, crashes>>

---------------------------------------------------------------------------
\* Hearing

Age(i) == IF i \in DOMAIN age THEN age[i] ELSE 0
Late(i) == ExpiryHeeded /\ Age(i) > Expiry

Hear ==
  /\ \E m \in sent :
       LET i == m[1] IN
         /\ Len(BAll) < MaxMsg
         /\ \/ i = Len(BAll) + 1
            \/ ~InOrder /\ i > Len(BAll) + 1
            \/ ~OnceEach /\ i <= Len(BAll)
         /\ bVol' = Append(bVol, [i |-> i, v |-> m[2], delayed |-> Late(i)])
  /\ UNCHANGED <<a, bLog, bOwes, acted, actedLate, answers, receipts, age, crashes>>

\* A repeats what it holds no receipt for; B holds it already.
HearAgain ==
  /\ ReceiptAgain /\ ~bOwes /\ aUp
  /\ \E m \in sent : m[1] <= Len(bLog) /\ m[1] > aAck
  /\ bOwes' = TRUE
  /\ UNCHANGED <<a, bVol, bLog, acted, actedLate, answers, receipts, age, crashes>>

\* What came late is logged and receipted, and put before nobody.
Log ==
  /\ bVol # <<>>
  /\ bLog' = BAll /\ bVol' = <<>> /\ bOwes' = TRUE
  /\ LET inTime == {bVol[k].i : k \in {k \in DOMAIN bVol :
                       ~bVol[k].delayed /\ ~(JudgedWhenLogged /\ Late(bVol[k].i))}} IN
       /\ acted' = acted \cup inTime
       /\ actedLate' = (actedLate \/ \E i \in inTime : Age(i) > Expiry)
  /\ UNCHANGED <<a, answers, receipts, age, crashes>>

Receipt ==
  /\ bOwes \/ (~FsyncFirst /\ bVol # <<>>)
  /\ receipts' = receipts \cup {Words(IF FsyncFirst THEN bLog ELSE BAll)}
  /\ bOwes' = FALSE
  /\ UNCHANGED <<a, bVol, bLog, acted, actedLate, answers, age, crashes>>

Answer ==
  /\ \E i \in acted \ answers : answers' = answers \cup {i}
  /\ UNCHANGED <<a, bVol, bLog, bOwes, acted, actedLate, receipts, age, crashes>>

---------------------------------------------------------------------------
\* What A learns

Covers(r) == Len(r) <= Len(aLog) /\ r = SubSeq(aLog, 1, Len(r))

HearReceipt ==
  /\ aUp
  /\ \E r \in receipts : Len(r) > aAck /\ Covers(r) /\ aAck' = Len(r)
  /\ UNCHANGED <<aUp, aTaken, aLog, aTimer, aAnswered, told, sent, b, age, crashes>>

HearAnswer ==
  /\ aUp
  /\ \E i \in answers \cap Said : i \notin aAnswered /\ aAnswered' = aAnswered \cup {i}
  /\ UNCHANGED <<aUp, aTaken, aLog, aAck, aTimer, told, sent, b, age, crashes>>

\* An answer settles the receipt too. Expiry without a receipt is told as one not receipted.
Owed == {<<i, "receipt">> : i \in {i \in Said : i > aAck /\ i \notin aAnswered}}
        \cup {<<i, "answer">> : i \in Said \ aAnswered}
Limit(what) == IF what = "receipt" THEN Min(LackLimit, Expiry) ELSE AnswerLimit
Due == {o \in Owed \ told : aTimer[o[1]] >= Limit(o[2])}

Escalate ==
  /\ aUp /\ Due # {} /\ told' = told \cup Due
  /\ UNCHANGED <<aUp, aTaken, aLog, aAck, aTimer, aAnswered, sent, b, age, crashes>>

Tick ==
  /\ aUp => Due = {}
  /\ age' = [i \in DOMAIN age |-> Min(age[i] + 1, EndOfTime)]
  /\ aTimer' = IF aUp THEN [i \in DOMAIN aTimer |-> Min(aTimer[i] + 1, EndOfTime)] ELSE aTimer
  /\ UNCHANGED <<aUp, aTaken, aLog, aAck, aAnswered, told, sent, b, crashes>>

---------------------------------------------------------------------------
\* Crashes

CrashA ==
  /\ aUp /\ crashes < MaxCrash /\ crashes' = crashes + 1
  /\ aUp' = FALSE /\ aTaken' = <<>> /\ aTimer' = [i \in Said |-> 0]
  /\ \E kept \in {0, aAck} : aAck' = kept      \* the last receipt was durable, or not yet
  /\ UNCHANGED <<aLog, aAnswered, told, sent, b, age>>

Boot ==
  /\ ~aUp /\ aUp' = TRUE
  /\ told' = IF EscalateOnBoot THEN told \cup Owed ELSE told
  /\ UNCHANGED <<aTaken, aLog, aAck, aTimer, aAnswered, sent, b, age, crashes>>

CrashB ==
  /\ crashes < MaxCrash /\ crashes' = crashes + 1
  /\ bVol # <<>> \/ bOwes
  /\ bVol' = <<>> /\ bOwes' = FALSE
  /\ UNCHANGED <<a, bLog, acted, actedLate, answers, receipts, age>>

---------------------------------------------------------------------------
\* No value is special: half the states.
ValuesAlike == Permutations(Values)

Next ==
  \/ \E v \in Values : Take(v)
  \/ Persist \/ Send \/ HearReceipt \/ HearAnswer
  \/ Hear \/ HearAgain \/ Log \/ Receipt \/ Answer
  \/ Escalate \/ Tick \/ CrashA \/ Boot \/ CrashB

Spec == Init /\ [][Next]_vars

\* A starts again after a crash and its clock runs. Nothing at all is asked of B or the network.
OwnFairness ==
  WF_vars(Boot) /\ WF_vars(Tick) /\ (IF TimerServed THEN WF_vars(Escalate) ELSE TRUE)
AloneSpec == Spec /\ OwnFairness

\* B and the network live again after the last fault.
WellFairness ==
  /\ OwnFairness /\ WF_vars(Send) /\ WF_vars(Hear) /\ WF_vars(HearAgain) /\ WF_vars(Log)
  /\ WF_vars(Receipt) /\ WF_vars(HearReceipt)
WellSpec == Spec /\ WellFairness
---------------------------------------------------------------------------
\* I1: a receipt stays true of the peer's durable log for ever.
ReceiptStaysTrue ==
  \A r \in receipts : Len(r) <= Len(bLog) /\ Words(SubSeq(bLog, 1, Len(r))) = r
\* I2: nothing is logged that was not signed, and none in another slot than its own.
NothingFabricated == \A k \in DOMAIN BAll : <<BAll[k].i, BAll[k].v>> \in sent /\ BAll[k].i = k
\* I3: both logs agree up to the last receipt A holds.
LogsAgree == aAck <= Len(bLog) /\ \A i \in 1..aAck : bLog[i].v = aLog[i]
\* I4: no two signatures for one slot.
NoEquivocation == \A p, q \in sent : p[1] = q[1] => p[2] = q[2]
\* I5: a running A has nothing overdue of which its person does not know.
NoSilentAlarm == aUp => \A o \in Owed : age[o[1]] > Limit(o[2]) => o \in told
\* A late message is never acted on.
LateNeverActed == ~actedLate

\* Liveness. Whatever B and the network do, what is said ends answered or told to a person.
EndsAnsweredOrTold ==
  \A i \in Slots : (i \in Said) ~> (i \in aAnswered \/ \E o \in told : o[1] = i)
\* Once faults end, everything said is receipted.
EndsReceipted == \A i \in Slots : (i \in Said) ~> (i <= aAck)
============================================================================
