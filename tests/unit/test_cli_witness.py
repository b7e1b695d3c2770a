"""``deconflict witness`` and what names one elsewhere: folder, lines, settings, keys."""

import json
import os
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main
from deconflict.errors import ConfigurationError, InvalidDocumentError
from deconflict.line.keys import SigningKey
from deconflict.line.note import NoteKey, NoteKind
from deconflict.node.folder import NodeFolder
from deconflict.node.settings import Endpoint, Settings, ThirdWitness
from deconflict.node.witness.folder import RENEW_DAYS, WitnessFolder, WitnessSettings

NOW_MS = time.time_ns() // 1_000_000
DAY_MS = 86_400_000
KEY = SigningKey.from_seed(bytes(range(32)))
VKEY = NoteKey("agency.example/w1", NoteKind.WITNESS, KEY.verify_key).to_text()
WITNESS = ThirdWitness(VKEY, "https://agency.example:8444", "agency.pem")


def run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def told(*words: object) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def invitation(path: Path, party: str) -> Path:
    made = NodeFolder.create(
        path / party,
        Settings(party),
        passphrase=None,
        now_utc_ms=NOW_MS,
        random_bytes=os.urandom,
    )
    return made.invitation_path


@pytest.fixture
def agency(tmp_path: Path) -> Path:
    folder = tmp_path / "agency"
    told("witness", "create", folder, "--name", "agency.example/w1")
    return folder


def test_a_witness_is_made_with_what_its_nodes_need(agency: Path) -> None:
    shown = told("witness", "show", agency)
    assert shown["vkey"] == (agency / "witness.vkey").read_text().strip()
    assert shown["vkey"].startswith("agency.example/w1+")
    assert (shown["lines"], shown["cosigned"], shown["refused"]) == ([], [], [])
    for secret in ("keys/witness.key", "keys/tls.key", "keys/tls-root.key", "ledger.sqlite"):
        assert stat.S_IMODE((agency / secret).stat().st_mode) == 0o600
    result = run("witness", "create", agency, "--name", "agency.example/w1")
    assert result.exit_code == 2
    assert "never overwritten" in result.output


def test_what_it_says_at_its_making_is_what_a_node_reads(tmp_path: Path) -> None:
    said = run("witness", "create", tmp_path / "w", "--name", "w.example").output
    lines = [line.strip() for line in said.splitlines() if line.startswith("    ")]
    start = lines.index("[[witness]]")
    settings = Settings.parse(Settings("blue").render() + "\n".join(lines[start : start + 4]))
    (witness,) = settings.witness
    assert witness.key.name == "w.example"


def test_a_line_is_added_once_and_shown(agency: Path, tmp_path: Path) -> None:
    blue, red = invitation(tmp_path, "blue"), invitation(tmp_path, "red")
    added = told("witness", "add-line", agency, blue, red)
    assert added["added"] == ["blue", "red"]
    again = told("witness", "add-line", agency, red, blue)
    assert (again["line_id"], again["added"]) == (added["line_id"], [])
    assert told("witness", "show", agency)["lines"] == [added["line_id"]]
    assert "nothing yet" in run("witness", "show", agency).output
    assert run("witness", "add-line", agency, blue, blue).exit_code == 2


def keys_of(agency: Path, line: str, party: str) -> set[str]:
    """The keys whose checkpoints the witness is willing to cosign."""
    with closing(WitnessFolder.open(agency).ledger()) as ledger:
        return set(ledger.keys_of(line, party))


def test_a_changed_key_is_taken_for_the_line_that_keeps_its_id(
    agency: Path, tmp_path: Path
) -> None:
    blue, red = invitation(tmp_path, "blue"), invitation(tmp_path, "red")
    line = told("witness", "add-line", agency, blue, red)["line_id"]
    (tmp_path / "new").mkdir()
    changed = invitation(tmp_path / "new", "blue")
    added = told("witness", "add-line", agency, changed, red, "--line", line)
    assert (added["line_id"], added["added"]) == (line, ["blue"])
    assert len(keys_of(agency, line, "blue")) == 2
    green = invitation(tmp_path, "green")
    for files, known in (((changed, red), "0" * 32), ((green, red), line)):
        result = run("witness", "add-line", agency, *files, "--line", known)
        assert result.exit_code == 2
        assert "no such line of these parties" in result.output


