"""What is said of a private check, as a sentence with its values (`messages.message_text`)."""

from typing import Any, Final

from deconflict.messages.mediated_bodies import PrivateMediation, PrivateSubmit
from deconflict.messages.private_bodies import (
    PrivateAccept,
    PrivateCoin,
    PrivateDecline,
    PrivateEnd,
    PrivatePropose,
    PrivateStep,
)

__all__ = ["CHECKS", "CheckBody", "check_sentence"]

CheckBody = (
    PrivatePropose
    | PrivateAccept
    | PrivateDecline
    | PrivateStep
    | PrivateCoin
    | PrivateEnd
    | PrivateSubmit
    | PrivateMediation
)
CHECKS: Final = (
    PrivatePropose,
    PrivateAccept,
    PrivateDecline,
    PrivateStep,
    PrivateCoin,
    PrivateEnd,
    PrivateSubmit,
    PrivateMediation,
)


def check_sentence(body: CheckBody) -> tuple[str, dict[str, Any]]:
    """Return the name of the phrase that says it, and its values but for the party."""
    match body:
        case PrivatePropose(sites=sites) if sites is not None:
            return "PRIVATE_PROPOSE_SITES", {
                "protector": sites.protector,
                "start": body.start_utc,
                "points": sites.points,
            }
        case PrivatePropose(mediated=mediated) if mediated is not None:
            return f"PRIVATE_PROPOSE_{mediated.answer.value}", {
                "mediator": mediated.mediator,
                "start": body.start_utc,
            }
        case PrivatePropose(refines=None):
            return "PRIVATE_PROPOSE", {
                "runs": body.runs,
                "start": body.start_utc,
                "document": body.grid,
            }
        case PrivatePropose(refines=refines, start_utc=start) if refines is not None:
            return "PRIVATE_REFINE", {
                "check": refines.of,
                "run": refines.run,
                "start": start,
                "slots": len(refines.slots),
                "parts": refines.parts,
            }
        case PrivateAccept():
            return "PRIVATE_ACCEPT", {}
        case PrivateDecline(reason=reason):
            return "PRIVATE_DECLINE", {"reason": reason}
        case PrivateStep():
            return "PRIVATE_STEP", {
                "run": body.run,
                "step": body.step.value,
                "number": body.number,
                "size": body.size,
            }
        case PrivateCoin(run=run):
            return "PRIVATE_COIN", {"run": run}
        case PrivateSubmit():
            return "PRIVATE_SUBMIT", {
                "peer": body.peer,
                "lists": body.lists,
                "tags": body.bucket,
            }
        case PrivateMediation():
            first, second = (each.party for each in body.submissions)
            return "PRIVATE_MEDIATION", {
                "first": first,
                "second": second,
                "lists": len(body.answers),
            }
        case PrivateEnd(run=None, reason=why):
            return "PRIVATE_END_ALL", {"why": why.value}
        case PrivateEnd(run=run, reason=why):
            return "PRIVATE_END", {"run": run, "why": why.value}
    raise TypeError(f"no phrase says {type(body).__name__}")
