"""What commands write: whole or not there, and nothing is replaced that nobody meant."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from deconflict.cli import main
from deconflict.cli.reference import commands
from deconflict.cli.written import drafted, require_free, write_file
from deconflict.errors import InvalidInputError
from screen_samples import write_csv

BOTH = ("--minima", "5NM,1000ft", "--minima", "FLIGHT:ACTIVITY=1NM,500ft")
KEPT = {
    *("deconflict export", "deconflict line handover", "deconflict node key renew"),
    *(f"deconflict node root {step}" for step in ("create", "combine", "sign")),
}
WRITES = {"out", "picture", "write", "email", "qr"}
WRITING = {
    name: {option.name for option in command.params}
    for name, command in commands()
    if not isinstance(command, click.Group) and WRITES & {o.name for o in command.params}
}


def screen(*words: object) -> Result:
    return CliRunner().invoke(main, ["screen", *map(str, words)])


def test_whatever_a_command_writes_it_replaces_by_force_alone_or_never() -> None:
    assert {name for name, options in WRITING.items() if "force" not in options} == KEPT


@pytest.mark.parametrize(("option", "name"), [("--out", "found.csv"), ("--picture", "found.svg")])
def test_a_file_that_is_there_is_not_replaced_unasked(
    tmp_path: Path, option: str, name: str
) -> None:
    files, file = write_csv(tmp_path), tmp_path / name
    file.write_text("of yesterday")
    refused = screen(*files, *BOTH, option, file)
    assert refused.exit_code == 2
    assert "this file exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert file.read_text() == "of yesterday"
    assert screen(*files, *BOTH, option, file, "--force").exit_code == 1
    assert file.read_text() != "of yesterday"
    assert sorted(os.listdir(tmp_path)) == sorted({name, *(each.name for each in files)})


def test_what_is_read_is_not_replaced_by_force_either(tmp_path: Path) -> None:
    file = write_csv(tmp_path)[0]
    plan, again = file.read_bytes(), tmp_path / "again.csv"
    again.symlink_to(file)
    changed = tmp_path / "freed.geojson"
    changed.hardlink_to(file)
    advise = ("advise", file, *BOTH[:2], "--together")
    for words in (
        ("screen", file, *BOTH[:2], "--out", file),
        ("screen", file, *BOTH[:2], "--out", again),
        (*advise, "--out", changed),
        (*advise, "--out", tmp_path / "new.geojson", "--certificate", file),
    ):
        refused = CliRunner().invoke(main, [*map(str, words), "--force"])
        assert refused.exit_code == 2
        assert "read by the same command" in refused.stderr
        assert file.read_bytes() == plan


def test_one_file_is_not_named_for_two_things(tmp_path: Path) -> None:
    file, new = write_csv(tmp_path)[0], tmp_path / "freed.geojson"
    other = tmp_path / "other.geojson"
    other.symlink_to(new)  # neither is there yet
    before = sorted(os.listdir(tmp_path))
    for twice in (new, tmp_path / "." / "freed.geojson", other):
        for force in ((), ("--force",)):
            refused = CliRunner().invoke(
                main,
                [
                    *("advise", str(file), *BOTH[:2], "--together", "--out", str(new)),
                    *("--certificate", str(twice), *force),
                ],
            )
            assert refused.exit_code == 2
            assert "one file cannot hold two things" in refused.stderr
            assert sorted(os.listdir(tmp_path)) == before


def test_what_is_kept_is_not_offered_to_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a root key")
    refused = CliRunner().invoke(
        main, ["node", "root", "create", "--out", str(tmp_path / "key")], input="secret\n"
    )
    assert refused.exit_code == 2
    assert "keys and what they sign are kept" in refused.stderr
    assert "--force" not in refused.stderr


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    file = tmp_path / "found.csv"
    file.write_text("of yesterday")

    def stopped_half_way() -> None:
        with drafted(file) as draft:
            draft.write_text("half of i")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped_half_way()
    assert file.read_text() == "of yesterday"
    assert os.listdir(tmp_path) == ["found.csv"]


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "found.csv"
    with pytest.raises(FileNotFoundError) as raised:
        write_file(file, b"1")
    assert raised.value.filename == str(file)


def test_a_pipe_is_written_to_and_never_replaced() -> None:
    require_free(Path(os.devnull), None, Path(os.devnull))
    write_file(Path(os.devnull), b"1")
    with drafted(Path(os.devnull)) as draft:
        draft.write_text("1")
    assert Path(os.devnull).is_char_device()


def test_several_files_are_asked_for_before_any_is_written(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("")
    with pytest.raises(InvalidInputError, match="exists already"):
        require_free(tmp_path / "a", tmp_path / "b")


def test_a_folder_that_is_not_there_is_told_before_the_work(tmp_path: Path) -> None:
    for option, name in (("--out", "found.csv"), ("--picture", "found.svg")):
        missing = tmp_path / "not" / name
        # The file that is read is broken as well: the folder comes first.
        broken = tmp_path / "day.csv"
        broken.write_text("flight\n")
        done = screen(broken, *BOTH, option, missing)
        assert done.exit_code == 2
        assert "error: there is no such folder" in done.stderr
        assert str(missing) in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="rights do not hold for root")
def test_a_folder_that_takes_no_file_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o500)
    with pytest.raises(InvalidInputError, match="takes no file from this account"):
        require_free(tmp_path / "kept" / "found.csv")
