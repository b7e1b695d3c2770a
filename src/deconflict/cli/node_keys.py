"""``deconflict node``: the root of a party, made and used offline, and the node's change of key."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deconflict.cli.command import Group, command
from deconflict.cli.options import (
    as_json_option,
    existing_file,
    need_terminal,
    node_folder,
    node_option,
    private_text,
    secret,
)
from deconflict.cli.output import clean, count, fields, short, when, write_json
from deconflict.cli.written import require_free

if TYPE_CHECKING:
    from deconflict.line.key_change import KeyChange, KeyStatement
    from deconflict.line.keys import SigningKey
    from deconflict.line.root import Root

__all__ = ["node", "read_change_file"]

ROOT_PASSPHRASE_FILE = "DECONFLICT_ROOT_PASSPHRASE_FILE"  # noqa: S105  (the name of a variable)
_KEPT = "keys and what they sign"
out_option = click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"
)


@click.group("node", cls=Group, example="deconflict node key renew --out request.json")
def node() -> None:
    """The root of a party and the node's change of key."""


@click.group("root", cls=Group, example="deconflict node root create --out blue.root")
def root() -> None:
    """The keys kept offline that alone can change or revoke the node's key."""


@click.group("key", cls=Group, example="deconflict node key renew --out request.json")
def key() -> None:
    """The key that the node signs with: asked for, signed by the root, put in force."""


node.add_command(root)
node.add_command(key)


@command("create", group=root, example="deconflict node root create --out blue.root")
@out_option
@as_json_option
def create(out: Path, as_json: bool) -> None:
    """Make a root key on this machine; no node is needed, and no network should be near.

    FILE holds the secret key, sealed with a passphrase. FILE.pub beside it is public: it goes to
    the node, and from there to the peers. For two of three custodians each makes one so, and the
    three public files become one root with: deconflict node root combine.
    """
    from deconflict.line.keyfile import seal_seed
    from deconflict.line.keys import SigningKey
    from deconflict.line.root import Root
    from deconflict.node.key_files import root_bytes

    public = out.with_name(out.name + ".pub")
    require_free(out, public, kept=_KEPT)
    made = SigningKey.generate(os.urandom)
    alone = Root([made.verify_key], 1)
    sealed = seal_seed(made.seed, _passphrase(new=True), random_bytes=os.urandom)
    _write_new(out, sealed, mode=0o600)
    _write_new(public, root_bytes(alone), mode=0o644)
    if as_json:
        write_json({"file": str(out), "public": str(public), **_root_facts(alone)})
        return
    click.echo(f"{out} is the root key: keep it away from every network, and a copy elsewhere.")
    _show_root(alone, public)


@command(
    "combine",
    group=root,
    example="deconflict node root combine a.root.pub b.root.pub c.root.pub --threshold 2 "
    "--out blue.root.pub",
)
@click.argument("public", metavar="FILE...", nargs=-1, required=True, type=existing_file)
@click.option("--threshold", required=True, type=int, help="How many of them must sign.")
@out_option
@as_json_option
def combine(public: tuple[Path, ...], threshold: int, out: Path, as_json: bool) -> None:
    """Make one root of the public files of two or three custodians."""
    from deconflict.line.root import Root
    from deconflict.node.key_files import root_bytes

    keys = [one for file in public for one in _read_root(file).keys]
    made = Root(keys, threshold)
    _write_new(out, root_bytes(made), mode=0o644)
    if as_json:
        write_json({"public": str(out), **_root_facts(made)})
        return
    _show_root(made, out)


@command("set", group=root, example="deconflict node root set blue.root.pub --node blue-node")
@click.argument("public", metavar="FILE", type=existing_file)
@node_option
@as_json_option
def set_root(public: Path, node_dir: Path | None, as_json: bool) -> None:
    """Give the node its root, from the public file; once, for its peers pin it."""
    from deconflict.node.folder import NodeFolder

    folder = NodeFolder.open(node_folder(node_dir))
    chosen = _read_root(public)
    folder.key_files.set_root(chosen)
    if as_json:
        write_json(_root_facts(chosen))
        return
    click.echo(f"{folder.settings.party} has its root. Fingerprint, to be read to every peer:\n")
    click.echo(click.style(f"    {chosen.fingerprint()}", bold=True))
    click.echo(
        "\nNext: deconflict peer invite --out FILE, and have each peer pin that invitation. Until "
        "a peer\nhas, and both nodes were started again, it takes no other key of this node. "
        "Restart this node."
    )


