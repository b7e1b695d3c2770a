"""What is checked of the model of the line: as it is, and with each fault planted.

Every switch of a module is TRUE in the protocol; a planted fault sets one of them to FALSE. The
states of a right module and the steps to a fault are exact, so that a run that looked at less, or
found something else, is noticed.
"""

from dataclasses import replace

from tests.model.tlc import Check

__all__ = ["CHECKS", "PLANTED", "RIGHT"]

OFF = "FALSE"
ONE_MESSAGE = {"Values": "{x}", "MaxMsg": "1"}
TWO_MESSAGES = {"Values": "{x}", "MaxCrash": "1", "AnswerLimit": "1"}
ONE_RESTORE_EACH = {"MaxRestoreA": "1", "MaxRestoreB": "1"}
ROTATIONS = {"MaxMsg": "2", "Theft": OFF}

RIGHT = (
    Check("crashes and a hostile network break no promise of a chain", "Chain", states=227_047),
    Check(
        "whatever the peer does, what is said ends answered or told",
        "Chain",
        ONE_MESSAGE,
        spec="AloneSpec",
        liveness="EndsAnsweredOrTold",
        states=1_847,
    ),
    Check(
        "once faults end, what is said is receipted",
        "Chain",
        TWO_MESSAGES,
        spec="WellSpec",
        liveness="EndsReceipted",
        states=19_702,
    ),
    Check("two restores of each side break no promise", "Restore", states=86_578),
    Check(
        "restores in the middle of a longer talk break no promise",
        "Restore",
        {"MaxRestoreA": "1", "MaxMsg": "2"},
        states=19_147,
    ),
    Check(
        "after the last restore both sides speak and agree",
        "Restore",
        {**ONE_RESTORE_EACH, "MaxMsg": "2"},
        spec="FairSpec",
        liveness="EndsAgreed",
        states=12_646,
    ),
    Check(
        "a peer that lies about what one said makes nobody equivocate",
        "Restore",
        {"MaxRestoreB": "0", "MaxMsg": "2", "LyingB": "TRUE", "RefusalHeeded": OFF},
        invariants=("NoEquivocation",),
        states=11_275,
    ),
    Check("a lying peer silences nothing, locks nobody out and is caught", "Liar", states=248_591),
    Check("old, stolen and revoked keys do what they may and no more", "Keys", states=90_027),
    Check(
        "a change of key loses nothing that was said",
        "Keys",
        ROTATIONS,
        spec="FairSpec",
        liveness="EndsHeard",
        states=23_644,
    ),
    Check("both sides show DOWN within five seconds of a one-way loss", "Beats", states=16_842),
    Check(
        "a one-way loss comes to be shown and stays shown",
        "Beats",
        liveness="EndsDown",
        states=16_842,
    ),
    Check(
        "any copy ever made put back, in any order, breaks no promise",
        "Restore",
        {"AnyCopy": "TRUE", "MaxRestoreB": "1"},
        states=164_092,
    ),
)

