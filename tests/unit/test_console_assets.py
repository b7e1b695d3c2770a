"""What the console is made of: what it carries of others, how much it weighs, what one can read."""

import gzip
import hashlib
import re
import tomllib
from importlib.resources import files
from itertools import product
from pathlib import Path

import pytest

from deconflict.console.assets import Assets
from deconflict.errors import NotFoundError

STATIC = Path(str(files("deconflict.console").joinpath("static")))
VENDORED = STATIC / "vendored"
MOST_GZIPPED = 1_200_000
PERMISSIVE = {"BSD-3-Clause", "ISC", "MIT", "Apache-2.0"}
READABLE = 4.5  # WCAG 2.2, 1.4.3
INKS = ("ink", "soft", "own", "peer", "bad", "warn", "good")
GROUNDS = ("ground", "panel", "raised")


def test_what_is_carried_of_others_is_what_the_manifest_says() -> None:
    manifest = tomllib.loads((VENDORED / "MANIFEST.toml").read_text())
    held = {path.name for path in VENDORED.iterdir()} - {"MANIFEST.toml"}
    assert {name for name in held if not name.startswith("LICENSE.")} == manifest.keys()
    for name, facts in manifest.items():
        assert hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() == facts["sha256"], name
        assert facts["licence"] in PERMISSIVE
        assert f"LICENSE.{facts['package']}.txt" in held


def test_all_of_it_together_weighs_no_more_than_it_may() -> None:
    assets = Assets()
    packed = {path: len(assets.get(path).packed) for path in assets}
    assert sum(packed.values()) <= MOST_GZIPPED, packed


def test_what_is_packed_is_what_is_served_and_the_same_each_time() -> None:
    assets = Assets()
    asset = assets.get("shell/main.js")
    assert gzip.decompress(asset.packed) == asset.content
    assert Assets().get("shell/main.js").packed == asset.packed
    for outside in ("../assets.py", "", "words/xx.json", "shell", "shell/../console.html"):
        with pytest.raises(NotFoundError):
            assets.get(outside)


@pytest.mark.parametrize("theme", ["night", "day"])
def test_every_ink_can_be_read_on_every_ground(theme: str) -> None:
    css = (STATIC / "theme.css").read_text()
    blocks = {"night": css.index(":root {"), "day": css.index('[data-theme="day"] {')}
    block = css[blocks[theme] : css.index("}", blocks[theme])]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    pairs = [*product(INKS, GROUNDS), ("ink", "bad-ground"), ("soft", "bad-ground")]
    pairs += [("bad", "bad-ground"), ("peer", "bad-ground"), ("own", "bad-ground")]
    found = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert {pair: round(value, 2) for pair, value in found.items() if value < READABLE} == {}


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
