------------------------------ MODULE Restore ------------------------------
(***************************************************************************)
(* Old backups. A says, B logs; either may be restored from a backup, each *)
(* several times, both in overlap. The roles are those of one chain; a     *)
(* line has two, and a restored party plays both roles at once.            *)
(*                                                                         *)
(* THE RULES THAT ARE CHECKED                                              *)
(*   Author   restored: mute. It asks the peer for the chain that the peer *)
(*            holds in its name, and takes it as its own (all of it carries*)
(*            its signature). It opens a fresh epoch with an EPOCH entry   *)
(*            that follows the last agreed head, and says again, behind it,*)
(*            what has no receipt.                                         *)
(*   Listener restored: mute, that is, it logs nothing and receipts        *)
(*            nothing. It asks the author for the whole chain, with its    *)
(*            present epoch, and takes it.                                 *)
(*   Both     the author goes first. A mute listener answers an author's   *)
(*            question (what it says then is no receipt); a mute author    *)
(*            does not answer a listener's. So nobody waits in a circle.   *)
(*   Ways     that part: B lacks what it receipted and has what A signed   *)
(*            in a life that its disk lost. A takes B's, and says again    *)
(*            what B does not hold.                                        *)
(*   EPOCH    is logged only right behind the listener's head. If the head *)
(*            moved on meanwhile (an old packet came late), the listener   *)
(*            refuses, and the author asks again and opens another epoch.  *)
(*   Answers  count only for the question they answer (a nonce). And a mute*)
(*            listener that answers an author asks its own question anew:  *)
(*            what that author said before, it said before its restore.    *)
(*                                                                         *)
(* MODELLED   not one step but many: restore, question, answer, the new    *)
(*            epoch made durable, EPOCH heard, refused, asked again; other *)
(*            things happen between any two. `sent' and `receipts' are the *)
(*            network, as in Chain.tla: what was signed may arrive at any  *)
(*            later time, or never. So what is durable counts as signed at *)
(*            once: not signed yet is like not arrived yet. A message is   *)
(*            the chain that ends with it: `prev' is a hash over all before*)
(*            it, so equal hash means equal chain. A value is said once.   *)
(*                                                                         *)
(* NOT MODELLED  time, alarms, crashes without loss (Chain.tla); orphans   *)
(*            kept beside the log (Keys.tla). A's backup is its last, of   *)
(*            any moment, and B's a beginning of its present log; with     *)
(*            AnyCopy either is any copy that ever was. Refusal and        *)
(*            the author's reaction are one step; a refusal that comes late*)
(*            names an epoch that is over and is ignored. Only the first   *)
(*            answer to a question counts, however long it was under way.  *)
(***************************************************************************)
EXTENDS Naturals, Sequences, TLC

CONSTANTS
  Values, MaxMsg, MaxRestoreA, MaxRestoreB,
  LyingB,           \* B answers an author's question with whatever it likes
  \* Faults that can be planted; each is TRUE in the protocol.
  AuthorAsks,       \* a restored author asks before it speaks
  FreshEpoch,       \* ... and opens a new epoch
  ListenerAsks,     \* a restored listener asks before it logs and receipts
  EpochFollowsHead, \* an EPOCH entry is logged only behind the head
  NonceCounts,      \* an answer to an earlier question is ignored
  MuteAnswersAuthor,\* a mute listener answers an author's question
  AuthorFirst,      \* a mute author does not answer a listener's question
  AnswerVoids,      \* a mute listener that answers an author asks its own question anew
  RefusalHeeded,    \* an author whose EPOCH is refused asks again
  FollowsHead,      \* an author follows a log that leads elsewhere, past what was receipted
  \* The world
  AnyCopy           \* any copy ever made may be put back, not only A's last and B's beginnings

VARIABLES
  aLog, aAck, aMute, aBaks, aTold, fresh,
  bLog, bMute, bTold, bWas,
  sent, receipts, restoredA, restoredB

a == <<aLog, aAck, aMute, aBaks, fresh>>
b == <<bLog, bMute, bWas>>
vars == <<a, aTold, b, bTold, sent, receipts, restoredA, restoredB>>

EPOCH == "EPOCH"
Prefixes(s) == {SubSeq(s, 1, n) : n \in DOMAIN s}
Min(i, j) == IF i < j THEN i ELSE j
Last(s) == s[Len(s)]
Front(s) == SubSeq(s, 1, Len(s) - 1)
Upto(s, n) == SubSeq(s, 1, n)
IsPrefix(s, t) == Len(s) <= Len(t) /\ SubSeq(t, 1, Len(s)) = s
Comparable(s, t) == IsPrefix(s, t) \/ IsPrefix(t, s)
Common(s, t) ==   \* length of what two chains share
  CHOOSE n \in 0..Min(Len(s), Len(t)) :
    /\ Upto(s, n) = Upto(t, n)
    /\ n < Min(Len(s), Len(t)) => s[n + 1] # t[n + 1]
Words(s) == SelectSeq([i \in DOMAIN s |-> s[i].v], LAMBDA v : v # EPOCH)
Drop(s, n) == SubSeq(s, n + 1, Len(s))
Following(s) ==       \* the slot behind a chain
  IF s = <<>> THEN [ep |-> 0, n |-> 1] ELSE [ep |-> Last(s).ep, n |-> Last(s).n + 1]
Entry(slot, v) == [ep |-> slot.ep, n |-> slot.n, v |-> v]
RECURSIVE SayAll(_, _)
SayAll(s, words) ==
  IF words = <<>> THEN s ELSE SayAll(Append(s, Entry(Following(s), words[1])), Drop(words, 1))

Init ==
  /\ aLog = <<>>                           \* A, disk: its chain
  /\ aAck = 0                              \* A, disk: so many entries are receipted
  /\ aMute = FALSE
  /\ aBaks = {[log |-> <<>>, ack |-> 0]}   \* A's backups that lie about
  /\ aTold = {}                            \* answers on their way to a mute A
  /\ fresh = 0                             \* the last epoch drawn
  /\ bLog = <<>> /\ bMute = FALSE          \* B, disk: A's chain as logged
  /\ bTold = {}                            \* answers on their way to a mute B
  /\ bWas = {}                             \* what B's disk was before, where any copy may be put back
  /\ sent = {} /\ receipts = {}            \* all that A and B ever signed
  /\ restoredA = 0 /\ restoredB = 0
---------------------------------------------------------------------------
Say(v) ==
  /\ ~aMute /\ Len(Words(aLog)) < MaxMsg /\ \A i \in DOMAIN aLog : aLog[i].v # v
  /\ aLog' = Append(aLog, Entry(Following(aLog), v)) /\ sent' = sent \cup {aLog'}
  /\ UNCHANGED <<aAck, aMute, aBaks, aTold, fresh, b, bTold, receipts, restoredA, restoredB>>

Was == IF AnyCopy THEN bWas \cup {bLog} ELSE {}

\* What is durable is receipted; the receipt may arrive at any later time.
Hears(c) ==
  /\ ~bMute
  /\ \/ Front(c) = bLog
     \/ /\ ~EpochFollowsHead /\ Last(c).v = EPOCH
        /\ IsPrefix(Front(c), bLog) /\ ~IsPrefix(c, bLog)
  /\ bLog' = c /\ receipts' = receipts \cup {c} /\ bWas' = Was
  /\ UNCHANGED <<a, aTold, bMute, bTold, sent, restoredA, restoredB>>
\* A repeats what has no receipt; anything else may still come, but nobody can wait for it.
HearRepeated == \E c \in sent : IsPrefix(c, aLog) /\ Len(c) > aAck /\ Hears(c)
HearOld == \E c \in sent : Hears(c)

HearReceipt ==
  /\ ~aMute
  /\ \E r \in receipts : Len(r) > aAck /\ IsPrefix(r, aLog) /\ aAck' = Len(r)
  /\ UNCHANGED <<aLog, aMute, aBaks, aTold, fresh, b, bTold, sent, receipts, restoredA, restoredB>>

---------------------------------------------------------------------------
\* The author

BackUp ==
  /\ ~aMute /\ restoredA < MaxRestoreA
  /\ LET copy == [log |-> aLog, ack |-> aAck] IN
       /\ copy \notin aBaks
       /\ aBaks' = IF AnyCopy THEN aBaks \cup {copy} ELSE {copy}
  /\ UNCHANGED <<aLog, aAck, aMute, aTold, fresh, b, bTold, sent, receipts, restoredA, restoredB>>

RestoreA ==
  /\ restoredA < MaxRestoreA /\ restoredA' = restoredA + 1
  /\ \E copy \in aBaks : aLog' = copy.log /\ aAck' = copy.ack
  /\ aMute' = AuthorAsks
  /\ aTold' = IF NonceCounts THEN {} ELSE aTold
  /\ UNCHANGED <<aBaks, fresh, b, bTold, sent, receipts, restoredB>>

\* What B holds in A's name. From a mute B it is no receipt.
AnswerAuthor ==
  /\ aMute /\ (bMute => MuteAnswersAuthor)
  /\ aTold = {}
  /\ \E log \in IF LyingB THEN sent \cup {<<>>} ELSE {bLog} :
       aTold' = {[log |-> log, mute |-> bMute]}
  /\ bTold' = IF AnswerVoids THEN {} ELSE bTold
  /\ UNCHANGED <<a, b, sent, receipts, restoredA, restoredB>>

\* One durable step. What A holds a receipt for stays in its chain, whatever it is told, unless B's log
\* leads elsewhere: A signed that, and B can take nothing that does not follow it.
Reopen ==
  /\ aMute
  /\ \E t \in aTold :
       LET held  == Upto(aLog, aAck)
           leads == FollowsHead /\ ~IsPrefix(t.log, aLog)
           base  == IF IsPrefix(held, t.log) \/ leads THEN t.log ELSE held
           from  == Common(base, aLog)
           known == Words(Drop(base, from))
           open  == SelectSeq(Words(Drop(aLog, from)),
                              LAMBDA v : \A i \in DOMAIN known : known[i] # v)
           start == IF FreshEpoch
                    THEN Append(base, [ep |-> fresh + 1, n |-> 1, v |-> EPOCH])
                    ELSE base
       IN /\ aLog' = SayAll(start, open)
          /\ aAck' = IF ~t.mute THEN Len(base)
                     ELSE IF IsPrefix(held, base) THEN aAck ELSE 0
  /\ fresh' = fresh + 1 /\ aMute' = FALSE
  /\ aTold' = IF NonceCounts THEN {} ELSE aTold
  /\ sent' = sent \cup Prefixes(aLog')
  /\ UNCHANGED <<aBaks, b, bTold, receipts, restoredA, restoredB>>

\* B's head has moved on, or lies on another branch: the EPOCH entry cannot follow it.
Refused ==
  /\ ~aMute /\ ~bMute /\ RefusalHeeded
  /\ \E n \in (aAck + 1)..Len(aLog) :
       LET c == Upto(aLog, n) IN
         /\ c[n].v = EPOCH /\ c[n].ep = Last(aLog).ep
         /\ ~Comparable(c, bLog)
  /\ aMute' = TRUE /\ aTold' = {}
  /\ UNCHANGED <<aLog, aAck, aBaks, fresh, b, bTold, sent, receipts, restoredA, restoredB>>

---------------------------------------------------------------------------
\* The listener

RestoreB ==
  /\ restoredB < MaxRestoreB /\ restoredB' = restoredB + 1
  /\ bLog' \in {Upto(bLog, n) : n \in 0..Len(bLog)} \cup bWas
  /\ bMute' = ListenerAsks /\ bWas' = Was
  /\ bTold' = IF NonceCounts THEN {} ELSE bTold
  /\ UNCHANGED <<a, aTold, sent, receipts, restoredA>>

AnswerListener ==
  /\ bMute /\ (aMute => ~AuthorFirst) /\ (AnyCopy => IsPrefix(bLog, aLog))
  /\ bTold = {} /\ bTold' = {aLog}
  /\ UNCHANGED <<a, aTold, b, sent, receipts, restoredA, restoredB>>

\* B has an entry of A that does not stand on its way: only A can mend that, and asks.
LedElsewhere ==
  /\ AnyCopy /\ bMute /\ ~aMute /\ ~IsPrefix(bLog, aLog)
  /\ aMute' = TRUE /\ aTold' = {}
  /\ UNCHANGED <<aLog, aAck, aBaks, fresh, b, bTold, sent, receipts, restoredA, restoredB>>

Adopt ==
  /\ bMute
  /\ \E t \in bTold :
       /\ bLog' = IF IsPrefix(t, bLog) THEN bLog ELSE t
       /\ receipts' = receipts \cup ({bLog'} \ {<<>>})
  /\ bMute' = FALSE /\ bWas' = Was
  /\ bTold' = IF NonceCounts THEN {} ELSE bTold
  /\ UNCHANGED <<a, aTold, sent, restoredA, restoredB>>

---------------------------------------------------------------------------
Progress ==
  \/ HearRepeated \/ HearReceipt
  \/ AnswerAuthor \/ Reopen \/ Refused \/ AnswerListener \/ LedElsewhere \/ Adopt

Next == Progress \/ HearOld \/ BackUp \/ RestoreA \/ RestoreB \/ \E v \in Values : Say(v)

Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ WF_vars(Progress)

\* No value is special: half the states.
ValuesAlike == Permutations(Values)
---------------------------------------------------------------------------
\* I1: unless both lost their disks, what B receipted is in its log, or it is mute.
ReceiptStaysTrue ==
  (restoredA = 0 \/ restoredB = 0) /\ ~bMute => \A r \in receipts : IsPrefix(r, bLog)
\* I3: what A holds a receipt for is in B's log, whoever was restored, or B is mute; or A is, where
\* it may be put back to any copy.
LogsAgree == ~bMute /\ (AnyCopy => ~aMute) => IsPrefix(Upto(aLog, aAck), bLog)
\* I4: one hash for each (epoch, slot).
NoEquivocation ==
  \A c, d \in sent : (Last(c).ep = Last(d).ep /\ Last(c).n = Last(d).n) => c = d
\* Liveness: after the last restore both speak again, and all that was said is receipted.
EndsAgreed == <>[](~aMute /\ ~bMute /\ bLog = aLog /\ aAck = Len(aLog))
============================================================================