def test_the_key_that_a_root_vouches_for_is_taken_beside_the_invitation_of_the_first(
    agency: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("a quiet sky over the delta\n")
    secret.chmod(0o600)
    monkeypatch.setenv("DECONFLICT_ROOT_PASSPHRASE_FILE", str(secret))
    without_root, red = invitation(tmp_path, "blue"), invitation(tmp_path, "red")
    node, root = tmp_path / "blue", tmp_path / "blue.root"
    told("node", "root", "create", "--out", root)
    told("node", "root", "set", f"{root}.pub", "--node", node)
    told("peer", "invite", "--out", tmp_path / "blue.invitation", "--node", node)
    blue, asked, signed = (tmp_path / name for name in ("blue.invitation", "asked", "signed"))
    line = told("witness", "add-line", agency, blue, red)["line_id"]
    first = told("node", "key", "show", "--node", node)["key_id"]
    told("node", "key", "renew", "--out", asked, "--node", node)
    told("node", "root", "sign", asked, "--key", root, "--out", signed, "--yes")
    told("node", "key", "install", signed, "--node", node)
    added = told("witness", "add-line", agency, blue, red, "--change", signed)
    assert (added["line_id"], added["added"]) == (line, ["blue"])
    second = told("node", "key", "show", "--node", node)["key_id"]
    assert keys_of(agency, line, "blue") == {first, second}
    theft, ended = tmp_path / "theft", tmp_path / "ended"
    told("node", "key", "renew", "--revoke", "--out", theft, "--node", node)
    told("node", "root", "sign", theft, "--key", root, "--out", ended, "--yes")
    told("node", "key", "install", ended, "--node", node)
    third = told("node", "key", "show", "--node", node)["key_id"]
    for changes in ((signed, ended), (ended, signed), (signed,), ()):
        given = [each for change in changes for each in ("--change", change)]
        told("witness", "add-line", agency, blue, red, *given)
        assert keys_of(agency, line, "blue") == {third}
    for files, change in (((blue, red), asked), ((without_root, red), signed)):
        assert run("witness", "add-line", agency, *files, "--change", change).exit_code == 1
    green = invitation(tmp_path, "green")
    result = run("witness", "add-line", agency, green, red, "--change", signed)
    assert result.exit_code == 2
    assert "this change of key is of neither party" in result.output


def test_a_key_that_others_may_read_is_refused(agency: Path) -> None:
    (agency / "keys" / "witness.key").chmod(0o644)
    result = run("witness", "show", agency)
    assert result.exit_code == 2
    assert "chmod 600" in result.output


def test_a_certificate_that_ends_soon_is_renewed_and_its_key_stays(tmp_path: Path) -> None:
    folder = WitnessFolder.create(
        tmp_path / "w",
        WitnessSettings("w.example", Endpoint("127.0.0.1", 0), "https://127.0.0.1:8444"),
        now_utc_ms=NOW_MS - 380 * DAY_MS,
        random_bytes=os.urandom,
    )
    root, key = folder.root_path.read_bytes(), (folder.path / "keys" / "tls.key").read_bytes()
    assert folder.days_left(now_utc_ms=NOW_MS) < RENEW_DAYS
    assert folder.renew(now_utc_ms=NOW_MS, random_bytes=os.urandom)
    assert folder.days_left(now_utc_ms=NOW_MS) > 390
    assert not folder.renew(now_utc_ms=NOW_MS, random_bytes=os.urandom)
    assert (root, key) == (
        folder.root_path.read_bytes(),
        (folder.path / "keys" / "tls.key").read_bytes(),
    )


def test_what_is_no_witness_is_said(tmp_path: Path) -> None:
    for words in (("show", tmp_path), ("serve", tmp_path)):
        result = run("witness", *words)
        assert result.exit_code == 2
        assert "there is no witness here" in result.output


# ---- in node.toml --------------------------------------------------------------------------------


def test_witnesses_are_read_back_as_written() -> None:
    second = ThirdWitness(
        NoteKey("b.example", NoteKind.WITNESS, KEY.verify_key).to_text(),
        "https://b.example/prefix/a",
        "/etc/b.pem",
        10,
    )
    settings = Settings("blue", witness=(WITNESS, second))
    assert Settings.parse(settings.render()) == settings
    assert Settings.parse(Settings("blue").render()).witness == ()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"vkey": "agency"}, "key"),
        ({"vkey": VKEY[:-1]}, "key"),
        ({"vkey": NoteKey("a", NoteKind.AUTHOR, KEY.verify_key).to_text()}, "another kind"),
        ({"url": "http://agency.example"}, "URL"),
        ({"url": "https://me@agency.example"}, "URL"),
        ({"url": "https://agency.example/a?b"}, "URL"),
        ({"url": "agency.example"}, "URL"),
        ({"trust": ""}, "certificates"),
        ({"trust": 'a"b'}, "certificates"),
        ({"every_s": 9}, "every_s"),
        ({"every_s": 86_401}, "every_s"),
    ],
)
def test_a_witness_of_another_form_is_refused(changed: dict[str, Any], named: str) -> None:
    plain = {"vkey": VKEY, "url": WITNESS.url, "trust": "agency.pem"}
    with pytest.raises(ConfigurationError, match=named):
        ThirdWitness(**{**plain, **changed})


@pytest.mark.parametrize(
    "text",
    [
        "witness = 7",
        'witness = ["x"]',
        "[[witness]]",
        f'[[witness]]\nvkey = "{VKEY}"\nurl = "https://a.example"',
        f'[[witness]]\nvkey = "{VKEY}"\nurl = "https://a.example"\ntrust = "a"\nmore = 1',
        f'[[witness]]\nvkey = "{VKEY}"\nurl = "https://a.example"\ntrust = "a"\nevery_s = true',
        f'[[witness]]\nvkey = "{VKEY}"\nurl = "https://a.example"\ntrust = "a"\n' * 2,
    ],
)
def test_a_table_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Settings.parse(f'party = "blue"\n{text}')


def test_verify_refuses_what_is_no_key_of_a_witness(tmp_path: Path) -> None:
    keys = [f"blue={invitation(tmp_path, 'blue')}", f"red={invitation(tmp_path, 'red')}"]
    record = tmp_path / "record"
    record.write_bytes(b"{}\n")
    author = NoteKey("a", NoteKind.AUTHOR, KEY.verify_key).to_text()
    for vkey in ("agency", author):
        result = run("verify", record, "--key", keys[0], "--key", keys[1], "--witness", vkey)
        assert result.exit_code == 2
        assert "NOT VERIFIED" not in result.output


def test_a_key_of_a_witness_with_a_letter_amiss_is_no_weak_key_of_a_peer() -> None:
    at = VKEY.rindex("+") + 5
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    for letter in letters.replace(VKEY[at], ""):
        with pytest.raises(InvalidDocumentError, match="not a verifier key"):
            NoteKey.from_text(VKEY[:at] + letter + VKEY[at + 1 :])
    assert NoteKey.from_text(VKEY).to_text() == VKEY
