"""What a run of a private check takes from a bundle beside its entries: the document, and parts."""

import hashlib
from typing import IO, Final

from deconflict.errors import InvalidInputError, NotFoundError, VerificationError
from deconflict.line.statement import hash_of
from deconflict.messages.agreement import read_terms
from deconflict.messages.private_terms import PrivateCheckTerms
from deconflict.node.bundle_lines import MAX_BUNDLE_LINE_BYTES, PartItem, TermsItem, proven_item
from deconflict.node.bundle_verified import VerifiedBundle
from deconflict.node.private.recorded import AuditedRun, RecordedRun

__all__ = ["audited_in"]

_TERMS: Final = b'"type":"terms"}\n'
_PART: Final = b'"type":"part"}\n'


def audited_in(file: IO[bytes], proven: VerifiedBundle, recorded: RecordedRun) -> AuditedRun:
    """Return what an arbiter finds in a run of a verified bundle.

    The file is read again; should it be another one by now, nothing is believed of it that was not
    proven: terms and parts are known by their hashes. Holds the parts of one run at most, as long
    as the terms say.

    Args:
        file: the bundle, at its beginning.
        proven: what it proves.
        recorded: was shown its entries while it was verified.

    Raises:
        NotFoundError: it has no such run, or no terms that both signed have its document.
    """
    document: PrivateCheckTerms | None = None
    wanted: frozenset[str] = frozenset()
    parts: dict[str, bytes] = {}
    while line := file.readline(MAX_BUNDLE_LINE_BYTES + 1):
        if document is None and line.endswith(_TERMS):
            document = _document(line, proven, recorded)
            if document is not None:
                wanted = recorded.parts_wanted(document)
        elif line.endswith(_PART):
            item = proven_item(line)
            if isinstance(item, PartItem) and item.sha256 in wanted:
                data = item.exact
                if hashlib.sha256(data).hexdigest() == item.sha256:
                    parts[item.sha256] = data
    if document is None:
        recorded.require_there()
        raise NotFoundError(
            "no terms that both parties signed have the document of this private check",
            remedy="take the record of the line on which it was run",
        )
    return recorded.audited(document, parts, proven.exported_utc)


def _document(
    line: bytes, proven: VerifiedBundle, recorded: RecordedRun
) -> PrivateCheckTerms | None:
    item = proven_item(line)
    if not isinstance(item, TermsItem) or hash_of(item.exact) not in proven.agreed_terms:
        return None
    try:
        document = read_terms(item.exact).private_check
    except (InvalidInputError, VerificationError):
        return None  # of another edition: they cannot have the document of this check
    return document if document is not None and recorded.has_document(document) else None
