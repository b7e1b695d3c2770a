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
    Check("crashes and a hostile network break no promise of a chain", "Chain"),
    Check(
        "whatever the peer does, what is said ends answered or told",
        "Chain",
        ONE_MESSAGE,
        spec="AloneSpec",
        liveness="EndsAnsweredOrTold",
    ),
    Check(
        "once faults end, what is said is receipted",
        "Chain",
        TWO_MESSAGES,
        spec="WellSpec",
        liveness="EndsReceipted",
    ),
    Check("two restores of each side break no promise", "Restore"),
    Check(
        "restores in the middle of a longer talk break no promise",
        "Restore",
        {"MaxRestoreA": "1", "MaxMsg": "2"},
    ),
    Check(
        "after the last restore both sides speak and agree",
        "Restore",
        {**ONE_RESTORE_EACH, "MaxMsg": "2"},
        spec="FairSpec",
        liveness="EndsAgreed",
    ),
    Check(
        "a peer that lies about what one said makes nobody equivocate",
        "Restore",
        {"MaxRestoreA": "2", "MaxRestoreB": "0", "MaxMsg": "2", "LyingB": "TRUE"},
        invariants=("NoEquivocation",),
    ),
    Check("a lying peer silences nothing, locks nobody out and is caught", "Liar"),
    Check("old, stolen and revoked keys do what they may and no more", "Keys"),
    Check(
        "a change of key loses nothing that was said",
        "Keys",
        ROTATIONS,
        spec="FairSpec",
        liveness="EndsHeard",
    ),
    Check("both sides show DOWN within five seconds of a one-way loss", "Beats"),
    Check(
        "a one-way loss comes to be shown and stays shown", "Beats", liveness="EndsDown"
    ),
)

_AT_START = ("HeardComparedAtStart", OFF)
# fault, module, switch, what must be found violated
_SAFETY = (
    ("a slot signed before it is durable", "Chain", "PersistFirst", "NoEquivocation"),
    ("a receipt for what is only in memory", "Chain", "FsyncFirst", "ReceiptStaysTrue"),
    ("a message accepted out of order", "Chain", "InOrder", "NothingFabricated"),
    ("a duplicate logged again", "Chain", "OnceEach", "NothingFabricated"),
    ("a start that does not escalate", "Chain", "EscalateOnBoot", "NoSilentAlarm"),
    ("an expiry ignored", "Chain", "ExpiryHeeded", "LateNeverActed"),
    ("an expiry judged on arrival alone", "Chain", "JudgedWhenLogged", "LateNeverActed"),
    ("a restored author that speaks at once", "Restore", "AuthorAsks", "NoEquivocation"),
    ("a restored author that keeps its epoch", "Restore", "FreshEpoch", "NoEquivocation"),
    ("a restored listener that receipts at once", "Restore", "ListenerAsks", "ReceiptStaysTrue"),
    ("an EPOCH that overwrites the head", "Restore", "EpochFollowsHead", "ReceiptStaysTrue"),
    ("an answer to an earlier question believed", "Restore", "NonceCounts", "ReceiptStaysTrue"),
    ("a mute author that answers a listener", "Restore", "AuthorFirst", "LogsAgree"),
    ("an answer from before the author's restore", "Restore", "AnswerVoids", "LogsAgree"),
    ("a receipt believed by its slot number", "Liar", "ReceiptCompared", "SilentOnlyWithProof"),
    ("a false `heard` believed as it comes", "Liar", "HeardCompared", "SilentOnlyWithProof"),
    ("a second message that replaces the first", "Liar", "FirstStays", "HonestCanRebut"),
    ("a shown fork thrown away", "Liar", "EvidenceKept", "ForkIsProven"),
    ("a receipt for what was only seen", "Liar", "DurableFirst", "HonestCanRebut"),
    ("a restored party in its old epoch", "Liar", "FreshEpoch", "HonestNeverConvicted"),
    ("a judge who does not look at the epoch", "Liar", "EpochJudged", "HonestNeverConvicted"),
    ("a changed key in the old epoch", "Keys", "FreshEpoch", "NoEquivocation"),
    ("an old key heard", "Keys", "OldKeyRefused", "OnlyKeyInForce"),
    ("a new key without the root", "Keys", "RootNeeded", "ThiefStaysOut"),
    ("a refused packet thrown away", "Keys", "RefusedKept", "RefusedCanBeShown"),
    ("old keys forgotten", "Keys", "RingGrows", "OldProofsHold"),
    ("key ids chosen freely", "Keys", "IdsAreHashes", "OneKeyForEachId"),
    ("beats without echo", "Beats", "Echoes", "BothDown"),
    ("an echo that keeps its beat young", "Beats", "EchoAged", "BothDown"),
)

# What else a fault breaks, or a wrong figure: fault, module, constant, value, invariant
_ONE_INVARIANT = (
    ("a receipt held for what is lost", "Chain", "FsyncFirst", OFF, "LogsAgree"),
    ("a false `heard` believed at the start", "Liar", *_AT_START, "SilentOnlyWithProof"),
    ("a false `heard` that stops the start", "Liar", *_AT_START, "NeverLockedOut"),
    ("an old key heard after its revocation", "Keys", "OldKeyRefused", OFF, "RevokedIsSilent"),
    ("four seconds of silence borne", "Beats", "HeardLimit", "8", "ListenerDown"),
    ("echoes given two and a half seconds", "Beats", "EchoLimit", "5", "NoFalseAlarm"),
)


def _planted(fault: str, module: str, switch: str, violates: str) -> Check:
    return Check(fault, module, {switch: OFF}, violates=violates)


def _alone(fault: str, module: str, switch: str, value: str, violates: str) -> Check:
    return Check(fault, module, {switch: value}, violates=violates, invariants=(violates,))


def _lively(fault: str, right: str, switch: str) -> Check:
    whole = next(one for one in RIGHT if one.fact == right)
    settings = {**whole.settings, switch: OFF}
    return replace(whole, fact=fault, settings=settings, violates=whole.liveness)


PLANTED = (
    *(_planted(*fault) for fault in _SAFETY),
    *(_alone(*fault) for fault in _ONE_INVARIANT),
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
