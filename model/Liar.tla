-------------------------------- MODULE Liar --------------------------------
(***************************************************************************)
(* An honest A on a line with a peer B that lies. B signs whatever it likes*)
(* in its own name, as often as it likes, and withholds what it likes. It  *)
(* cannot sign in A's name.                                                *)
(*                                                                         *)
(* MODELLED                                                                *)
(*   B signs  any message for any slot, two for one slot, with any `heard' *)
(*            in it, and any receipt. What both say of A's chain may be    *)
(*            true, say too little, name a wrong hash, or more than A ever *)
(*            said. Whatever B signed may reach A at any time, again, or be*)
(*            shown to A by somebody else. B never has to do anything.     *)
(*   A        says, logs, receipts; crashes and starts from its disk; may  *)
(*            be restored from an old backup of what it said.              *)
(*   A judge  finds that somebody equivocated only on two signed statements*)
(*            for one (epoch, slot) with different hashes; and that a      *)
(*            receipt was broken only if its signer cannot show the message*)
(*            of that hash.                                                *)
(*                                                                         *)
(* NOT MODELLED  a message that follows another entry than the one held (it*)
(*            is kept and proves nothing alone); refusals, which silence   *)
(*            nothing; what B can do to an A that asks it for its own chain*)
(*            (Restore.tla with LyingB); an A that lost what it had heard  *)
(*            (whoever accuses it must show the message, and so gives it   *)
(*            back); stolen keys (Keys.tla); withheld receipts and time    *)
(*            (Chain.tla asks nothing of B).                               *)
(***************************************************************************)
EXTENDS Naturals, Sequences, TLC

CONSTANTS
  Values,                \* what A says
  MaxSaid,               \* entries of A
  MaxHeard,              \* slots of B
  MaxCrash, MaxRestore,
  \* Faults that can be planted; each is TRUE in the protocol.
  ReceiptCompared,       \* A compares the hash in a receipt with its own log
  HeardCompared,         \* ... and in `heard', when the message is logged
  HeardComparedAtStart,  \* ... and in `heard', when it starts from its disk
  FirstStays,            \* what stands in a slot stays
  EvidenceKept,          \* a second message for a slot is kept
  DurableFirst,          \* A receipts what is durable, not what it has seen
  FreshEpoch,            \* a restored A opens a new epoch
  EpochJudged            \* a judge compares the epoch, not the slot alone

VARIABLES
  aLog, aSigned, aAck, aReceipt,          \* A as author
  heard, unsaved, beside, aReceipts,      \* A as listener
  shown, lockedOut, crashes, restores

author == <<aLog, aSigned, aAck, aReceipt>>
listener == <<heard, unsaved, beside, aReceipts>>
vars == <<author, listener, shown, lockedOut, crashes, restores>>

Last(s) == s[Len(s)]
IsPrefix(s, t) == Len(s) <= Len(t) /\ SubSeq(t, 1, Len(s)) = s
Max(i, j) == IF i < j THEN j ELSE i

\* A claim to hold A's chain: how far, and the hash (a chain is its own hash).
NoClaim == [n |-> 0, of |-> <<>>]
Wrong(n) == [n |-> n, of |-> <<[ep |-> 99, n |-> n, v |-> "never said"]>>]
Claims == {[n |-> n, of |-> SubSeq(aLog, 1, n)] : n \in DOMAIN aLog}
          \cup {Wrong(n) : n \in (DOMAIN aLog) \cup {MaxSaid + 1}}
Holds(claim) == claim.n <= Len(aLog) /\ claim.of = SubSeq(aLog, 1, claim.n)

Init ==
  /\ aLog = <<>>         \* A, disk: what it said
  /\ aSigned = {}        \* all that A ever signed, each as the chain up to it
  /\ aAck = 0            \* A: no alarm about a missing receipt up to this slot
  /\ aReceipt = NoClaim  \* A, disk: the last receipt of B
  /\ heard = <<>>        \* A, disk: B's chain, entries [v, heard]
  /\ unsaved = <<>>      \* A, memory: accepted, not durable
  /\ beside = {}         \* A, disk: signed by B, not in the log: <<slot, v>>
  /\ aReceipts = {}      \* all receipts A ever signed
  /\ shown = {}          \* slots for which two messages of B reached A
  /\ lockedOut = FALSE   \* did A refuse to start?
  /\ crashes = 0 /\ restores = 0
---------------------------------------------------------------------------
\* A as author

Epoch == IF aLog = <<>> THEN 0 ELSE Last(aLog).ep
Slot == IF aLog = <<>> THEN 1 ELSE Last(aLog).n + 1

Say(v) ==
  /\ ~lockedOut /\ Len(aLog) < MaxSaid
  /\ aLog' = Append(aLog, [ep |-> Epoch, n |-> Slot, v |-> v])
  /\ aSigned' = aSigned \cup {aLog'}
  /\ UNCHANGED <<aAck, aReceipt, listener, shown, lockedOut, crashes, restores>>

\* Any receipt B can sign. One that contradicts A's log changes nothing.
HearReceipt ==
  /\ ~lockedOut
  /\ \E claim \in Claims :
       /\ claim.n > aAck
       /\ IF ReceiptCompared THEN Holds(claim) ELSE claim.n <= Len(aLog)
       /\ aAck' = claim.n /\ aReceipt' = claim
  /\ UNCHANGED <<aLog, aSigned, listener, shown, lockedOut, crashes, restores>>

---------------------------------------------------------------------------
\* A as listener

Seen == heard \o unsaved

HearNext ==
  /\ ~lockedOut /\ Len(Seen) < MaxHeard
  /\ \E v \in {"p", "q"}, claim \in Claims \cup {NoClaim} :
       unsaved' = Append(unsaved, [v |-> v, heard |-> claim])
  /\ aReceipts' = IF DurableFirst THEN aReceipts ELSE aReceipts \cup {heard \o unsaved'}
  /\ UNCHANGED <<author, heard, beside, shown, lockedOut, crashes, restores>>

\* A second message for a slot. Both are made durable before anything is answered.
HearFork ==
  /\ ~lockedOut
  /\ \E n \in DOMAIN Seen, v \in {"p", "q"} :
       /\ v # Seen[n].v
       /\ shown' = shown \cup {n}
       /\ beside' = IF EvidenceKept
                    THEN beside \cup {<<n, v>>} \cup {<<n, Seen[n].v>>}
                    ELSE beside
       /\ heard' = IF FirstStays \/ n \notin DOMAIN heard THEN heard
                   ELSE [heard EXCEPT ![n].v = v]
  /\ <<shown', beside', heard'>> # <<shown, beside, heard>>
  /\ UNCHANGED <<author, unsaved, aReceipts, lockedOut, crashes, restores>>

\* Durable; the receipt is signed. What a message says of A's chain counts from here on, if true.
Save ==
  /\ ~lockedOut /\ unsaved # <<>>
  /\ heard' = Append(heard, unsaved[1]) /\ aReceipts' = aReceipts \cup {heard'}
  /\ unsaved' = SubSeq(unsaved, 2, Len(unsaved))
  /\ LET claim == unsaved[1].heard IN
       aAck' = IF (IF HeardCompared THEN Holds(claim) ELSE claim.n <= Len(aLog))
               THEN Max(aAck, claim.n) ELSE aAck
  /\ UNCHANGED <<aLog, aSigned, aReceipt, beside, shown, lockedOut, crashes, restores>>

---------------------------------------------------------------------------
\* A's own accidents

\* Memory is lost. The start reads the stored receipt and the `heard' of B's last entry.
CrashAndStart ==
  /\ ~lockedOut /\ crashes < MaxCrash /\ crashes' = crashes + 1
  /\ unsaved' = <<>>
  /\ LET claim == IF heard = <<>> THEN NoClaim ELSE Last(heard).heard
         known == IF Holds(aReceipt) THEN aReceipt.n ELSE 0
     IN IF HeardComparedAtStart
        THEN /\ aAck' = IF Holds(claim) THEN Max(known, claim.n) ELSE known
             /\ UNCHANGED lockedOut
        ELSE /\ lockedOut' = (claim.n > Len(aLog))
             /\ aAck' = IF claim.n > Len(aLog) THEN known ELSE Max(known, claim.n)
  /\ UNCHANGED <<aLog, aSigned, aReceipt, heard, beside, aReceipts, shown, restores>>

\* What it said last is forgotten; how it learns that again is in Restore.tla.
Restore ==
  /\ ~lockedOut /\ restores < MaxRestore /\ restores' = restores + 1
  /\ \E n \in 0..Len(aLog) :
       LET old == SubSeq(aLog, 1, n)
           ep  == restores + 1
       IN /\ aLog' = IF FreshEpoch THEN Append(old, [ep |-> ep, n |-> 1, v |-> "EPOCH"]) ELSE old
          /\ aAck' = 0 /\ aReceipt' = NoClaim
  /\ aSigned' = aSigned \cup ({aLog'} \ {<<>>})
  /\ UNCHANGED <<listener, shown, lockedOut, crashes>>

