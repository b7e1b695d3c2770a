"""The kernel of private checks against its slow twin, and against itself from the other side."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle import sealed_twin as twin

from deconflict.sealed.cells import SlotCells
from deconflict.sealed.oprf import Evaluation, Receiver, Sender, public_key

SECRETS = st.binary(min_size=32, max_size=32)
SLOTS = st.integers(0, 2**32 - 1)


@st.composite
def cell_sets(draw: st.DrawFn, most: int) -> SlotCells:
    """Cells of a few slots, some of them empty, all of one length."""
    length = draw(st.integers(1, 40))
    cells = st.lists(st.binary(min_size=length, max_size=length), max_size=most)
    return SlotCells.of(
        draw(st.dictionaries(SLOTS, cells, min_size=1, max_size=3)), cell_length=length
    )


def by_slot(cells: SlotCells) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {slot: [] for slot in cells.slots}
    for slot, cell in cells:
        found[slot].append(cell)
    return found


@settings(max_examples=12)
@given(SECRETS, SECRETS, SECRETS, cell_sets(most=2))
def test_every_byte_is_that_of_the_twin(
    mine: bytes, peers: bytes, ssid: bytes, cells: SlotCells
) -> None:
    per_slot, slots = 2, cells.slots
    assert public_key(peers) == twin.public_key(peers)
    question = Receiver(mine, ssid, public_key(peers)).ask(cells, per_slot)
    assert question.points == twin.blinded(mine, ssid, by_slot(cells), per_slot, cells.cell_length)
    answer = Sender(peers, ssid).evaluate(slots, per_slot, question.points)
    expected = twin.evaluated(peers, ssid, slots, per_slot, question.points)
    assert answer == Evaluation(*expected)
    assert question.finalize(answer) == twin.tags(peers, ssid, by_slot(cells))


@settings(max_examples=60)
@given(SECRETS, SECRETS, SECRETS, cell_sets(most=40), st.integers(40, 70))
def test_the_senders_tag_is_the_receivers_tag(
    mine: bytes, peers: bytes, ssid: bytes, cells: SlotCells, per_slot: int
) -> None:
    sender = Sender(peers, ssid)
    question = Receiver(mine, ssid, public_key(peers)).ask(cells, per_slot)
    assert len(question.points) == 32 * per_slot * len(cells.slots)
    answer = sender.evaluate(cells.slots, per_slot, question.points)
    assert question.finalize(answer) == sender.tags(cells)


@settings(max_examples=40)
@given(
    SECRETS,
    st.dictionaries(st.integers(0, 3), st.sets(st.integers(0, 60), max_size=35)),
    st.dictionaries(st.integers(0, 3), st.sets(st.integers(0, 60), max_size=35)),
)
def test_equal_tags_are_the_plain_intersection(
    peers: bytes, asked: dict[int, set[int]], held: dict[int, set[int]]
) -> None:
    def cells_of(plan: dict[int, set[int]]) -> SlotCells:
        return SlotCells.of({s: [n.to_bytes(10, "big") for n in own] for s, own in plan.items()})

    mine, theirs, ssid = cells_of(asked), cells_of(held), bytes(32)
    sender = Sender(peers, ssid)
    question = Receiver(bytes(32), ssid, public_key(peers)).ask(mine, 35)
    tags = question.finalize(sender.evaluate(mine.slots, 35, question.points))
    known = {sender.tags(theirs)[at : at + 12] for at in range(0, 12 * len(theirs), 12)}
    hits = {place for at, place in enumerate(mine) if tags[12 * at : 12 * at + 12] in known}
    assert hits == set(mine) & set(theirs)


def test_sizes_around_a_piece_of_work_all_agree() -> None:
    sender = Sender(bytes(32), bytes(32))
    receiver = Receiver(bytes([1]) * 32, bytes(32), public_key(bytes(32)))
    for size in (0, 1, 31, 32, 33, 255, 256, 257, 511, 513):
        cells = SlotCells.of({5: [n.to_bytes(10, "big") for n in range(size)], 6: []})
        question = receiver.ask(cells, max(size, 1))
        answer = sender.evaluate((5, 6), max(size, 1), question.points)
        assert question.finalize(answer) == sender.tags(cells)
