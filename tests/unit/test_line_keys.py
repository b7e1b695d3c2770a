"""Keys, fingerprints and key files."""

import json
from random import Random

import pytest

from deconflict.errors import BadSignatureError, InvalidDocumentError, WeakKeyError
from deconflict.line.keyfile import is_sealed, open_seed, seal_seed
from deconflict.line.keys import CONTEXT_ENVELOPE, CONTEXT_RECEIPT, SigningKey, VerifyKey

SEED = bytes(range(32))
CHEAP = {"ops": 1, "memory_bytes": 8_192}  # real Argon2id, with the least it allows
random_bytes = Random(1).randbytes


def test_signature_holds_for_its_context_alone() -> None:
    key = SigningKey.from_seed(SEED)
    signature = key.sign(CONTEXT_ENVELOPE, b"text")
    key.verify_key.verify(CONTEXT_ENVELOPE, b"text", signature)
    with pytest.raises(BadSignatureError):
        key.verify_key.verify(CONTEXT_RECEIPT, b"text", signature)


@pytest.mark.parametrize(
    "context", [b"", b"envelope", b"deconflict/1 envelope", b"deconflict/1 \n"]
)
def test_malformed_context_signs_nothing(context: bytes) -> None:
    with pytest.raises(ValueError, match="first line"):
        SigningKey.from_seed(SEED).sign(context, b"text")


def test_fingerprint_is_eight_groups_of_five_digits_and_nothing_shorter_matches() -> None:
    key = SigningKey.from_seed(SEED).verify_key
    groups = key.fingerprint().split(" ")
    assert [len(group) for group in groups] == [5] * 8
    assert all(int(group) < 65_536 for group in groups)
    assert key.matches(key.fingerprint().replace(" ", "-"))
    assert key.matches(f"  {key.key_id.upper()}\n")
    assert not key.matches(" ".join(groups[:7]))
    assert not key.matches(key.key_id[:32])
    assert not key.matches("")
    assert not key.matches(SigningKey.from_seed(bytes(32)).verify_key.fingerprint())


def test_public_key_survives_its_text_form() -> None:
    key = SigningKey.from_seed(SEED).verify_key
    assert VerifyKey.from_base64(key.to_base64()) == key
    for bad in ("", "!!!", key.to_base64()[:-4], key.to_base64() + "AAAA"):
        with pytest.raises(WeakKeyError):
            VerifyKey.from_base64(bad)


def test_no_text_form_shows_the_secret() -> None:
    key = SigningKey.from_seed(SEED)
    for text in (repr(key), str(key), repr(key.verify_key)):
        assert SEED.hex() not in text


def test_generated_key_takes_its_seed_from_the_source_given() -> None:
    assert SigningKey.generate(lambda count: SEED[:count]).seed == SEED


def test_sealed_key_file_opens_with_its_passphrase_alone() -> None:
    data = seal_seed(SEED, "Latakia 35.5", random_bytes=random_bytes, **CHEAP)
    assert is_sealed(data)
    assert open_seed(data, "Latakia 35.5") == SEED
    with pytest.raises(BadSignatureError):
        open_seed(data, "latakia 35.5")
    with pytest.raises(InvalidDocumentError):
        open_seed(data, None)


def test_clear_key_file_opens_without_one() -> None:
    data = seal_seed(SEED, None, random_bytes=random_bytes)
    assert not is_sealed(data)
    assert open_seed(data, None) == SEED


def test_same_seed_and_passphrase_seal_differently_each_time() -> None:
    first, second = (seal_seed(SEED, "x", random_bytes=random_bytes, **CHEAP) for _ in range(2))
    assert first != second


@pytest.mark.parametrize("field", ["box", "salt"])
def test_damaged_key_file_is_detected(field: str) -> None:
    value = json.loads(seal_seed(SEED, "x", random_bytes=random_bytes, **CHEAP))
    value[field] = ("A" if value[field][0] != "A" else "B") + value[field][1:]
    with pytest.raises(BadSignatureError):
        open_seed(json.dumps(value).encode(), "x")


@pytest.mark.parametrize(
    ("field", "value"),
    [("memory_bytes", 2**40), ("ops", 10**9), ("v", 2), ("form", "md5"), ("salt", "AA==")],
)
def test_key_file_that_asks_for_the_impossible_is_refused(field: str, value: object) -> None:
    content = json.loads(seal_seed(SEED, "x", random_bytes=random_bytes, **CHEAP))
    content[field] = value
    with pytest.raises(InvalidDocumentError):
        open_seed(json.dumps(content).encode(), "x")


def test_key_file_that_names_another_key_is_refused() -> None:
    content = json.loads(seal_seed(SEED, None, random_bytes=random_bytes))
    content["key_id"] = "0" * 64
    with pytest.raises(BadSignatureError):
        open_seed(json.dumps(content).encode(), None)
