"""The rules of the house, checked on the source itself."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from breakwall.model import actions, events, journal, view

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/breakwall"
CORE = ("model", "market", "strategies", "trading")
CORE_MAY_IMPORT = {
    *("msgspec", "numpy", "talib", "pydantic", "breakwall"),
    *("abc", "bisect", "collections", "dataclasses", "decimal", "enum", "functools", "hashlib", "itertools", "math"),
    *("operator", "typing", "unicodedata", "statistics", "heapq", "array", "zlib"),
}
CLOCKS = {
    "time",
    "monotonic",
    "perf_counter",
    "time_ns",
    "monotonic_ns",
    "perf_counter_ns",
    "process_time",
    "now",
    "utcnow",
}
BESIDE = ("panic", "watch")
"""Processes beside the one that trades: they share nothing with it, and read clocks of their own."""
MODES = {"demo", "paper", "live"}
MODE_READERS = {"modes.py", "settings.py"}
LINES = 400
FUNCTION_LINES = 60


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms or ("",) for path in (SOURCE / room).rglob("*.py"))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(module: ast.AST) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_the_core_imports_nothing_that_acts() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in modules(*CORE)
        for name in imports(tree(path))
        if name.partition(".")[0] not in CORE_MAY_IMPORT
    ]
    assert wrong == []


def test_the_core_never_waits() -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    wrong = [
        where(path, node) for path in modules(*CORE) for node in ast.walk(tree(path)) if isinstance(node, waiting)
    ]
    core = SOURCE / "engine/core.py"
    wrong += [where(core, node) for node in ast.walk(tree(core)) if isinstance(node, waiting)]
    assert wrong == []


def test_the_core_opens_and_prints_nothing() -> None:
    wrong = [
        where(path, node)
        for path in modules(*CORE)
        for node in ast.walk(tree(path))
        if any(is_call_of(node, name) for name in ("open", "print", "input", "exec", "eval"))
    ]
    assert wrong == []


def reads_a_clock(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    owner = node.func.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return node.func.attr in CLOCKS and name in {"time", "datetime", "date"}


def reads_the_loop(node: ast.AST) -> bool:
    """A loop's time is a clock; only a simulated one may be asked directly."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "time"


def test_only_the_clock_reads_a_clock() -> None:
    wrong = []
    for path in modules():
        if path == SOURCE / "clock.py" or path.relative_to(SOURCE).parts[0] in BESIDE:
            continue
        module = tree(path)
        wrong += [where(path, node) for node in ast.walk(module) if reads_a_clock(node)]
        wrong += [where(path, node) for node in ast.walk(module) if reads_the_loop(node) and "sim" not in path.parts]
        wrong += [f"{path.relative_to(ROOT)}: import time" for name in imports(module) if name == "time"]
    assert wrong == []


def test_money_is_never_a_float() -> None:
    wrong = [
        where(path, node)
        for path in modules("trading")
        for node in ast.walk(tree(path))
        if is_call_of(node, "float") or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    ]
    assert wrong == []


@pytest.mark.parametrize("module", [actions, events, journal, view])
def test_the_words_are_frozen(module: object) -> None:
    structs = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, msgspec.Struct) and thing is not msgspec.Struct
    ]
    assert structs
    assert [struct.__name__ for struct in structs if not struct.__struct_config__.frozen] == []


def test_only_risk_approves() -> None:
    def approves(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        called = node.func.value if isinstance(node.func, ast.Subscript) else node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        return name == "Approved"

    found = {
        path.relative_to(SOURCE).as_posix() for path in modules() for node in ast.walk(tree(path)) if approves(node)
    }
    assert found == {"trading/risk.py"}


def test_only_the_wiring_names_a_mode() -> None:
    """A comparison or a match with a mode's name is a question that only the wiring may ask."""
    wrong = []
    for path in modules():
        if path.name in MODE_READERS or "cli" in path.parts:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Compare | ast.MatchValue):
                texts = {
                    leaf.value
                    for leaf in ast.walk(node)
                    if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)
                }
                wrong += [where(path, node)] if texts & MODES else []
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "mode"
                and ast.unparse(node.value).endswith("settings")
            ):
                wrong.append(where(path, node))
    assert wrong == []


def test_files_and_functions_stay_readable() -> None:
    wrong = []
    for path in modules():
        lines = path.read_text(encoding="utf-8").count("\n")
        wrong += [f"{path.relative_to(ROOT)}: {lines} lines"] if lines > LINES else []
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                length = node.end_lineno - node.lineno + 1
                wrong += [f"{where(path, node)}: {node.name}, {length} lines"] if length > FUNCTION_LINES else []
    assert wrong == []


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path.relative_to(ROOT)) for path in modules() if not ast.get_docstring(tree(path))] == []


LOADED = "import sys, {}; print(sorted({{name.partition('.')[0] for name in sys.modules}} & set({!r})))"


@pytest.mark.parametrize(
    ("module", "never"),
    [
        ("breakwall.engine.loop", ["textual", "rich", "aiohttp", "pybit", "sqlalchemy", "alembic", "plotext"]),
        ("breakwall.cli", ["textual", "aiohttp", "pybit", "sqlalchemy", "alembic", "plotext", "numpy", "talib"]),
        ("breakwall.cli.voice", ["structlog", "textual", "aiohttp", "numpy"]),
        ("breakwall.app.cockpit", ["structlog", "aiohttp", "pybit", "sqlalchemy", "alembic", "plotext"]),
        ("breakwall.modes", ["textual", "pybit", "sqlalchemy", "alembic", "plotext"]),
    ],
)
def test_imports_stay_light(module: str, never: list[str]) -> None:
    code = LOADED.format(module, never)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


FOREIGN = (
    "import sys, {}; "
    "print(sorted({{name.partition('.')[0] for name in sys.modules}} - sys.stdlib_module_names - {{'__main__'}})); "
    "print(sorted(name for name in sys.modules if name.startswith('breakwall.')))"
)


@pytest.mark.parametrize("room", BESIDE)
def test_what_stands_beside_loads_the_standard_library_and_little_of_ours(room: str) -> None:
    """pybit comes only where the first way to the exchange fails; see `panic/line.py`."""
    code = FOREIGN.format(f"breakwall.{room}.command")
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=ALONE)
    foreign, ours = done.stdout.splitlines()
    assert foreign == "['breakwall']"
    shared = {"bans", "exit_codes", "heartbeat", "keys", "model", "model.text", "places", "redaction", "spans"}
    names = {name.removeprefix("breakwall.") for name in ast.literal_eval(ours)}
    assert {name for name in names if name.partition(".")[0] != room} <= shared


ALONE = {"PYTHONPATH": str(SOURCE.parent)}
"""No site-packages: what stands beside must start without them."""

PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle"}


def test_nothing_is_ever_unpickled() -> None:
    """Data that runs code when it is read has no place here, nor a loader that would allow it."""
    wrong = []
    for path in modules():
        module = tree(path)
        wrong += [f"{path.relative_to(ROOT)}: {name}" for name in imports(module) if name.split(".")[0] in PICKLES]
        for node in ast.walk(module):
            if isinstance(node, ast.keyword) and node.arg in {"allow_pickle", "weights_only"}:
                allowed = node.arg == "allow_pickle"
                wrong += [where(path, node)] if ast.unparse(node.value) == str(allowed) else []
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {"torch.load", "yaml.load"}:
                wrong.append(where(path, node))
    assert wrong == []
