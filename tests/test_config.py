import re
import tomllib
from pathlib import Path

import pytest

from breakwall.config import ConfigError, digest, load, parse
from breakwall.settings import Section, Settings

EXAMPLE = Path(__file__).parents[1] / "config.example.toml"


def names(model: type[Section], place: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        label = f"{place}{field.alias or name}"
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            found |= names(inner, f"{label}.")
        else:
            found.add(label)
    return found


def test_the_example_is_the_defaults() -> None:
    assert load(EXAMPLE) == load(None) == Settings()


def test_the_example_names_every_setting() -> None:
    table = tomllib.loads(EXAMPLE.read_text())
    given = {
        f"{section}.{name}" if name else section
        for section, value in table.items()
        for name in ((isinstance(value, dict) and value) or [""])
    }
    assert given == names(Settings)


def test_every_setting_is_explained_with_the_reason_for_its_default() -> None:
    blocks = re.split(r"\n\s*\n", EXAMPLE.read_text())
    settings = [block for block in blocks if re.search(r"^\w+ = ", block, re.MULTILINE)]
    reason = re.compile(r"\bDefaults?\b[^:,]*?[:,.] ?\S+( \S+){2}", re.DOTALL)
    silent = [block for block in settings if not reason.search(block.replace("\n# ", " "))]
    assert len(settings) > 80
    assert silent == []


def test_defaults_agreed_with_the_trader() -> None:
    settings = Settings()
    assert settings.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    assert settings.log_level == "info"
    agreed = {
        "leverage": 10,
        "max_positions": 5,
        "position_margin_percent": 5,
        "total_margin_percent": 50,
        "max_exposure_usdt": 10_000,
        "min_order_usdt": 5,
    }
    assert {name: getattr(settings.risk, name) for name in agreed} == agreed


BAD = """
schema = 2
api_key = "hunter2"
symbols = ["btcusdt", "ETH-USDT", "SOLUSDT"]
log_level = "loud"
breakout = 5
[riks]
x = 1
[risk]
leverag = 10
leverage = 1000
max_positions = "many"
max_exposure_usdt = inf
day_starts_at = "25:00"
[walls]
floor_usdt = { BTCUSDT = -1 }
[trend]
imbalance = nan
"""


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(BAD, "my.toml")
    first, *mistakes = str(caught.value).splitlines()
    assert first == "my.toml: 13 mistakes"
    for expected in (
        "[risk] day_starts_at: expected a time of day such as 00:00, found '25:00'",
        "[risk] leverag: unknown key; did you mean 'leverage'?",
        "[risk] leverage: expected less than or equal to 100, found 1000",
        "[risk] max_exposure_usdt: expected a finite number, found inf",
        "[risk] max_positions: expected a whole number, found 'many'",
        "[trend] imbalance: expected a finite number, found nan",
        "[walls.floor_usdt] BTCUSDT: expected greater than 0, found -1",
        "breakout: expected a table [breakout], found 5",
        "log_level: expected 'debug', 'info', 'warning' or 'error', found 'loud'",
        "riks: unknown key; did you mean 'risk'?",
        "schema: expected 1, found 2",
        "symbols: expected names such as BTCUSDT, found 'btcusdt', 'ETH-USDT'",
    ):
        assert f"  {expected}" in mistakes
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[screener]\nexclude = ["btcusdt"]', "[screener] exclude: expected names such as BTCUSDT, found 'btcusdt'"),
        ('symbols = ["A", "A"]', "symbols: expected each symbol once, found A twice"),
        ("symbols = []", "symbols: expected at least one symbol"),
        ('symbols = "BTCUSDT"', "symbols: expected a list such as [\"BTCUSDT\"], found 'BTCUSDT'"),
        ('symbols = [1, "B"]', "symbols, item 1: expected a text in quotes, found 1"),
        ("[engine]\ntick_ms = 1.5", "[engine] tick_ms: expected a whole number, found 1.5"),
        ('[venue]\ndepth = "deep"', "[venue] depth: expected 'auto', 50, 200 or 1000, found 'deep'"),
        ("walls", "not valid TOML"),
    ],
)
def test_a_mistake_says_what_was_expected_and_found(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match="t: ") as caught:
        parse(text, "t")
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read .*config init"):
        load(tmp_path / "none.toml")


def test_the_digest_tells_settings_apart() -> None:
    assert digest(Settings()) == digest(parse("schema = 1", "t")) != digest(parse('on_exit = "keep"', "t"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[risk]\nmax_exposure_usdt = []", "[risk] max_exposure_usdt: expected a number, found []"),
        ("[risk]\nmax_positions = []", "[risk] max_positions: expected a whole number, found []"),
        ("[walls]\nmin_age_s = []", "[walls] min_age_s: expected a number, found []"),
        ("[bounce]\nenabled = []", "[bounce] enabled: expected true or false, found []"),
    ],
)
def test_wrong_types_are_told_in_plain_words(line: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(line, "my.toml")
    assert words in str(caught.value)
