"""The units in the docs: systemd can read them, and they say what the docs promise."""

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from breakwall.watch.command import _parser

FOLDER = Path(__file__).parents[1] / "docs/systemd"
UNITS = sorted(FOLDER.glob("*.service"))


def service(path: Path) -> dict[str, list[str]]:
    """Every value of the section [Service]; names may come more than once."""
    section, found = "", dict[str, list[str]]()
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_well_formed(path: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(path.read_text(encoding="utf-8"))
    assert parser.sections() == ["Unit", "Service", "Install"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_reads_it_without_a_word(path: Path, tmp_path: Path) -> None:
    """The program need not be installed here: another one stands in for it."""
    unit = tmp_path / path.name
    unit.write_text(path.read_text(encoding="utf-8").replace("%h/.local/bin/breakwall", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    said = [line for line in done.stderr.splitlines() if path.name in line]
    assert said == []


def test_the_engine_is_started_again_with_limits_and_not_after_a_refusal() -> None:
    found = service(FOLDER / "breakwall.service")
    assert found["Restart"] == ["always"]
    assert found["RestartPreventExitStatus"] == ["2 4 5 6"]
    assert "StartLimitBurst=5" in (FOLDER / "breakwall.service").read_text()


def test_the_watch_is_started_as_it_can_be() -> None:
    (start,) = service(FOLDER / "breakwall-watch.service")["ExecStart"]
    _, command, *words = shlex.split(start)
    assert command == "watch"
    assert _parser().parse_args(words).policy == "panic"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_keys_come_as_credentials_and_files_stay_private(path: Path) -> None:
    found = service(path)
    names = [value.partition(":")[0] for value in found["LoadCredential"]]
    assert names == ["bybit_api_key", "bybit_api_secret"]
    assert (found["UMask"], found["LimitCORE"], found["NoNewPrivileges"]) == (["0077"], ["0"], ["yes"])
    assert "Environment" not in found