_AT_START = ("HeardComparedAtStart", OFF)
# fault, module, switch, what must be found violated, after how many states
_SAFETY = (
    ("a slot signed before it is durable", "Chain", "PersistFirst", "NoEquivocation", 7),
    ("a receipt for what is only in memory", "Chain", "FsyncFirst", "ReceiptStaysTrue", 6),
    ("a message accepted out of order", "Chain", "InOrder", "NothingFabricated", 7),
    ("a duplicate logged again", "Chain", "OnceEach", "NothingFabricated", 6),
    ("a start that does not escalate", "Chain", "EscalateOnBoot", "NoSilentAlarm", 7),
    ("an expiry ignored", "Chain", "ExpiryHeeded", "LateNeverActed", 9),
    ("an expiry judged on arrival alone", "Chain", "JudgedWhenLogged", "LateNeverActed", 9),
    ("a restored author that speaks at once", "Restore", "AuthorAsks", "NoEquivocation", 4),
    ("a restored author that keeps its epoch", "Restore", "FreshEpoch", "NoEquivocation", 6),
    ("a restored listener that receipts at once", "Restore", "ListenerAsks", "ReceiptStaysTrue", 4),
    ("an EPOCH that overwrites the head", "Restore", "EpochFollowsHead", "ReceiptStaysTrue", 7),
    ("an answer to an earlier question believed", "Restore", "NonceCounts", "ReceiptStaysTrue", 8),
    ("a mute author that answers a listener", "Restore", "AuthorFirst", "LogsAgree", 9),
    ("an answer from before the author's restore", "Restore", "AnswerVoids", "LogsAgree", 13),
    ("a receipt believed by its slot number", "Liar", "ReceiptCompared", "SilentOnlyWithProof", 3),
    ("a false `heard` believed as it comes", "Liar", "HeardCompared", "SilentOnlyWithProof", 4),
    ("a second message that replaces the first", "Liar", "FirstStays", "HonestCanRebut", 4),
    ("a shown fork thrown away", "Liar", "EvidenceKept", "ForkIsProven", 3),
    ("a receipt for what was only seen", "Liar", "DurableFirst", "HonestCanRebut", 2),
    ("a restored party in its old epoch", "Liar", "FreshEpoch", "HonestNeverConvicted", 4),
    ("a judge who does not look at the epoch", "Liar", "EpochJudged", "HonestNeverConvicted", 3),
    ("a changed key in the old epoch", "Keys", "FreshEpoch", "NoEquivocation", 4),
    ("an old key heard", "Keys", "OldKeyRefused", "OnlyKeyInForce", 6),
    ("a new key without the root", "Keys", "RootNeeded", "ThiefStaysOut", 3),
    ("a refused packet thrown away", "Keys", "RefusedKept", "RefusedCanBeShown", 3),
    ("old keys forgotten", "Keys", "RingGrows", "OldProofsHold", 4),
    ("key ids chosen freely", "Keys", "IdsAreHashes", "OneKeyForEachId", 4),
    ("beats without echo", "Beats", "Echoes", "BothDown", 30),
    ("an echo that keeps its beat young", "Beats", "EchoAged", "BothDown", 30),
)

# What else a fault breaks, or a wrong figure: fault, module, constant, value, invariant, states
_ONE_INVARIANT = (
    ("a receipt held for what is lost", "Chain", "FsyncFirst", OFF, "LogsAgree", 7),
    ("a false `heard` believed at the start", "Liar", *_AT_START, "SilentOnlyWithProof", 5),
    ("a false `heard` that stops the start", "Liar", *_AT_START, "NeverLockedOut", 4),
    ("an old key heard after its revocation", "Keys", "OldKeyRefused", OFF, "RevokedIsSilent", 6),
    ("four seconds of silence borne", "Beats", "HeardLimit", "8", "ListenerDown", 23),
    ("echoes given two and a half seconds", "Beats", "EchoLimit", "5", "NoFalseAlarm", 3),
)


def _planted(fault: str, module: str, switch: str, violates: str, steps: int) -> Check:
    return Check(fault, module, {switch: OFF}, violates=violates, steps=steps)


def _alone(fault: str, module: str, switch: str, value: str, violates: str, steps: int) -> Check:
    settings = {switch: value}
    return Check(fault, module, settings, violates=violates, steps=steps, invariants=(violates,))


def _lively(fault: str, right: str, switch: str) -> Check:
    whole = next(one for one in RIGHT if one.fact == right)
    settings = {**whole.settings, switch: OFF}
    return replace(whole, fact=fault, settings=settings, violates=whole.liveness, states=0)


PLANTED = (
    *(_planted(*fault) for fault in _SAFETY),
    *(_alone(*fault) for fault in _ONE_INVARIANT),
    Check(
        "an author that speaks on past a log which leads elsewhere",
        "Restore",
        {**RIGHT[-1].settings, "FollowsHead": OFF},
        violates="LogsAgree",
        steps=14,
    ),
    _lively("a timer that need not be served", RIGHT[1].fact, "TimerServed"),
    _lively("a duplicate not receipted again", RIGHT[2].fact, "ReceiptAgain"),
    _lively("a restored listener that keeps the old epoch", RIGHT[5].fact, "ListenerAsks"),
    _lively("two mute sides that wait for each other", RIGHT[5].fact, "MuteAnswersAuthor"),
    _lively("a refused EPOCH left at that", RIGHT[5].fact, "RefusalHeeded"),
    _lively("a change signed by a key that never came in force", RIGHT[9].fact, "SignsInForce"),
    _lively("beats without echo, for ever", RIGHT[11].fact, "Echoes"),
    _lively("a change of key that forgets what was said", RIGHT[9].fact, "SaidAgain"),
)

CHECKS = (*RIGHT, *PLANTED)