@command(
    "sign",
    group=root,
    example="deconflict node root sign request.json --key blue.root --root blue.root.pub "
    "--out signed.json",
)
@click.argument("request", metavar="REQUEST", type=existing_file)
@click.option(
    "--key",
    "key_file",
    required=True,
    type=existing_file,
    metavar="FILE",
    help="The root key, as node root create wrote it.",
)
@click.option(
    "--root",
    "root_file",
    type=existing_file,
    metavar="FILE",
    help="The public file of the root; not needed where it is this key alone.",
)
@out_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json_option
def sign(
    request: Path, key_file: Path, root_file: Path | None, out: Path, yes: bool, as_json: bool
) -> None:
    """Sign a change of key, on the machine where the root key is kept.

    What is signed is shown first. With several custodians the file goes from one to the next.
    """
    from deconflict.line.key_change import read_unproven, signed_by_root
    from deconflict.line.root import Root

    asked = read_change_file(request)
    statement = read_unproven(asked)
    if not as_json:
        _show_statement(statement)
    if not yes:
        need_terminal("the decision to sign", "--yes")
        click.confirm("Sign this change of key?", abort=True, err=True)
    secret_key = _root_key(key_file)
    chosen = Root([secret_key.verify_key], 1) if root_file is None else _read_root(root_file)
    signed = signed_by_root(asked, chosen, secret_key)
    _write_new(out, signed.export(), mode=0o644)
    missing = chosen.threshold - len(signed.root)
    if as_json:
        write_json({"file": str(out), "signatures": len(signed.root), "missing": max(missing, 0)})
        return
    if missing > 0:
        click.echo(f"{out}: {count(missing, 'signature')} more needed, of another custodian.")
    else:
        click.echo(f"{out}: bring it to the node: deconflict node key install {out}")


@command("renew", group=key, example="deconflict node key renew --out request.json")
@click.option(
    "--revoke",
    is_flag=True,
    help="The key in force is lost or in other hands: what it signs is to count for nothing.",
)
@out_option
@node_option
@as_json_option
def renew(revoke: bool, out: Path, node_dir: Path | None, as_json: bool) -> None:
    """Draw the node's next key, and write what the root is to sign.

    Nothing changes yet: the new key waits in the node's folder until the signed file is installed.
    """
    from deconflict.cli.node import ask_passphrase
    from deconflict.line.key_change import ChangeReason, read_unproven
    from deconflict.node.folder import NodeFolder

    require_free(out, kept=_KEPT)
    folder = NodeFolder.open(node_folder(node_dir))
    keys = folder.unlock(ask_passphrase)
    asked = folder.key_files.ask(
        reason=ChangeReason.REVOKED if revoke else ChangeReason.ROTATED,
        seal=keys.seal,
        unseal=keys.unseal,
        now_utc_ms=time.time_ns() // 1_000_000,
        random_bytes=os.urandom,
    )
    _write_new(out, asked.export(), mode=0o644)
    statement = read_unproven(asked)
    if as_json:
        write_json({"file": str(out), **_statement_facts(statement)})
        return
    _show_statement(statement)
    click.echo(
        f"\n{out}: take it to the root key, and sign it there:\n"
        f"  deconflict node root sign {out} --key ROOT.KEY --out signed.json"
    )


@command("install", group=key, example="deconflict node key install signed.json")
@click.argument("statement", metavar="FILE", type=existing_file)
@node_option
@as_json_option
def install(statement: Path, node_dir: Path | None, as_json: bool) -> None:
    """Put the next key in force, from what the root signed.

    A running node takes it up within seconds, line by line; one that is stopped when it starts.
    Each peer logs the change and from then on refuses the old key.
    """
    from deconflict.node.folder import NodeFolder

    folder = NodeFolder.open(node_folder(node_dir))
    opened = folder.key_files.install(read_change_file(statement))
    if as_json:
        write_json(_statement_facts(opened.statement))
        return
    _show_statement(opened.statement)
    click.echo("\nIt is in force here. Which peers know it: deconflict line status --json")


