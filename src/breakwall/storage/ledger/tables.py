"""The tables of the ledger, for SQLite and PostgreSQL alike.

Times are milliseconds since 1970, cash is USDT, prices and quantities are exact decimals. `source` says where in
the journal a row comes from (`source_of` in `line.py`): it makes each row of history unique and lets a newer word win
over an older one. Rows without a source were said outside of the journal: on the command line, or by the ledger.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from breakwall.storage.ledger.columns import (
    ID,
    METADATA,
    ORDER_STATES,
    POSITION_STATES,
    SIDES,
    WALL_SIDES,
    Exact,
    one_of,
)

REVISION = "0001"
"""The Alembic revision these tables are; `storage/migrations` brings older files here."""

PROGRESS = Table(
    "progress",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("run", BigInteger, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("identity", Text, nullable=False),
)
"""One row: up to which row of whose journal (its identity as JSON) the books are written."""

INSTRUMENTS = Table(
    "instruments",
    METADATA,
    Column("symbol", String, primary_key=True),
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("tick", Exact, nullable=False),
    Column("lot", Exact, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)
"""Each change of a symbol's tick and lot: the journal speaks in these units."""

RUNS = Table(
    "strategy_runs",
    METADATA,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    Column("strategy", String, primary_key=True),
    Column("started_ms", BigInteger, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("settings", Text, nullable=False),
)
"""One strategy in one run, with its own parameters and the settings of the run, as JSON."""

POSITIONS = Table(
    "positions",
    METADATA,
    Column("key", String, primary_key=True),
    Column("source", BigInteger, nullable=False),
    Column("symbol", String, nullable=False),
    Column("state", String, nullable=False),
    Column("strategy", String, nullable=False),
    Column("entry_id", String, nullable=False),
    Column("trace", String, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("lots", BigInteger, nullable=False),
    Column("qty", Exact, nullable=False),
    Column("entry", Exact),
    Column("stop", Exact),
    Column("liquidation", Exact),
    one_of("state", POSITION_STATES),
    Index(None, "symbol", "opened_ms"),
    Index(None, "trace"),
    Index(None, "entry_id"),
)
"""`lots` and `qty` are signed; `key` is the client id of the entry, or symbol and time of one that was taken over."""

POSITION_STEPS = Table(
    "position_steps",
    METADATA,
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("position_key", ForeignKey("positions.key"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("what", String, nullable=False),
    Column("state", String, nullable=False),
    Column("lots", BigInteger, nullable=False),
    Column("qty", Exact, nullable=False),
    Column("entry", Exact),
    Column("stop", Exact),
    Column("text", Text, nullable=False),
    Column("trace", String, nullable=False),
    one_of("state", POSITION_STATES),
    Index(None, "position_key"),
    Index(None, "trace"),
)

ORDERS = Table(
    "orders",
    METADATA,
    Column("key", String, primary_key=True),
    Column("source", BigInteger, nullable=False),
    Column("client_id", String, nullable=False),
    Column("order_id", String, nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("symbol", String, nullable=False),
    Column("position_key", ForeignKey("positions.key")),
    Column("state", String, nullable=False),
    Column("side", String),
    Column("kind", String, nullable=False),
    Column("tif", String, nullable=False),
    Column("reduce_only", Boolean, nullable=False),
    Column("stop_kind", String, nullable=False),
    Column("lots", BigInteger, nullable=False),
    Column("filled_lots", BigInteger, nullable=False),
    Column("qty", Exact),
    Column("limit_price", Exact),
    Column("stop_price", Exact),
    Column("average", Exact),
    Column("strategy", String, nullable=False),
    Column("trace", String, nullable=False),
    Column("decided_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("told_ms", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("reason", Text, nullable=False),
    one_of("state", ORDER_STATES),
    one_of("side", SIDES),
    Index(None, "symbol", "decided_ms"),
    Index(None, "client_id"),
    Index(None, "order_id"),
    Index(None, "trace"),
    Index(None, "position_key"),
)
"""`key` is the client id, or # and the exchange's id where it has none (a stop's child, another person's order).
`why` is ours, `reason` the exchange's; `told_ms` is when it last told of an order that we did not decide.
"""

ORDER_STEPS = Table(
    "order_steps",
    METADATA,
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("order_key", ForeignKey("orders.key"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("before", String),
    Column("after", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("filled_lots", BigInteger, nullable=False),
    Column("legal", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("alarm", Text, nullable=False),
    Column("trace", String, nullable=False),
    one_of("before", ORDER_STATES),
    one_of("after", ORDER_STATES),
    Index(None, "order_key"),
    Index(None, "trace"),
)

FILLS = Table(
    "fills",
    METADATA,
    Column("exec_id", String, primary_key=True),
    Column("source", BigInteger, nullable=False),
    Column("order_key", ForeignKey("orders.key")),
    Column("position_key", ForeignKey("positions.key")),
    Column("symbol", String, nullable=False),
    Column("client_id", String, nullable=False),
    Column("exec_kind", String, nullable=False),
    Column("side", String, nullable=False),
    Column("lots", BigInteger, nullable=False),
    Column("qty", Exact),
    Column("price", Exact),
    Column("fee_usdt", Exact, nullable=False),
    Column("maker", Boolean, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("trace", String, nullable=False),
    one_of("side", SIDES),
    Index(None, "symbol", "at_ms"),
    Index(None, "client_id"),
    Index(None, "order_key"),
    Index(None, "position_key"),
    Index(None, "trace"),
)
"""Executions by the exchange's own id. Of kind Funding they are cash, not trades: `fee_usdt` is what was paid."""

TRADES = Table(
    "trades",
    METADATA,
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("position_key", ForeignKey("positions.key")),
    Column("symbol", String, nullable=False),
    Column("strategy", String, nullable=False),
    Column("side", String, nullable=False),
    Column("lots", BigInteger, nullable=False),
    Column("qty", Exact, nullable=False),
    Column("entry", Exact, nullable=False),
    Column("exit", Exact, nullable=False),
    Column("gross_usdt", Exact, nullable=False),
    Column("fees_usdt", Exact, nullable=False),
    Column("funding_usdt", Exact, nullable=False),
    Column("net_usdt", Exact, nullable=False),
    Column("planned_entry", Exact),
    Column("planned_stop", Exact),
    Column("planned_target", Exact),
    Column("entry_slippage_usdt", Exact),
    Column("exit_slippage_usdt", Exact),
    Column("best", Exact, nullable=False),
    Column("worst", Exact, nullable=False),
    Column("reason", Text, nullable=False),
    Column("external", Boolean, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger, nullable=False),
    Column("entry_id", String, nullable=False),
    Column("trace", String, nullable=False),
    one_of("side", SIDES),
    Index(None, "symbol", "closed_ms"),
    Index(None, "entry_id"),
    Index(None, "trace"),
)
"""Finished round trips. `best` and `worst` are MFE and MAE per coin. Slippage is what a worse price than planned
cost, at the exit against the stop or the target it was left at.
"""

RECOVERIES = Table(
    "recoveries",
    METADATA,
    Column("source", BigInteger, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("purpose", String, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("actions", Text, nullable=False),
    Column("restored", Text, nullable=False),
    Index(None, "at_ms"),
)
"""Passes of reconciliation; `actions` and `restored` are JSON lists of sentences."""

HANGING = Table(
    "hanging_orders",
    METADATA,
    Column("recovery", ForeignKey("recoveries.source"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("client_id", String, nullable=False),
    Column("order_id", String, nullable=False),
    Column("symbol", String, nullable=False),
    Column("our_state", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("exchange_state", String, nullable=False),
    Column("raw", Text, nullable=False),
    Index(None, "symbol", "at_ms"),
    Index(None, "client_id"),
)

SYSTEM_EVENTS = Table(
    "system_events",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("source", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("level", String, nullable=False),
    Column("symbol", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("client_id", String, nullable=False),
    Column("trace", String, nullable=False),
    UniqueConstraint("source"),
    Index(None, "symbol", "at_ms"),
    Index(None, "trace"),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("source", BigInteger),
    Column("at_ms", BigInteger, nullable=False),
    Column("action", String, nullable=False),
    Column("entity", String, nullable=False),
    Column("entity_id", String, nullable=False),
    Column("symbol", String, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("success", Boolean),
    Column("error", Text, nullable=False),
    Column("trace", String, nullable=False),
    Column("context", Text, nullable=False),
    UniqueConstraint("source"),
    Index(None, "symbol", "at_ms"),
    Index(None, "trace"),
    Index(None, "entity", "entity_id"),
    Index(None, "action", "at_ms"),
)
"""Append-only, by trigger. `success` NULL: asked for, the outcome is told by a later line or unknown."""

NUMBERED = frozenset({AUDIT, SYSTEM_EVENTS})
"""Tables whose rows may have no source: `id` only numbers them, and differs from one ledger to the other."""

WALLS = Table(
    "walls",
    METADATA,
    Column("symbol", String, primary_key=True),
    Column("born_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("wall_id", BigInteger, primary_key=True, autoincrement=False),
    Column("side", String, nullable=False),
    Column("price", Exact, nullable=False),
    Column("ended_ms", BigInteger, nullable=False),
    Column("ending", String, nullable=False),
    Column("first_usdt", Exact, nullable=False),
    Column("peak_usdt", Exact, nullable=False),
    Column("last_usdt", Exact, nullable=False),
    Column("eaten", Float, nullable=False),
    Column("pulled", Float, nullable=False),
    Column("touches", Integer, nullable=False),
    one_of("side", WALL_SIDES),
    Index(None, "symbol", "ended_ms"),
)

BOOKS = Table(
    "book_snapshots",
    METADATA,
    Column("symbol", String, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("bid", Exact),
    Column("ask", Exact),
    Column("levels", LargeBinary, nullable=False),
)
"""`levels`: see `breakwall.storage.ledger.market`."""

STATS = Table(
    "market_stats",
    METADATA,
    Column("symbol", String, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("bid", Exact),
    Column("ask", Exact),
    Column("mark", Exact),
    Column("turnover_24h_usdt", Exact),
    Column("change_24h", Exact),
    Column("funding_rate", Exact),
    Column("open_interest", Exact),
    Column("walls", Integer, nullable=False),
    Column("trend", String, nullable=False),
)

COINS = Table(
    "coin_parameters",
    METADATA,
    Column("symbol", String, primary_key=True),
    Column("enabled", Boolean),
    Column("floor_usdt", Exact),
    Column("version", Integer, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
)
"""What people changed for one symbol; NULL: as the settings say. `version` counts the changes."""
