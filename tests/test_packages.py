"""The ten packages agreed for this project, and where each is used."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

USED = {
    "rich": "src/breakwall/cli/config.py",
    "aiohttp": "src/breakwall/venues/transport.py",
    "aiosqlite": "src/breakwall/storage/journal.py",
    "pydantic": "src/breakwall/config.py",
    "typer": "src/breakwall/cli/__init__.py",
    "pytest": "tests/test_packages.py",
    "pytest-asyncio": "tests/storage/test_journal.py",
    "textual": "src/breakwall/app/cockpit.py",
    "pybit": "tests/venues/exchange/test_conformance.py",
    "plotext": "src/breakwall/cli/report_charts.py",
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    return {line.partition(">")[0].partition("=")[0].strip() for line in lines}


def test_the_ten_are_listed() -> None:
    ten = {
        "textual",
        "rich",
        "pybit",
        "aiohttp",
        "aiosqlite",
        "pydantic",
        "plotext",
        "typer",
        "pytest",
        "pytest-asyncio",
    }
    assert USED.keys() == ten


@pytest.mark.parametrize(("package", "path"), USED.items())
def test_a_used_package_is_imported_where_the_list_says(package: str, path: str) -> None:
    if package == "pytest-asyncio":
        assert "@pytest.mark.asyncio" in (ROOT / path).read_text(encoding="utf-8")
    else:
        assert package in imported(ROOT / path)


@pytest.mark.parametrize("package", USED)
def test_each_is_a_declared_dependency(package: str) -> None:
    assert package in declared()


def test_plots_are_drawn_by_the_report_alone() -> None:
    """plotext keeps one figure for everybody who imports it."""
    users = [str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.py") if "plotext" in imported(path)]
    assert users == [USED["plotext"]]
