"""Both export the record; anybody can prove it, and nobody can change it."""

from deconflict.demo.stage import Stage

__all__ = ["prove"]

ALTERED = "altered.deconflict"


def prove(stage: Stage) -> None:
    """Export from both sides, verify both, and see an altered copy refused."""
    stage.tell.says("Anybody can verify the record, offline, with the two public keys.")
    keys = []
    for party in stage.parties:
        keys += ["--key", f"{party.name}={party.invitation}"]
    heads = []
    for party in stage.parties:
        record = f"{party.name}.deconflict"
        party.planner("export", "--out", record)
        proven = party.run("verify", record, *keys)
        heads.append(
            [(chain["party"], chain["length"], chain["head"]) for chain in proven["chains"]]
        )
    stage.promise(
        heads[0] == heads[1],
        "the two sides' records differ",
        given=f"{heads[0]} and {heads[1]}",
        expected="the same chains",
    )
    stage.tell.proven("both records are VERIFIED, and hold the same two chains of messages")
    data = bytearray((stage.root / "alder.deconflict").read_bytes())
    data[len(data) // 2] ^= 1
    (stage.root / ALTERED).write_bytes(data)
    stage.birch.run("verify", ALTERED, *keys, code=1)
    stage.facts["record_bytes"] = len(data)
    stage.tell.proven(f"a copy with 1 of its {len(data):,} bytes changed is NOT VERIFIED")
