"""The runbook and the README: complete, current, and every command in them one that there is."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from breakwall import exit_codes
from breakwall.app.widgets.breaker import SHORT
from breakwall.app.widgets.orders import STATES
from breakwall.app.widgets.standing import TROUBLES
from breakwall.app.widgets.status import BADGES
from breakwall.cli import app
from breakwall.cli.account import BADGES as ACCOUNTS
from breakwall.engine.state import Phase
from breakwall.market.state import Status
from breakwall.model.api import ApiState
from breakwall.panic.command import _parser as panic_parser
from breakwall.trading.breaker import RULES, TradingState
from breakwall.trading.breaker.showing import markdown
from breakwall.watch.command import _parser as watch_parser

ROOT = Path(__file__).parents[1]
RUNBOOK = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = get_command(app)


def chapter(name: str) -> str:
    return RUNBOOK.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]


def test_the_breaker_rules_are_those_that_are() -> None:
    """`breakwall config rules` prints what stands between the marks."""
    between = RUNBOOK.partition("<!-- rules -->\n")[2].partition("\n<!-- end of rules -->")[0]
    assert between == markdown()


def test_each_rule_says_what_to_do() -> None:
    told = chapter("Breaker rules").partition("| tripped |")[2]
    named = [name.strip() for cell in first_cells(told) for name in cell.split(",")]
    assert sorted(name for name in named if name not in {"", "---"}) == sorted(rule.name for rule in RULES)
    assert set(SHORT) <= set(named)


def test_each_exit_code_is_there() -> None:
    codes = [cell for cell in first_cells(chapter("Exit codes")) if cell.isdecimal()]
    assert codes == [str(code) for name, code in vars(exit_codes).items() if name.isupper()]
    assert [cell for cell in first_cells(README) if cell.isdecimal()] == codes


def test_each_badge_is_there() -> None:
    badges = chapter("Badges")
    states = {state.value for kind in (TradingState, Status, ApiState) for state in kind}
    words = states | {Phase.OBSERVING.value, *BADGES, *ACCOUNTS.values(), "ARMED", "SAFE", "BLIND", "NO DATA"}
    words |= {"PROTECTED ✓", "STOP UNPROVEN", "NO STOP", "CB PARTLY", "CB PAUSED", "CB OPEN", STATES["UNKNOWN"]}
    words |= {f"{name}!" for name in TROUBLES}
    assert [word for word in sorted(words - {"ACTIVE", "REPLAY"}) if word not in badges] == []


def test_each_alarm_of_the_watch_is_there() -> None:
    source = (ROOT / "src/breakwall/watch/judging.py").read_text(encoding="utf-8")
    kinds = sorted(set(re.findall(r'Alarm\("([a-z-]+)"', source)))
    assert len(kinds) == 9
    assert [kind for kind in kinds if f"`{kind}`" not in first_cells(chapter("Alarms"))] == []


def test_each_link_leads_somewhere() -> None:
    chapters = {title.lower().replace(" ", "-") for title in re.findall(r"^## (.+)$", RUNBOOK, re.MULTILINE)}
    anchors = set(re.findall(r"\]\(#([^)]+)\)", RUNBOOK))
    assert anchors <= chapters
    assert chapters <= anchors
    for text, folder in ((RUNBOOK, ROOT / "docs"), (README, ROOT)):
        files = [name for name in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text) if "://" not in name]
        assert [name for name in files if not (folder / name).exists()] == []


def written(text: str) -> list[str]:
    """Every command in code, up to what a shell would do with it."""
    lines = re.findall(r"(?<=`)breakwall [^`]+(?=`)|^(?:\S+/)?breakwall .+$", text, re.MULTILINE)
    return [re.split(r" {2,}#|[>|;]", line.partition("breakwall ")[2].replace("\\|", " "))[0] for line in lines]


def options_of(words: list[str]) -> set[str] | None:
    """What the command of these words understands; None where there is no such command."""
    if words[0] in {"panic", "watch"}:
        return set((panic_parser if words[0] == "panic" else watch_parser)()._option_string_actions)
    command = COMMANDS
    for word in words:
        if not hasattr(command, "commands"):
            break
        if word not in command.commands:
            return None
        command = command.commands[word]
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("text", [RUNBOOK, README], ids=["runbook", "README"])
def test_each_command_can_be_typed(text: str) -> None:
    found = written(text)
    assert len(found) > 10
    wrong = []
    for line in found:
        words = [word.strip("[]") for word in shlex.split(line)]
        own = words[: words.index("--")] if "--" in words else words
        known = options_of([word for word in own if not word.startswith("-")] or ["demo"])
        if known is None or any(word.startswith("--") and word not in known for word in own):
            wrong.append(line)
    assert wrong == []
    assert isinstance(app, typer.Typer)
