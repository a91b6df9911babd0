"""Settings: one TOML file into frozen models, every mistake named at once.

`load` is the only reader of the file. Unknown keys are refused with the nearest known one, wrong
values with what was expected, all in one error. Cash is USDT, percentages are per cent (5 = 5 %),
`bp` are hundredths of a per cent, names end in their unit.
"""

import hashlib
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from breakwall.mistakes import listed, nearest_name, text_of
from breakwall.model.text import sanitise

Percent = Annotated[Decimal, Field(gt=0, le=100)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Cash = Annotated[Decimal, Field(gt=0)]


class ConfigError(Exception):
    """The configuration cannot be used; the text lists every mistake with its remedy. Exit code 2."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class VenueSettings(Section):
    """Where to trade and how the uncertain points of the exchange's contract are taken."""

    name: Literal["bybit"] = "bybit"
    environment: Literal["mainnet", "testnet", "demo"] = "testnet"
    rest_url: str = ""
    public_url: str = ""
    private_url: str = ""
    depth: Literal["auto", 50, 200, 1000] = "auto"
    gaps: Literal["strict", "warn"] = "strict"
    recv_window_ms: Annotated[int, Field(ge=1000, le=60000)] = 5000
    request_timeout_s: Positive = 5.0
    ping_interval_s: Positive = 20.0
    pong_timeout_s: Positive = 10.0
    book_silence_s: Positive = 4.0
    reconnect_first_s: Positive = 0.25
    reconnect_cap_s: Positive = 15.0
    topics_per_socket: Annotated[int, Field(ge=3, le=600)] = 180
    taker_fee: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.00055")
    maker_fee: Annotated[Decimal, Field(gt=-1, lt=1)] = Decimal("0.0002")
    stop_trigger: Literal["MarkPrice", "LastPrice", "IndexPrice"] = "MarkPrice"

    @property
    def first_depth(self) -> int:
        """Levels to subscribe before anything is known of the book; `auto` may ask for more later."""
        return 200 if self.depth == "auto" else self.depth


_FLOORS_USDT = {
    "BTCUSDT": Decimal(1_000_000),
    "ETHUSDT": Decimal(600_000),
    "SOLUSDT": Decimal(250_000),
    "DOGEUSDT": Decimal(150_000),
}


class WallSettings(Section):
    """What is a wall. Floors are USDT per bucket; given ones are taken over the defaults, symbol by symbol,
    and symbols without one use `floor_usdt_default`.
    """

    floor_usdt: dict[str, Cash] = _FLOORS_USDT
    floor_usdt_default: Cash = Decimal(150_000)
    relative_k: Positive = 4.0
    neighbours: Annotated[int, Field(ge=2, le=50)] = 5
    side_percent: Percent = Decimal(8)
    side_reach_percent: Percent = Decimal("0.5")
    require: Annotated[int, Field(ge=1, le=3)] = 3
    min_age_s: Annotated[float, Field(ge=0)] = 5.0
    bucket_bp: Positive = 2.0
    min_buckets: Annotated[int, Field(ge=10)] = 30
    catch_up_s: Positive = 1.0
    cluster_range_bp: Positive = 30.0
    cluster_walls: Annotated[int, Field(ge=2)] = 3

    @field_validator("floor_usdt", mode="before")
    @classmethod
    def _over_the_defaults(cls, given: object) -> object:
        return _FLOORS_USDT | given if isinstance(given, dict) else given


class TrendSettings(Section):
    """Two criteria that must agree, over `window_s` of one-second samples; less than `min_samples` is flat."""

    window_s: Annotated[int, Field(ge=5, le=3600)] = 60
    min_samples: Annotated[int, Field(ge=5)] = 20
    slope_errors: Positive = 1.5
    imbalance: Fraction = 0.15
    hysteresis: Annotated[float, Field(gt=0, le=1)] = 0.6

    @field_validator("min_samples")
    @classmethod
    def _fits_the_window(cls, samples: int, info: ValidationInfo) -> int:
        window = info.data.get("window_s", samples)
        if samples > window:
            raise ValueError(f"expected at most window_s ({window}), or no trend is ever named")
        return samples


class BreakoutSettings(Section):
    enabled: bool = True
    min_eroded: Fraction = 0.30
    min_eaten_share: Fraction = 0.60
    target_percent: Percent = Decimal("2.0")
    stop_behind_bp: Positive = 15.0


class BounceSettings(Section):
    enabled: bool = True
    max_eroded: Fraction = 0.10
    near_percent: Percent = Decimal("0.15")
    near_atr: Positive = 0.3
    target_percent: Percent = Decimal("1.0")
    stop_behind_bp: Positive = 10.0


class EntrySettings(Section):
    """Entries are immediate-or-cancel limits: the price can never be worse than `slippage_bp` from the signal."""

    slippage_bp: Positive = 6.0
    max_signal_age_s: Positive = 60.0
    max_distance_percent: Percent = Decimal("1.0")
    min_stop_percent: Percent = Decimal("0.05")
    min_stop_extra_ticks: Annotated[int, Field(ge=0)] = 2
    intent_max_age_ms: Annotated[int, Field(ge=50)] = 500
    reward_to_cost: Positive = 3.0


class ExitSettings(Section):
    """How positions are left. Percentages are of the entry price."""

    breakout_breakeven_percent: Percent = Decimal("0.5")
    bounce_breakeven_erosion: Fraction = 0.65
    wall_gone_erosion: Fraction = 0.80
    slowdown_min_percent: Percent = Decimal("0.25")
    slowdown_giveback: Fraction = 0.35
    extremum_samples: Annotated[int, Field(ge=2)] = 5
    time_stop_s: Positive = 900.0
    emergency_close_s: Annotated[float, Field(gt=0, le=3)] = 2.0


class RiskSettings(Section):
    leverage: Annotated[Decimal, Field(ge=1, le=100)] = Decimal(10)
    max_positions: Annotated[int, Field(ge=1, le=50)] = 5
    position_margin_percent: Percent = Decimal(5)
    total_margin_percent: Percent = Decimal(50)
    max_exposure_usdt: Cash = Decimal(10_000)
    min_order_usdt: Cash = Decimal(5)
    risk_per_trade_percent: Percent = Decimal("0.5")
    net_exposure_usdt: Cash = Decimal(8_000)
    min_balance_usdt: Cash = Decimal(10)
    liquidation_gap_percent: Percent = Decimal("0.3")
    day_starts_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"


class BreakerSettings(Section):
    daily_loss_percent: Percent = Decimal(3)
    drawdown_percent: Percent = Decimal(8)
    consecutive_losses: Annotated[int, Field(ge=1)] = 4
    trades_per_day: Annotated[int, Field(ge=1)] = 60
    cooldown_s: Annotated[float, Field(ge=0)] = 900.0
    symbol_cooldown_s: Annotated[float, Field(ge=0)] = 15.0


class EngineSettings(Section):
    tick_ms: Annotated[int, Field(ge=20, le=1000)] = 100
    drain_events: Annotated[int, Field(ge=10)] = 200
    drain_ms: Positive = 2.0
    market_queue: Annotated[int, Field(ge=1000)] = 20_000
    commit_wait_ms: Annotated[int, Field(ge=1, le=1000)] = 50
    proof_every_s: Annotated[float, Field(gt=0, le=5)] = 5.0
    stale_after_s: Positive = 5.0
    loop_delay_halt_ms: Positive = 2000.0
    unknown_retry_s: Positive = 1.0
    unknown_absent_s: Positive = 5.0


class UiSettings(Section):
    """The screen. `max_kb_s` bounds what is sent to the terminal, `fps` how often it is looked at."""

    theme: str = "midnight"
    colors: Literal["auto", "truecolor", "256", "16", "none"] = "auto"
    fps: Annotated[float, Field(ge=0.5, le=10)] = 4.0
    max_kb_s: Annotated[float, Field(ge=5)] = 100.0
    mouse: bool = True
    tape_min_usdt: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class Settings(Section):
    """All settings. `mode` names a venue arrangement that only the wiring looks at."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    mode: Literal["demo", "paper", "live"] = "demo"
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    on_exit: Literal["keep", "flatten"] = "flatten"
    on_screen_lost: Literal["manage", "flatten", "trade"] = "manage"
    venue: VenueSettings = VenueSettings()
    walls: WallSettings = WallSettings()
    trend: TrendSettings = TrendSettings()
    breakout: BreakoutSettings = BreakoutSettings()
    bounce: BounceSettings = BounceSettings()
    entry: EntrySettings = EntrySettings()
    exits: ExitSettings = ExitSettings()
    risk: RiskSettings = RiskSettings()
    breaker: BreakerSettings = BreakerSettings()
    engine: EngineSettings = EngineSettings()
    ui: UiSettings = UiSettings()
    keys: dict[str, str | tuple[str, ...]] = {}

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @field_validator("symbols")
    @classmethod
    def _symbols_are_names(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if not symbols:
            raise ValueError("expected at least one symbol")
        wrong = [symbol for symbol in symbols if not (symbol.isascii() and symbol.isalnum() and symbol.isupper())]
        if wrong:
            raise ValueError(f"expected names such as BTCUSDT, found {', '.join(map(repr, wrong))}")
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise ValueError(f"expected each symbol once, found {', '.join(twice)} twice")
        return symbols


def load(path: Path | None) -> Settings:
    """Settings of a TOML file, or the defaults where `path` is None.

    Raises ConfigError with every mistake in the file, each with its place, what was expected, what
    was found, and the nearest known name of an unknown key.
    """
    if path is None:
        return Settings()
    try:
        text = text_of(path)
    except ValueError as error:
        raise ConfigError(f"{path}: cannot be read ({error}). `breakwall config init` writes a fresh one.") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Settings:
    """Settings of TOML text; `source` names it in errors."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    try:
        return Settings.model_validate(table)
    except ValidationError as error:
        lines = sorted(_mistake(dict(mistake)) for mistake in error.errors())
        raise ConfigError(listed(source, lines)) from error


def digest(settings: Settings) -> str:
    """SHA-256 of the effective settings: two runs with the same one were told the same."""
    return hashlib.sha256(settings.model_dump_json(by_alias=True).encode()).hexdigest()


_IN_WORDS = {
    "model_type": "a table [{}]",
    "dict_type": "a table of names and amounts",
    "tuple_type": 'a list such as ["BTCUSDT"]',
    "string_type": "a text in quotes",
    "string_pattern_mismatch": "a time of day such as 00:00",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "decimal_parsing": "a number",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing_size": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "bool_type": "true or false",
}
"""Pydantic's kinds of mistakes whose own words do not fit a settings file."""


def _mistake(mistake: dict[str, Any]) -> str:
    """One line per mistake. The value of an unknown key is never shown: it may be a secret."""
    place = [str(part) for part in mistake["loc"]]
    name = _place(mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        known = _keys_of(place[:-1])
        return f"{name}: unknown key; {nearest_name(place[-1], known)}"
    expected = str(mistake["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    expected = expected.removeprefix("expected ")
    expected = _IN_WORDS.get(mistake["type"], expected).format(place[-1])
    if ", found " in expected:
        return f"{name}: expected {expected}"
    return f"{name}: expected {expected}, found {sanitise(repr(mistake['input']), 60)}"


def _place(loc: tuple[str | int, ...]) -> str:
    """`[walls] require`, `symbols, item 2`: where in the file, as a person would say it."""
    names = [str(part) for part in loc if isinstance(part, str)]
    items = "".join(f", item {part + 1}" for part in loc if isinstance(part, int))
    return (names[0] if len(names) == 1 else f"[{'.'.join(names[:-1])}] {names[-1]}") + items


def _keys_of(place: list[str]) -> list[str]:
    model: type[BaseModel] = Settings
    for part in place:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return [field.alias or name for name, field in model.model_fields.items()]
