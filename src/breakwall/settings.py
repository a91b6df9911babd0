"""The settings as frozen models: every section with its defaults, limits and units.

Cash is USDT, percentages are per cent (5 = 5 %), `bp` are hundredths of a per cent, names end in their unit.
`breakwall.config` reads them from a file.
"""

from collections import Counter
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Percent = Annotated[Decimal, Field(gt=0, le=100)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Cash = Annotated[Decimal, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class VenueSettings(Section):
    """Where to trade and how the uncertain points of the exchange's contract are taken."""

    name: Literal["bybit"] = "bybit"
    environment: Literal["mainnet", "testnet", "demo"] = "testnet"
    rest_url: str = ""
    public_url: str = ""
    private_url: str = ""
    trade_url: str = ""
    order_entry: Literal["ws", "rest"] = "ws"
    key_file: str = ""
    account: Annotated[str, Field(pattern=r"^\d{0,20}$")] = ""
    depth: Literal["auto", 50, 200, 1000] = "auto"
    gaps: Literal["strict", "warn"] = "strict"
    recv_window_ms: Annotated[int, Field(ge=1000, le=60000)] = 5000
    request_timeout_s: Positive = 5.0
    ping_interval_s: Positive = 20.0
    pong_timeout_s: Positive = 10.0
    book_silence_s: Positive = 4.0
    reconnect_first_s: Positive = 0.25
    reconnect_cap_s: Positive = 15.0
    topics_per_socket: Annotated[int, Field(ge=3, le=600)] = 240
    taker_fee: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.00055")
    maker_fee: Annotated[Decimal, Field(gt=-1, lt=1)] = Decimal("0.0002")
    dcp: Literal["auto", "off"] = "auto"
    dcp_window_s: Literal[0] | Annotated[int, Field(ge=3, le=300)] = 0
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


class PaperSettings(Section):
    """The account that trades a real venue's market on paper, and how long its orders are on their way."""

    balance_usdt: Cash = Decimal(10_000)
    latency_ms: Annotated[int, Field(ge=0, le=5000)] = 100


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
    min_samples: Annotated[int, Field(ge=3)] = 20
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


def _names(symbols: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [symbol for symbol in symbols if not (symbol.isascii() and symbol.isalnum() and symbol.isupper())]
    if wrong:
        raise ValueError(f"expected names such as BTCUSDT, found {', '.join(map(repr, wrong))}")
    return symbols


class ScreenerSettings(Section):
    """Markets followed because they move, beside `symbols`: by the change of the last 24 hours.

    Who is in stays until it is more than `keep_ranks` beyond the last place, or unfit by far (see `market.screener`).
    """

    enabled: bool = False
    refresh_s: Annotated[float, Field(ge=5, le=3600)] = 30.0
    gainers: Annotated[int, Field(ge=0, le=100)] = 20
    losers: Annotated[int, Field(ge=0, le=100)] = 20
    keep_ranks: Annotated[int, Field(ge=0, le=100)] = 5
    min_turnover_usdt: Annotated[Decimal, Field(ge=0)] = Decimal(20_000_000)
    max_spread_bp: Annotated[Decimal, Field(gt=0)] = Decimal(10)
    min_listed_days: Annotated[float, Field(ge=0)] = 3.0
    exclude: tuple[str, ...] = ()

    @field_validator("exclude")
    @classmethod
    def _excluded_are_names(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        return _names(symbols)


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
    max_order_usdt: Cash = Decimal(5_000)
    price_collar_percent: Annotated[Decimal, Field(gt=0, le=5)] = Decimal(1)
    liquidation_gap_percent: Percent = Decimal("0.3")
    close_before_delivery_min: Annotated[int, Field(ge=1, le=10_080)] = 60
    day_starts_at: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "00:00"


class BreakerSettings(Section):
    """When trading stops itself; `breakwall.trading.breaker` has the table of rules.

    No rule can be switched off: 0 is refused wherever it would mean never, and each limit has a largest value.
    """

    daily_loss_percent: Percent = Decimal(3)
    daily_flatten_percent: Annotated[Percent, Field(validate_default=True)] = Decimal(5)
    symbol_loss_percent: Percent = Decimal("1.5")
    strategy_loss_percent: Percent = Decimal(2)
    drawdown_percent: Percent = Decimal(8)
    exposure_slack_percent: Annotated[Decimal, Field(ge=1, le=100)] = Decimal(10)
    consecutive_losses: Annotated[int, Field(ge=1, le=10_000)] = 4
    trades_per_day: Annotated[int, Field(ge=1, le=10_000)] = 60
    cooldown_s: Annotated[float, Field(ge=1, le=86_400)] = 900.0
    symbol_cooldown_s: Annotated[float, Field(ge=0, le=86_400)] = 15.0
    stop_guard_symbol_stops: Annotated[int, Field(ge=1, le=10_000)] = 3
    stop_guard_stops: Annotated[int, Field(ge=1, le=10_000)] = 6
    stop_guard_window_s: Annotated[float, Field(ge=60, le=86_400)] = 3600.0
    stop_guard_pause_s: Annotated[float, Field(ge=1, le=86_400)] = 1800.0
    repeat_entries: Annotated[int, Field(ge=2, le=10_000)] = 15
    repeat_window_s: Annotated[float, Field(ge=60, le=86_400)] = 600.0
    orders_per_minute: Annotated[int, Field(ge=1, le=600)] = 30
    slow_order_ms: Annotated[int, Field(ge=50, le=10_000)] = 1500
    slow_commit_ms: Annotated[int, Field(ge=10, le=10_000)] = 250
    slow_commit_pause_s: Annotated[float, Field(ge=1, le=3600)] = 10.0
    refused_pause_s: Annotated[float, Field(ge=1, le=86_400)] = 60.0
    clock_warn_ms: Annotated[int, Field(ge=10, le=1000)] = 500
    clock_halt_ms: Annotated[int, Field(ge=50, le=1000)] = 1000
    loop_delay_ms: Annotated[int, Field(ge=50, le=5000)] = 500
    unreconciled_s: Annotated[float, Field(ge=6, le=300)] = 15.0

    @field_validator("daily_flatten_percent")
    @classmethod
    def _beyond_the_daily_loss(cls, percent: Decimal, info: ValidationInfo) -> Decimal:
        least = info.data.get("daily_loss_percent", percent)
        if percent < least:
            raise ValueError(f"expected at least daily_loss_percent ({least}), found {percent}")
        return percent


class RecoverySettings(Section):
    """How a start and every later look at the account deal with what differs.

    `foreign` is what becomes of positions and orders that the journal does not know, in symbols that we follow. A
    start counts as crashed when it did not end in order; `crash_starts` of them within `crash_window_s` stop new
    entries.
    """

    passes: Annotated[int, Field(ge=1, le=10)] = 3
    pass_gap_s: Annotated[float, Field(ge=0.5, le=30)] = 2.0
    hanging_after_min: Positive = 30.0
    foreign: Literal["adopt", "ignore", "close"] = "adopt"
    crash_starts: Annotated[int, Field(ge=2, le=50)] = 5
    crash_window_s: Annotated[float, Field(ge=10)] = 60.0


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


class LedgerSettings(Section):
    """The books for people and reports. `url` empty: a SQLite file in the run folder."""

    enabled: bool = True
    url: str = ""
    walls_days: Annotated[int, Field(ge=1, le=3650)] = 60
    books_days: Annotated[int, Field(ge=1, le=3650)] = 30

    @field_validator("url")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        """What is found is never shown: it may be a password in the wrong place."""
        if url and not url.startswith("postgresql://"):
            raise ValueError("expected nothing, or postgresql://USER@HOST/DATABASE, found another kind of address")
        if ":" in url.removeprefix("postgresql://").rpartition("@")[0] or "password=" in url:
            raise ValueError("expected no password (put it into ~/.pgpass or PGPASSWORD), found one")
        return url


class RecordSettings(Section):
    """What `breakwall record` writes: a new part when one has `part_mb`, and with each UTC day if `new_day`."""

    part_mb: Annotated[int, Field(ge=1, le=100_000)] = 256
    new_day: bool = True
    disk_floor_mb: Annotated[int, Field(ge=50, le=1_000_000)] = 1000


class UiSettings(Section):
    """The screen. `max_kb_s` bounds what is sent to the terminal, `fps` how often it is looked at."""

    theme: str = "midnight"
    colors: Literal["auto", "truecolor", "256", "16", "none"] = "auto"
    fps: Annotated[float, Field(ge=0.5, le=10)] = 4.0
    max_kb_s: Annotated[float, Field(ge=5)] = 100.0
    mouse: bool = True
    bell: bool = True
    tape_min_usdt: Annotated[Decimal, Field(ge=0)] = Decimal(0)


class LogSettings(Section):
    """The log files; `repeats_s` is how long a line that comes again is only counted, 0: never."""

    level: Literal["debug", "info", "warning", "error"] = "debug"
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 30
    repeats_s: Annotated[float, Field(ge=0, le=3600)] = 60.0


class Settings(Section):
    """All settings. `mode` names a venue arrangement that only the wiring looks at."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    mode: Literal["demo", "paper", "live"] = "demo"
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    disabled: tuple[str, ...] = ()
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    on_exit: Literal["keep", "flatten"] = "flatten"
    on_screen_lost: Literal["manage", "flatten", "trade"] = "manage"
    venue: VenueSettings = VenueSettings()
    paper: PaperSettings = PaperSettings()
    screener: ScreenerSettings = ScreenerSettings()
    walls: WallSettings = WallSettings()
    trend: TrendSettings = TrendSettings()
    breakout: BreakoutSettings = BreakoutSettings()
    bounce: BounceSettings = BounceSettings()
    entry: EntrySettings = EntrySettings()
    exits: ExitSettings = ExitSettings()
    risk: RiskSettings = RiskSettings()
    breaker: BreakerSettings = BreakerSettings()
    recovery: RecoverySettings = RecoverySettings()
    engine: EngineSettings = EngineSettings()
    ledger: LedgerSettings = LedgerSettings()
    record: RecordSettings = RecordSettings()
    ui: UiSettings = UiSettings()
    logs: LogSettings = LogSettings()
    keys: dict[str, str | tuple[str, ...]] = {}

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)

    @field_validator("disabled")
    @classmethod
    def _disabled_are_listed(cls, disabled: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        unknown = [symbol for symbol in disabled if symbol not in info.data.get("symbols", disabled)]
        if unknown:
            raise ValueError(f"expected names out of symbols, found {', '.join(map(repr, unknown))}")
        return disabled

    def trades(self, symbol: str) -> bool:
        """Whether positions may be opened in it; whether the screener wants it is another question."""
        return (symbol in self.symbols or self.screener.enabled) and symbol not in self.disabled

    @field_validator("symbols")
    @classmethod
    def _symbols_are_names(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        if not symbols:
            raise ValueError("expected at least one symbol")
        _names(symbols)
        twice = sorted(symbol for symbol, times in Counter(symbols).items() if times > 1)
        if twice:
            raise ValueError(f"expected each symbol once, found {', '.join(twice)} twice")
        return symbols