---------------------------------------------------------------------------
Next ==
  \/ \E v \in Values : Say(v)
  \/ HearReceipt \/ HearNext \/ HearFork \/ Save
  \/ CrashAndStart \/ Restore

Spec == Init /\ [][Next]_vars
ValuesAlike == Permutations(Values)
---------------------------------------------------------------------------
\* Two statements for one slot, as a judge compares them.
Convicts(c, d) ==
  /\ Last(c).n = Last(d).n /\ (EpochJudged => Last(c).ep = Last(d).ep)
  /\ c # d
\* An honest party is never made to equivocate, and never found guilty of it.
HonestNeverConvicted == \A c, d \in aSigned : ~Convicts(c, d)
\* An honest party can show what it receipted.
HonestCanRebut == \A r \in aReceipts : IsPrefix(r, heard)
\* No alarm ends without B's signature, on A's disk, under the hash of what A said.
SilentOnlyWithProof ==
  \A i \in 1..aAck :
    \/ Holds(aReceipt) /\ aReceipt.n >= i
    \/ \E k \in DOMAIN heard : Holds(heard[k].heard) /\ heard[k].heard.n >= i
\* Nothing B signs keeps A from starting.
NeverLockedOut == ~lockedOut
\* A fork that was shown is proven: both messages are on A's disk.
ForkIsProven ==
  \A n \in shown : \E v, w \in {"p", "q"} :
    /\ v # w /\ <<n, v>> \in beside
    /\ <<n, w>> \in beside \/ (n \in DOMAIN heard /\ heard[n].v = w)
============================================================================
