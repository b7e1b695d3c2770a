"""Every error that deconflict raises on purpose, in one tree.

::

    DeconflictError
        InvalidInputError          a person or another system gave something that cannot be used
            InvalidPositionError       latitude, longitude or their notation
            InvalidAltitudeError       altitude, band or reference
            InvalidTimeError           instant or span; relative or zoneless times
            InvalidGeometryError       outline, volume, trajectory
            InvalidDocumentError       JSON, GeoJSON, files: size, depth, duplicate keys, fields
                MessageTooLongError        more than one message can hold
                BadRowsError               rows of a table: which, and which field
            MissingExtraError          an optional part of deconflict is not installed
            BannedWordError            free text with a word no template or message may say
        VerificationError          something signed does not prove what it claims
            BadSignatureError          the signature is not of these bytes by this key
            NotCanonicalError          bytes differ from their canonical form
            UnknownKeyError            no pinned key has this id
            WeakKeyError               small-order or malformed public key
            WrongSenderError           ``from`` is not the party this line or certificate belongs to
            WrongLineError             the message belongs to another line
            BrokenChainError           numbers or hashes of a log do not follow one another
            ForkedChainError           two signed things for one slot: keep both, they are the proof
            BrokenProofError           hashes do not lead from what is shown to the root signed
            StaleCheckpointError       a proof begins at another size than the witness signed last
            CheckRefusedError          a step of a private check is not what was agreed or due: why
                RefusedBatchError      points, counts or a proof of it: which, and why
        LineStateError             what was asked is impossible in the present state of the line
            NoRoomError                our disk, or the peer's, has room for what is urgent alone
            NotReleasedError           a second person has to release this first
        StoreError                 the database cannot be trusted or used
            StoreInUseError            another process holds it
            StoreVersionError          it was written by a newer deconflict
            StoreDamagedError          its log does not verify
            StoreSlotTakenError        a slot or name already holds something else
            StoreFullError             no room: nothing was written
            StoreBrokenError           reading or writing failed: open again and verify
            GuardMovedError            another process moved the guard: two nodes use one record
        BrokenTurnError            the node broke off half way: it stops, and starts from its record
        ConfigurationError         the node's folder or settings are unusable
        NotAuthenticatedError      no valid token, or a wrong account name or password
            TooManyAttemptsError       wrong passwords too often, or too many at once: wait
            SessionEndedError          this login ended with its watch
        NotPermittedError          this account's role may not do this
        NotFoundError              the named thing does not exist here
            PartMissingError           a part of a private check is not here, or is damaged
        PeerUnreachableError       the peer's node did not answer
        NodeUnreachableError       our own node did not answer its operator
        PromiseBrokenError         a step of the demo did not come out as promised

Every message says what was wrong with the value given, what was expected, and what to do. The
same facts stand as attributes. Keys, passphrases and tokens appear in none of them.
"""


class DeconflictError(Exception):
    """Base of all errors raised on purpose.

    Args:
        problem: what is wrong, in words a person can act on.
        given: the offending value, already shortened for showing.
        expected: what would have been accepted.
        remedy: what to do now.
    """

    def __init__(
        self, problem: str, *, given: str = "", expected: str = "", remedy: str = ""
    ) -> None:
        self.problem = problem
        self.given = given
        self.expected = expected
        self.remedy = remedy
        parts = [problem]
        if given:
            parts.append(f"given: {given}")
        if expected:
            parts.append(f"expected: {expected}")
        if remedy:
            parts.append(f"to do: {remedy}")
        super().__init__("; ".join(parts))


class InvalidInputError(DeconflictError):
    """A person or another system gave something that cannot be used."""


class InvalidPositionError(InvalidInputError):
    """A latitude, a longitude or their notation cannot be used."""


class InvalidAltitudeError(InvalidInputError):
    """An altitude, an altitude band or its reference cannot be used."""


class InvalidTimeError(InvalidInputError):
    """An instant or a time span cannot be used."""


class InvalidGeometryError(InvalidInputError):
    """An outline, a volume or a trajectory cannot be used."""


class InvalidDocumentError(InvalidInputError):
    """A document is too large, too deep, ambiguous, or lacks what it must say."""


class MessageTooLongError(InvalidDocumentError):
    """It is more than one message can hold."""


class BadRowsError(InvalidDocumentError):
    """Rows of a table cannot be used; the first one is told.

    Args:
        rows: the numbers of all rows with the same fault, counted as the message counts them.
        field: the column at fault.
    """

    def __init__(
        self,
        problem: str,
        *,
        given: str = "",
        expected: str = "",
        remedy: str = "",
        rows: tuple[int, ...] = (),
        field: str = "",
    ) -> None:
        super().__init__(problem, given=given, expected=expected, remedy=remedy)
        self.rows = rows
        self.field = field


class MissingExtraError(InvalidInputError):
    """What was asked needs an optional part of deconflict that is not installed."""


class BannedWordError(InvalidInputError):
    """Free text holds a word that no message on a line may say (R32)."""


