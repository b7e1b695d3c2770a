"""The public surface, checked by machine: modules import alone and say what they export."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import deconflict

SOURCE = Path(deconflict.__file__).parent
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages([str(SOURCE)], prefix="deconflict.")
    if not info.name.endswith(("__main__", "_kernel"))
)
PLACES = frozenset(("deconflict", *MODULES))
# Who may call the compiled kernel: whatever else needs it goes through these.
KERNEL_USERS = (
    "deconflict.advise.",
    "deconflict.airspace.geodesy",
    "deconflict.airspace.wire",
    "deconflict.formats.geojson_stream",
    "deconflict.line.canonical",
    "deconflict.line.keys",
    "deconflict.node.bundle_quick",
    "deconflict.sealed.oprf",
    "deconflict.separation.",
    "deconflict.store.sqlite_rows",
)


def source_of(module: str) -> str:
    path = SOURCE.joinpath(*module.split(".")[1:])
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file.read_text(encoding="utf-8")


def exported_by(module: str) -> frozenset[str] | None:
    """Return the names in ``__all__``; None for a module that has none."""
    for node in ast.parse(source_of(module)).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return None


EXPORTS = {name: names for name in MODULES if (names := exported_by(name)) is not None}


@pytest.mark.parametrize("module", MODULES)
def test_every_exported_name_exists(module: str) -> None:
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", ()):
        assert hasattr(loaded, name), f"{module}.__all__ names {name}"


@pytest.mark.parametrize("module", MODULES)
def test_every_name_taken_from_a_module_is_exported_by_it(module: str) -> None:
    for node in ast.walk(ast.parse(source_of(module))):
        if isinstance(node, ast.ImportFrom) and node.module in EXPORTS:
            taken = {alias.name for alias in node.names} - EXPORTS[node.module]
            hidden = {name for name in taken if f"{node.module}.{name}" not in PLACES}
            assert not hidden, f"{module} takes {sorted(hidden)} from {node.module}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_begins_with_its_docstring(module: str) -> None:
    assert ast.get_docstring(ast.parse(source_of(module)))


@pytest.mark.parametrize("module", MODULES)
def test_only_few_modules_call_the_kernel(module: str) -> None:
    imported = [
        alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(source_of(module)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    ]
    if any(name.startswith("deconflict._kernel") for name in imported):
        assert module.startswith(KERNEL_USERS)


def imports_of(module: str) -> Iterator[str]:
    """Name the modules that run when ``module`` is imported, itself and its packages apart."""
    pending: list[ast.AST] = [ast.parse(source_of(module))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in PLACES)
        elif isinstance(node, ast.ImportFrom):
            inner = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in PLACES else str(node.module) for name in inner)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            pending.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))


def packages_of(module: str) -> set[str]:
    parts = module.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}


def test_every_module_imports_alone() -> None:
    """No module needs itself on the way: so whichever is asked for first can be imported.

    A package runs before its modules. What a module takes from its own package (a name, not a
    module of it) may not be there yet, and counts as a cycle where the package needs the module.
    """
    needed = {
        module: {
            runs
            for name in imports_of(module)
            if name.startswith("deconflict")
            for runs in {name} | (packages_of(name) - packages_of(module) - {module})
        }
        for module in PLACES
    }
    assert needed.keys() == PLACES
    TopologicalSorter(needed).prepare()  # raises CycleError, which names the way around


def test_importing_everything_warns_of_nothing() -> None:
    script = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *MODULES],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_source_file_outgrows_one_idea() -> None:
    # Past 600 lines a file is asking to be two (the files that hold data are not code).
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in SOURCE.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 600
    }
    assert long == {}