@command("show", group=key, example="deconflict node key show --node blue-node")
@node_option
@as_json_option
def show(node_dir: Path | None, as_json: bool) -> None:
    """Show which key is in force, since when, and the root."""
    from deconflict.airspace.instant import format_utc
    from deconflict.line.key_change import read_unproven
    from deconflict.line.keys import VerifyKey
    from deconflict.node.folder import NodeFolder, key_since_utc_ms

    folder = NodeFolder.open(node_folder(node_dir))
    changes = [read_unproven(change) for change in folder.key_files.changes()]
    present = VerifyKey.from_base64(changes[-1].public) if changes else folder.verify_key
    since_utc = format_utc(key_since_utc_ms(folder.path))
    known = folder.root()
    if as_json:
        write_json(
            {
                "party": folder.settings.party,
                "number": changes[-1].number if changes else 0,
                "fingerprint": present.fingerprint(),
                "key_id": present.key_id,
                "since_utc": since_utc,
                "first_fingerprint": folder.verify_key.fingerprint(),
                "root": None if known is None else _root_facts(known),
            }
        )
        return
    fields(
        (
            ("key in force", f"number {changes[-1].number if changes else 0}"),
            ("fingerprint", present.fingerprint()),
            ("drawn", when(since_utc)),
            ("first key", folder.verify_key.fingerprint() if changes else None),
            ("root", "none: this key cannot be changed" if known is None else known.fingerprint()),
            ("signatures", None if known is None else _of(known)),
        )
    )


def _read_root(file: Path) -> "Root":
    from deconflict.node.key_files import MAX_ROOT_BYTES, read_root

    with file.open("rb") as stream:
        return read_root(stream.read(MAX_ROOT_BYTES + 2))


def read_change_file(file: Path) -> "KeyChange":
    """Return the change of key in a file; whether it is signed is not looked at."""
    from deconflict.line.key_change import MAX_KEY_CHANGE_BYTES, read_change

    with file.open("rb") as stream:
        return read_change(stream.read(MAX_KEY_CHANGE_BYTES + 2))


def _root_key(file: Path) -> "SigningKey":
    from deconflict.line.keyfile import is_sealed, open_seed
    from deconflict.line.keys import SigningKey

    data = file.read_bytes()
    return SigningKey.from_seed(open_seed(data, _passphrase() if is_sealed(data) else None))


def _passphrase(*, new: bool = False) -> str:
    named = os.environ.get(ROOT_PASSPHRASE_FILE)
    if named:
        return private_text(Path(named)).removesuffix("\n")
    need_terminal("the passphrase of the root key", f"{ROOT_PASSPHRASE_FILE} naming its file")
    return secret("Passphrase of the root key", twice=new)


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    from deconflict.node.files import write_new

    require_free(path, kept=_KEPT)
    write_new(path, data, mode=mode)


def _of(chosen: "Root") -> str:
    return f"{chosen.threshold} of {len(chosen.keys)} must sign"


def _root_facts(chosen: "Root") -> dict[str, object]:
    return {
        "root_id": chosen.root_id,
        "root_fingerprint": chosen.fingerprint(),
        "keys": len(chosen.keys),
        "threshold": chosen.threshold,
    }


def _show_root(chosen: "Root", public: Path) -> None:
    click.echo(
        f"{public} is public: give it to the node (deconflict node root set). {_of(chosen)}."
    )
    click.echo("Fingerprint of the root:\n")
    click.echo(click.style(f"    {chosen.fingerprint()}", bold=True))


def _statement_facts(statement: "KeyStatement") -> dict[str, object]:
    from deconflict.line.keys import VerifyKey

    new = VerifyKey.from_base64(statement.public)
    return {
        "party": statement.party,
        "number": statement.number,
        "reason": statement.reason.value,
        "fingerprint": new.fingerprint(),
        "key_id": new.key_id,
        "created_utc": statement.created_utc,
    }


def _show_statement(statement: "KeyStatement") -> None:
    facts = _statement_facts(statement)
    revokes = statement.reason.value == "REVOKED"
    rows: Sequence[tuple[str, str]] = (
        ("party", clean(statement.party)),
        ("first key", short(statement.first)),
        ("new key", f"number {statement.number}"),
        ("fingerprint", str(facts["fingerprint"])),
        ("reason", "the old key is REVOKED" if revokes else "the old key's time is over"),
        ("asked for", when(statement.created_utc)),
    )
    fields(rows)
