"""QR codes as SVG paths."""

from collections.abc import Sequence

import segno

from deconflict.paper.svg import element

__all__ = ["QUIET", "dark_runs", "qr_svg"]

QUIET = 4  # modules around a code, ISO/IEC 18004


def dark_runs(matrix: Sequence[Sequence[int]]) -> str:
    """Return the ``d`` of a path that draws the dark modules, a run at a time.

    >>> dark_runs([[1, 1, 0], [0, 0, 1]])
    'M0 0h2v1h-2zM2 1h1v1h-1z'
    """
    steps = []
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            run = 0
            while x + run < len(row) and row[x + run]:
                run += 1
            if run:
                steps.append(f"M{x} {y}h{run}v1h-{run}z")
            x += run + 1
    return "".join(steps)


def qr_svg(said: str) -> str:
    """Return a code of its own as SVG text, its quiet zone inside the square."""
    code = segno.make_qr(said, error="m")
    matrix = [list(row) for row in code.matrix]
    side = len(matrix) + 2 * QUIET
    drawn = element(
        "path",
        d=dark_runs(matrix),
        transform=f"translate({QUIET} {QUIET})",
        shape_rendering="crispEdges",
    )
    ground = element("rect", width=side, height=side, fill="#fff")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">{ground}{drawn}</svg>'
    )
