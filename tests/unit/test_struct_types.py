"""Types are described before there is a second thread that may meet one half described."""

import gc
import subprocess
import sys

import msgspec

from deconflict.node.struct_types import describe_types

# A type that is described refers to its description.
DESCRIBED = "StructInfo"


def described(kind: type[msgspec.Struct]) -> bool:
    return any(type(held).__name__ == DESCRIBED for held in gc.get_referents(kind))


def test_a_type_is_described_with_all_below_it() -> None:
    class Inner(msgspec.Struct):
        x: int

    class Outer(msgspec.Struct):
        inner: Inner | None

    class Below(Outer):
        y: int

    assert not described(Below)
    describe_types()
    assert described(Inner)
    assert described(Outer)
    assert described(Below)


def test_a_type_that_cannot_be_read_keeps_no_other_from_being_described() -> None:
    class Unreadable(msgspec.Struct):
        x: set[int] | list[int]

    class Other(msgspec.Struct):
        x: int

    describe_types()
    assert described(Other)


NODE = """
import gc, msgspec
import deconflict.cli.serving
from deconflict.node import opening
def below(kind):
    for one in kind.__subclasses__():
        yield one
        yield from below(one)
def described(kind):
    return any(type(held).__name__ == "StructInfo" for held in gc.get_referents(kind))
before = set(below(msgspec.Struct))
opening.describe_types()
import deconflict.api, deconflict.node, deconflict.messages, deconflict.line, deconflict.store
import importlib, pkgutil
for package in (deconflict.api, deconflict.node, deconflict.messages, deconflict.line):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
# A witness, and what an arbiter reads, are programs of their own, in which one thread reads.
APART = {"deconflict.store.witness_ledger", "deconflict.node.private.recorded"}
late = {
    kind
    for kind in set(below(msgspec.Struct)) - before
    if not described(kind) and kind.__module__ not in APART
}
print(len(before), sorted(f"{kind.__module__}.{kind.__qualname__}" for kind in late))
"""


def test_a_node_has_imported_every_type_it_reads_before_it_opens() -> None:
    said = subprocess.run(
        [sys.executable, "-c", NODE], capture_output=True, check=True, text=True, timeout=120
    ).stdout
    count, late = said.split(" ", 1)
    assert int(count) > 150
    assert late.strip() == "[]"
