"""Every parser that is fuzzed, on its corpus and on near misses of it: what CI runs of the fuzzing.

The long runs are ``make fuzz-parsers`` (atheris, coverage-guided), told in
``docs/reference/faults.md``.
"""

import random

import pytest
from tests.fuzz.parsers import PARSERS, never_breaks

NEAR_MISSES = 300


def altered(rng: random.Random, data: bytes) -> bytes:
    """Do what a fuzzer does: flip, cut, repeat, put in a token that parsers dislike."""
    place = rng.randrange(len(data) + 1)
    token = rng.choice((b"\x00", b"\xff", b"1e999", b"NaN", b'"', b"{", b"[", b"\\ud800", b"-0"))
    match rng.randrange(4):
        case 0 if data:
            place %= len(data)
            return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]
        case 1:
            return data[:place]
        case 2:
            return data[:place] + data[rng.randrange(len(data) + 1) :]
        case _:
            return data[:place] + token + data[place:]


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_reads_some_of_its_corpus_and_breaks_on_no_near_miss(name: str) -> None:
    parser, rng = PARSERS[name], random.Random(name)
    corpus = list(parser.corpus())
    read = [never_breaks(parser, data) for data in corpus]
    assert any(read)
    for _ in range(NEAR_MISSES):
        never_breaks(parser, altered(rng, rng.choice(corpus)))