class VerificationError(DeconflictError):
    """Something signed does not prove what it claims.

    Args:
        evidence: the signed things that show it, to be kept (for a fork: both of them).
    """

    def __init__(
        self,
        problem: str,
        *,
        given: str = "",
        expected: str = "",
        remedy: str = "",
        evidence: tuple[object, ...] = (),
    ) -> None:
        super().__init__(problem, given=given, expected=expected, remedy=remedy)
        self.evidence = evidence


class BadSignatureError(VerificationError):
    """The signature was not made over these bytes by this key."""


class NotCanonicalError(VerificationError):
    """The bytes are not the one canonical form of what they say."""


class UnknownKeyError(VerificationError):
    """No pinned key has this id."""


class WeakKeyError(VerificationError):
    """A public key is malformed or of small order, so signatures under it prove nothing."""


class WrongSenderError(VerificationError):
    """The sender named is not the party that this line or certificate belongs to."""


class WrongLineError(VerificationError):
    """The message belongs to another line."""


class BrokenChainError(VerificationError):
    """Numbers or hashes of a log do not follow one another."""


class ForkedChainError(VerificationError):
    """One party signed two different things for one slot; both are kept as the proof."""


class BrokenProofError(VerificationError):
    """The hashes of a proof do not lead from what is shown to the root that was signed."""


class StaleCheckpointError(VerificationError):
    """The proof of a checkpoint begins at another size than this witness cosigned last."""


class CheckRefusedError(VerificationError):
    """A step of a private check is not what was agreed or due. The check has ended.

    Attributes:
        reason: a fixed word, as ``specs/private-check.md`` lists them.
    """

    def __init__(
        self,
        problem: str,
        *,
        reason: str,
        given: str = "",
        expected: str = "",
        remedy: str = "keep what came: it is the proof; the plans are NOT CHECKED",
    ) -> None:
        super().__init__(problem, given=given, expected=expected, remedy=remedy)
        self.reason = reason


class RefusedBatchError(CheckRefusedError):
    """Points or proofs of a private check cannot be used.

    Attributes:
        reason: ``WRONG_COUNT``, ``NOT_CANONICAL``, ``IDENTITY``, ``DUPLICATE``,
            ``PROOF_NOT_CANONICAL``, ``BAD_PROOF`` or ``BAD_KEY``.
        slot: the first slot concerned; None where it is the whole batch.
        index: the place of the point in its slot, the first being 0; None where it is no point.
    """

    def __init__(
        self, problem: str, *, reason: str, slot: int | None = None, index: int | None = None
    ) -> None:
        super().__init__(problem, reason=reason)
        self.slot = slot
        self.index = index


class LineStateError(DeconflictError):
    """What was asked is impossible in the present state of the line."""


class NoRoomError(LineStateError):
    """A disk is nearly full, ours or the peer's: room is kept for what is more urgent."""


class NotReleasedError(LineStateError):
    """The party wants two persons for this, and a second one has not released it."""


class StoreError(DeconflictError):
    """The database cannot be trusted or used."""


class StoreInUseError(StoreError):
    """Another process holds the database."""


class StoreVersionError(StoreError):
    """The database was written by a newer deconflict."""


class StoreDamagedError(StoreError):
    """The stored log does not verify."""


class StoreSlotTakenError(StoreError):
    """A slot or name already holds something else; nothing was written."""


class StoreFullError(StoreError):
    """The disk has no room; nothing was written and what is stored stays readable."""


class StoreBrokenError(StoreError):
    """Reading or writing failed: nothing more is believed until it is opened and verified anew."""


class GuardMovedError(StoreError):
    """Another process moved the guard of this node's record: two nodes use one guard."""


class BrokenTurnError(DeconflictError):
    """A turn of the node broke off half way, so its memory no longer agrees with its record."""


class ConfigurationError(DeconflictError):
    """The node's folder or settings are unusable."""


class NotAuthenticatedError(DeconflictError):
    """No valid token was given, or the account's name or password is wrong."""


class TooManyAttemptsError(NotAuthenticatedError):
    """Logging in is refused for a while, right password or not.

    Args:
        problem: what happened.
        retry_after_s: whole seconds until the next attempt is looked at.
    """

    def __init__(self, problem: str, *, retry_after_s: int) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(problem, remedy=f"wait {retry_after_s} s, then try again")


class SessionEndedError(NotAuthenticatedError):
    """The login was good once, and ended before its time."""


class NotPermittedError(DeconflictError):
    """The role of this account does not allow this action."""


class NotFoundError(DeconflictError):
    """The named thing does not exist here."""


class PartMissingError(NotFoundError):
    """A part of a step of a private check is not here, or what lies in its place is not it."""


class PeerUnreachableError(DeconflictError):
    """The peer's node did not answer."""


class NodeUnreachableError(DeconflictError):
    """Our own node did not answer its operator's command."""


class PromiseBrokenError(DeconflictError):
    """A step of the demo did not come out as promised."""
