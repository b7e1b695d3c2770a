-------------------------------- MODULE Keys --------------------------------
(***************************************************************************)
(* Keys of the author A, as its listener B sees them: rotated, stolen,     *)
(* revoked, and what becomes of packets and proofs made with old ones.     *)
(*                                                                         *)
(* THE RULES THAT ARE CHECKED                                              *)
(*   Rotation    an entry of A's chain, signed by the old key, the new one *)
(*               and the root. It opens a fresh epoch behind the last      *)
(*               agreed head; what B does not hold is said again behind it,*)
(*               under the new key.                                        *)
(*   Revocation  the same without the old key, which a thief holds too.    *)
(*   The old key is the one in force at B. If an earlier change never came *)
(*               there, it is not the last key that A drew; so A keeps each*)
(*               key until the change to the next one is receipted.        *)
(*   In force    is the key that the last such entry of the log names; an  *)
(*               entry is logged only under the key in force at its slot.  *)
(*   Refused     packets of an old key or epoch are kept beside the log.   *)
(*   Old proofs  stay: the ring of keys grows and never changes a key. A   *)
(*               key's id is the hash of the key, so no id names two keys. *)
(*                                                                         *)
(* MODELLED  A changes its key in steps: mute, asks for its chain at B, the*)
(*           entry durable, heard, or refused when B's head moved on, and  *)
(*           done again. Everything A signed may arrive at any later time. *)
(*           A thief may come to hold one of A's keys, never the root's,   *)
(*           and speaks with B as A would.                                 *)
(* NOT MODELLED  how soon a revocation arrives (60 s while connected); the *)
(*           root's own change; B's keys (the roles are alike); the judge's*)
(*           view of two messages of which a thief signed one: until its   *)
(*           revocation is logged, a party answers for its key.            *)
(***************************************************************************)
EXTENDS Naturals, Sequences, FiniteSets, TLC

CONSTANTS
  Values, MaxMsg, MaxChange,
  Theft,             \* may a key be stolen?
  \* Faults that can be planted; each is TRUE in the protocol.
  OldKeyRefused,     \* only the key in force is heard
  RootNeeded,        \* no key comes in force without the root's signature
  RefusedKept,       \* what is refused is kept
  RingGrows,         \* B keeps the keys of old entries
  IdsAreHashes,      \* the id of a key follows from the key
  SignsInForce,      \* a change is signed by the key in force at B, not by the last one drawn
  FreshEpoch,        \* a change opens a new epoch
  SaidAgain          \* what B does not hold is said again under the new key

VARIABLES
  aKey, aLog, aMute, signed, stolen, changes,
  bLog, bKept, refused, ring, named

a == <<aKey, aLog, aMute, signed, changes>>
b == <<bLog, bKept, refused, ring, named>>
vars == <<a, stolen, b>>

\* Keys are numbers; A draws 1, 2, ... Key 0 is in force at first; 99 is the thief's
\* own, 98 the root's.
Evil == 99
Root == 98
CHANGE == "CHANGE"
Last(s) == s[Len(s)]
Front(s) == SubSeq(s, 1, Len(s) - 1)
IsPrefix(s, t) == Len(s) <= Len(t) /\ SubSeq(t, 1, Len(s)) = s
Prefixes(s) == {SubSeq(s, 1, n) : n \in DOMAIN s}
Words(s) == SelectSeq([i \in DOMAIN s |-> s[i].v], LAMBDA v : v # CHANGE)
Without(words, s) == SelectSeq(words, LAMBDA v : \A i \in DOMAIN s : s[i].v # v)

\* An entry: epoch, slot, word, the id of the key that signs, that key itself; of a change also the
\* new key with its id, and who else signed. (A signature fits one key; an id is only its name.)
Entry(ep, n, v, key) == [ep |-> ep, n |-> n, v |-> v, key |-> key, new |-> key, id |-> key, by |-> {}]
Epoch(s) == IF s = <<>> THEN 0 ELSE Last(s).ep
Slot(s) == IF s = <<>> THEN 1 ELSE Last(s).n + 1
InForce(s) == IF s = <<>> THEN 0 ELSE Last(s).new
RECURSIVE SayAll(_, _, _)
SayAll(s, words, key) ==
  IF words = <<>> THEN s
  ELSE SayAll(Append(s, Entry(Epoch(s), Slot(s), words[1], key)), Tail(words), key)

Init ==
  /\ aKey = 0 /\ aLog = <<>> /\ aMute = FALSE /\ changes = 0
  /\ signed = {}           \* all that A ever signed, each as the chain up to it
  /\ stolen = {}           \* keys that a thief holds too
  /\ bLog = <<>>           \* B, disk: A's chain
  /\ bKept = {}            \* B, disk: refused packets
  /\ refused = {}          \* the packets B refused
  /\ ring = {<<0, 0>>}     \* B, disk: <<id, key>> to verify old entries with
  /\ named = {<<0, 0>>}    \* all pairs of id and key ever in force
---------------------------------------------------------------------------
Say(v) ==
  /\ ~aMute /\ Len(Words(aLog)) < MaxMsg /\ \A i \in DOMAIN aLog : aLog[i].v # v
  /\ aLog' = Append(aLog, Entry(Epoch(aLog), Slot(aLog), v, aKey))
  /\ signed' = signed \cup {aLog'}
  /\ UNCHANGED <<aKey, aMute, changes, stolen, b>>

Steal ==
  /\ Theft /\ stolen = {} /\ stolen' = {aKey}
  /\ UNCHANGED <<a, b>>

\* Time for another key, or people learnt of the theft.
Decide ==
  /\ ~aMute /\ changes < MaxChange /\ changes' = changes + 1 /\ aMute' = TRUE
  /\ UNCHANGED <<aKey, aLog, signed, stolen, b>>

\* B's answer to `what do you hold in my name' and the change that follows it, made durable.
Change ==
  /\ aMute /\ aMute' = FALSE /\ aKey' = aKey + 1
  /\ \E id \in IF IdsAreHashes THEN {aKey + 1} ELSE 0..(aKey + 1) :
       LET old   == IF SignsInForce THEN InForce(bLog) ELSE aKey
           entry == [ep |-> IF FreshEpoch THEN Epoch(aLog) + 1 ELSE Epoch(bLog),
                     n |-> IF FreshEpoch THEN 1 ELSE Slot(bLog), v |-> CHANGE, key |-> old,
                     new |-> aKey + 1, id |-> id,
                     by |-> {aKey + 1, Root} \cup IF old \in stolen THEN {} ELSE {old}]
           words == IF SaidAgain THEN Without(Words(aLog), bLog) ELSE <<>>
       IN aLog' = SayAll(Append(bLog, entry), words, aKey + 1)
  /\ signed' = signed \cup {c \in Prefixes(aLog') : Len(c) > Len(bLog)}
  /\ UNCHANGED <<changes, stolen, b>>

\* B's head moved on before the change came: it cannot follow, and A begins again.
ChangeRefused ==
  /\ ~aMute /\ aKey > 0
  /\ LET c == CHOOSE c \in Prefixes(aLog) : Last(c).v = CHANGE /\ Last(c).new = aKey IN
       ~IsPrefix(c, bLog) /\ ~IsPrefix(bLog, c)
  /\ aMute' = TRUE
  /\ UNCHANGED <<aKey, aLog, signed, changes, stolen, b>>

---------------------------------------------------------------------------
Vouched(e) ==
  e.v = CHANGE => /\ e.new \in e.by
                  /\ RootNeeded => Root \in e.by
                  /\ e.key \in e.by \/ Root \in e.by   \* without the old key: a revocation
RightKey(e) ==
  IF OldKeyRefused THEN e.key = InForce(bLog)
                   ELSE \E pair \in ring : pair[2] = e.key
\* A packet of another branch fits when its author or a thief puts it behind B's head.
Hears(c) ==
  IF Front(c) = bLog /\ RightKey(Last(c)) /\ Vouched(Last(c))
  THEN /\ bLog' = c
       /\ IF Last(c).v # CHANGE THEN UNCHANGED <<ring, named>>
          ELSE LET pair == <<Last(c).id, Last(c).new>> IN
               /\ named' = named \cup {pair}
               /\ ring' = IF RingGrows THEN {p \in ring : p[1] # pair[1]} \cup {pair} ELSE {pair}
       /\ UNCHANGED <<bKept, refused>>
  ELSE /\ refused' = refused \cup {c}
       /\ bKept' = IF RefusedKept THEN bKept \cup {c} ELSE bKept
       /\ UNCHANGED <<bLog, ring, named>>

\* What A signed. It waits for what comes before it; of an old epoch it is refused.
Hear ==
  /\ \E c \in signed :
       /\ Front(c) = bLog \/ (Last(c).ep < Epoch(bLog) /\ ~IsPrefix(c, bLog) /\ c \notin refused)
       /\ Hears(c)
  /\ UNCHANGED <<a, stolen>>

\* A thief says something behind B's head, or tries to bring its own key in force.
HearThief ==
  /\ \E key \in stolen :
       LET word == Entry(Epoch(bLog), Slot(bLog), "forged", key)
           coup == [ep |-> Epoch(bLog) + 1, n |-> 1, v |-> CHANGE, key |-> key,
                    new |-> Evil, id |-> Evil, by |-> {key, Evil}]
       IN \E e \in {word, coup} :
            /\ \A i \in DOMAIN bLog : bLog[i].v # "forged"
            /\ Append(bLog, e) \notin refused
            /\ Hears(Append(bLog, e))
  /\ UNCHANGED <<a, stolen>>

---------------------------------------------------------------------------
Progress == Change \/ ChangeRefused \/ Hear
Next == Progress \/ Steal \/ Decide \/ HearThief \/ \E v \in Values : Say(v)
Spec == Init /\ [][Next]_vars
FairSpec == Spec /\ WF_vars(Progress)
ValuesAlike == Permutations(Values)
---------------------------------------------------------------------------
\* Each entry of the log was signed by the key in force at its slot.
OnlyKeyInForce ==
  \A n \in DOMAIN bLog :
    bLog[n].key = InForce(SubSeq(bLog, 1, n - 1))
\* No key came in force without the root. So a thief of a node key never takes the chain over,
ThiefStaysOut == InForce(bLog) # Evil
\* and once the change after a theft is logged, says nothing more.
RevokedIsSilent ==
  \A n \in DOMAIN bLog : bLog[n].v = "forged" => InForce(SubSeq(bLog, 1, n - 1)) \in stolen
\* Nothing refused is lost.
RefusedCanBeShown == refused \subseteq bKept
\* Old proofs stay valid: each entry verifies with the one key that its id names.
OldProofsHold ==
  \A n \in DOMAIN bLog :
    \E pair \in ring : pair[2] = bLog[n].key
OneKeyForEachId == \A p, q \in named : p[1] = q[1] => p[2] = q[2]
\* Without a thief A equivocates in no state of a change.
NoEquivocation ==
  \A c, d \in signed : (Last(c).ep = Last(d).ep /\ Last(c).n = Last(d).n) => c = d

\* Liveness: a change of key loses nothing that was said.
EndsHeard ==
  <>[](~aMute /\ \A c \in signed : \E n \in DOMAIN bLog : bLog[n].v = Last(c).v)
============================================================================
