"""Two nodes are made, pin each other, run, and sign the same terms."""

from deconflict.demo import story
from deconflict.demo.party import HOST, PLANNER, WATCH
from deconflict.demo.stage import Stage

__all__ = ["agree", "make", "pin", "serve"]


def make(stage: Stage) -> None:
    """Make both nodes and their accounts."""
    stage.tell.says("Keys, certificate and record of its own for each; nothing is shared.")
    for party in stage.parties:
        words = ["init", party.name, "--party", party.name]
        for language in story.LANGUAGES[party.name]:
            words += ["--language", language]
        words += ["--peer-listen", f"{HOST}:{party.peer_port}"]
        words += ["--operators-listen", f"{HOST}:{party.operators_port}"]
        party.run(*words, "--passwords", party.secret_file(f"admin {party.password}\n"))
        password = party.secret_file(f"{party.password}\n")
        for account, role in ((WATCH, "watch_officer"), (PLANNER, "releasing_officer")):
            words = ["account", "add", account, "--role", role, "--login"]
            party.on_node(*words, "--password-file", password)
    stage.tell.proven("alder's desk reads English, birch's desk reads Russian")


def pin(stage: Stage) -> None:
    """Exchange invitations; each types the fingerprint that it hears from the other."""
    stage.tell.says(
        "Each reads its fingerprint to the other by voice. The file alone proves nothing."
    )
    heard = {party.name: party.on_node("peer", "show")["fingerprint"] for party in stage.parties}
    wrong = "00000" + heard["birch"][5:]
    add = ("peer", "add", stage.birch.invitation, "--fingerprint")
    stage.alder.on_node(*add, wrong, code=1)
    stage.tell.proven("one group of digits wrong: refused, nothing pinned")
    for party, other in stage.pairs:
        pinned = ("peer", "add", other.invitation, "--fingerprint", heard[other.name])
        party.on_node(*pinned)
    stage.tell.proven("both pinned: from now on each lets in this one key and no other")


def serve(stage: Stage) -> None:
    """Start both nodes and wait until they have found each other."""
    stage.tell.says("Two processes, mutual TLS 1.3 between them. A desk of each side watches.")
    for party in stage.parties:
        party.serve()
    for party in stage.parties:
        party.ready()
        party.open_screen()
    for party, other in stage.pairs:
        party.screen.wait("line", {"peer": other.name, "state": "UP"}, what="the line UP")
    stage.tell.proven("the line is UP on both screens")


def agree(stage: Stage) -> None:
    """Propose terms and sign them."""
    stage.tell.says(
        "Where the line applies, how near is too near, how soon to answer. Nothing can be declared "
        "before both have signed the same bytes."
    )
    words = ["terms", "propose", "--default", "--theatre", story.THEATRE]
    words += ["--outline", story.OUTLINE, "--minima", story.MINIMA]
    for landmark in story.LANDMARKS:
        words += ["--landmark", landmark]
    stage.alder.planner(*words, "--third-party", story.THIRD_PARTY)
    stage.birch.screen.wait("terms", {"state": "PROPOSED_BY_PEER"}, what="the proposed terms")
    proposed = stage.birch.planner("terms", "show", "--proposed")["proposed_hash"]
    stage.birch.planner("terms", "accept", "--hash", proposed[:10])
    for party in stage.parties:
        party.screen.wait("terms", {"state": "AGREED"}, what="agreed terms")
    stage.facts["terms"] = proposed
    stage.tell.proven("in force: 5 NM or 1,000 ft between flights; 3 landmarks; cedar has no line")
