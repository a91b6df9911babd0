"""The ledger as it began."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from breakwall.storage.ledger.columns import Exact
from breakwall.storage.ledger.triggers import guard_the_audit

revision = "0001"
down_revision = None

_ORDER_STATES = (
    "'PENDING', 'SENT', 'UNKNOWN', 'PLACED', 'PARTIALLY_FILLED', 'FILLED', "
    "'AMENDING', 'CANCELLING', 'CANCELLED', 'REJECTED', 'EXPIRED'"
)
_POSITION_STATES = "'OPENING', 'OPEN', 'CLOSING', 'CLOSED'"


def upgrade() -> None:
    _audit()
    _book_snapshots()
    _coin_parameters()
    _instruments()
    _market_stats()
    _positions()
    _progress()
    _recoveries()
    _strategy_runs()
    _system_events()
    _walls()
    _hanging_orders()
    _orders()
    _position_steps()
    _trades()
    _fills()
    _order_steps()
    guard_the_audit(op.get_bind())


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger()),
        *_numbers("at_ms"),
        *_words("action", "entity", "entity_id", "symbol"),
        *_texts("before", "after"),
        *_words("who"),
        *_texts("why"),
        sa.Column("success", sa.Boolean()),
        *_texts("error"),
        *_words("trace"),
        *_texts("context"),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint("source", name="uq_audit_source"),
    )
    op.create_index("ix_audit_action_at_ms", "audit", ["action", "at_ms"])
    op.create_index("ix_audit_entity_entity_id", "audit", ["entity", "entity_id"])
    op.create_index("ix_audit_symbol_at_ms", "audit", ["symbol", "at_ms"])
    op.create_index("ix_audit_trace", "audit", ["trace"])


def _book_snapshots() -> None:
    op.create_table(
        "book_snapshots",
        *_words("symbol"),
        *_numbers("at_ms"),
        *_maybe_exacts("bid", "ask"),
        sa.Column("levels", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("symbol", "at_ms", name="pk_book_snapshots"),
    )


def _coin_parameters() -> None:
    op.create_table(
        "coin_parameters",
        *_words("symbol"),
        sa.Column("enabled", sa.Boolean()),
        *_maybe_exacts("floor_usdt"),
        sa.Column("version", sa.Integer(), nullable=False),
        *_numbers("changed_ms"),
        *_words("who"),
        *_texts("why"),
        sa.PrimaryKeyConstraint("symbol", name="pk_coin_parameters"),
    )


def _instruments() -> None:
    op.create_table(
        "instruments",
        *_words("symbol"),
        *_numbers("source"),
        *_exacts("tick", "lot"),
        *_numbers("at_ms"),
        sa.PrimaryKeyConstraint("symbol", "source", name="pk_instruments"),
    )


def _market_stats() -> None:
    op.create_table(
        "market_stats",
        *_words("symbol"),
        *_numbers("at_ms"),
        *_maybe_exacts("bid", "ask", "mark", "turnover_24h_usdt", "change_24h", "funding_rate", "open_interest"),
        sa.Column("walls", sa.Integer(), nullable=False),
        *_words("trend"),
        sa.PrimaryKeyConstraint("symbol", "at_ms", name="pk_market_stats"),
    )


def _positions() -> None:
    op.create_table(
        "positions",
        *_words("key"),
        *_numbers("source"),
        *_words("symbol", "state", "strategy", "entry_id", "trace"),
        *_numbers("opened_ms", "changed_ms"),
        sa.Column("closed_ms", sa.BigInteger()),
        *_numbers("lots"),
        *_exacts("qty"),
        *_maybe_exacts("entry", "stop", "liquidation"),
        sa.CheckConstraint(f"state IN ({_POSITION_STATES})", name=op.f("ck_positions_state_known")),
        sa.PrimaryKeyConstraint("key", name="pk_positions"),
    )
    op.create_index("ix_positions_entry_id", "positions", ["entry_id"])
    op.create_index("ix_positions_symbol_opened_ms", "positions", ["symbol", "opened_ms"])
    op.create_index("ix_positions_trace", "positions", ["trace"])


def _progress() -> None:
    op.create_table(
        "progress",
        sa.Column("id", sa.Integer(), nullable=False),
        *_numbers("run", "row"),
        *_texts("identity"),
        sa.PrimaryKeyConstraint("id", name="pk_progress"),
    )


def _recoveries() -> None:
    op.create_table(
        "recoveries",
        *_numbers("source", "at_ms"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_words("purpose"),
        *_flags("clean"),
        *_texts("verdict", "actions", "restored"),
        sa.PrimaryKeyConstraint("source", name="pk_recoveries"),
    )
    op.create_index("ix_recoveries_at_ms", "recoveries", ["at_ms"])


def _strategy_runs() -> None:
    op.create_table(
        "strategy_runs",
        *_numbers("run"),
        *_words("strategy"),
        *_numbers("started_ms"),
        *_texts("parameters", "settings"),
        sa.PrimaryKeyConstraint("run", "strategy", name="pk_strategy_runs"),
    )


def _system_events() -> None:
    op.create_table(
        "system_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger()),
        *_numbers("at_ms"),
        *_words("kind", "level", "symbol"),
        *_texts("text"),
        *_words("client_id", "trace"),
        sa.PrimaryKeyConstraint("id", name="pk_system_events"),
        sa.UniqueConstraint("source", name="uq_system_events_source"),
    )
    op.create_index("ix_system_events_symbol_at_ms", "system_events", ["symbol", "at_ms"])
    op.create_index("ix_system_events_trace", "system_events", ["trace"])


def _walls() -> None:
    op.create_table(
        "walls",
        *_words("symbol"),
        *_numbers("born_ms", "wall_id"),
        *_words("side"),
        *_exacts("price"),
        *_numbers("ended_ms"),
        *_words("ending"),
        *_exacts("first_usdt", "peak_usdt", "last_usdt"),
        sa.Column("eaten", sa.Float(), nullable=False),
        sa.Column("pulled", sa.Float(), nullable=False),
        sa.Column("touches", sa.Integer(), nullable=False),
        sa.CheckConstraint("side IN ('bid', 'ask')", name=op.f("ck_walls_side_known")),
        sa.PrimaryKeyConstraint("symbol", "born_ms", "wall_id", name="pk_walls"),
    )
    op.create_index("ix_walls_symbol_ended_ms", "walls", ["symbol", "ended_ms"])


def _hanging_orders() -> None:
    op.create_table(
        "hanging_orders",
        *_numbers("recovery"),
        sa.Column("number", sa.Integer(), nullable=False),
        *_numbers("at_ms"),
        *_words("client_id", "order_id", "symbol", "our_state", "kind"),
        *_texts("reason"),
        *_words("exchange_state"),
        *_texts("raw"),
        sa.ForeignKeyConstraint(["recovery"], ["recoveries.source"], name="fk_hanging_orders_recovery_recoveries"),
        sa.PrimaryKeyConstraint("recovery", "number", name="pk_hanging_orders"),
    )
    op.create_index("ix_hanging_orders_client_id", "hanging_orders", ["client_id"])
    op.create_index("ix_hanging_orders_symbol_at_ms", "hanging_orders", ["symbol", "at_ms"])


def _orders() -> None:
    op.create_table(
        "orders",
        *_words("key"),
        *_numbers("source"),
        *_words("client_id", "order_id"),
        *_flags("ours"),
        *_words("symbol"),
        sa.Column("position_key", sa.String()),
        *_words("state"),
        sa.Column("side", sa.String()),
        *_words("kind", "tif"),
        *_flags("reduce_only"),
        *_words("stop_kind"),
        *_numbers("lots", "filled_lots"),
        *_maybe_exacts("qty", "limit_price", "stop_price", "average"),
        *_words("strategy", "trace"),
        *_numbers("decided_ms", "changed_ms", "told_ms"),
        *_texts("why", "reason"),
        sa.CheckConstraint("side IN ('Buy', 'Sell')", name=op.f("ck_orders_side_known")),
        sa.CheckConstraint(f"state IN ({_ORDER_STATES})", name=op.f("ck_orders_state_known")),
        sa.ForeignKeyConstraint(["position_key"], ["positions.key"], name="fk_orders_position_key_positions"),
        sa.PrimaryKeyConstraint("key", name="pk_orders"),
    )
    op.create_index("ix_orders_client_id", "orders", ["client_id"])
    op.create_index("ix_orders_order_id", "orders", ["order_id"])
    op.create_index("ix_orders_position_key", "orders", ["position_key"])
    op.create_index("ix_orders_symbol_decided_ms", "orders", ["symbol", "decided_ms"])
    op.create_index("ix_orders_trace", "orders", ["trace"])


def _position_steps() -> None:
    op.create_table(
        "position_steps",
        *_numbers("source"),
        *_words("position_key"),
        *_numbers("at_ms"),
        *_words("what", "state"),
        *_numbers("lots"),
        *_exacts("qty"),
        *_maybe_exacts("entry", "stop"),
        *_texts("text"),
        *_words("trace"),
        sa.CheckConstraint(f"state IN ({_POSITION_STATES})", name=op.f("ck_position_steps_state_known")),
        sa.ForeignKeyConstraint(["position_key"], ["positions.key"], name="fk_position_steps_position_key_positions"),
        sa.PrimaryKeyConstraint("source", name="pk_position_steps"),
    )
    op.create_index("ix_position_steps_position_key", "position_steps", ["position_key"])
    op.create_index("ix_position_steps_trace", "position_steps", ["trace"])


def _trades() -> None:
    op.create_table(
        "trades",
        *_numbers("source"),
        sa.Column("position_key", sa.String()),
        *_words("symbol", "strategy", "side"),
        *_numbers("lots"),
        *_exacts("qty", "entry", "exit", "gross_usdt", "fees_usdt", "funding_usdt", "net_usdt"),
        *_maybe_exacts(
            "planned_entry", "planned_stop", "planned_target", "entry_slippage_usdt", "exit_slippage_usdt"
        ),
        *_exacts("best", "worst"),
        *_texts("reason"),
        *_flags("external", "estimated"),
        *_numbers("opened_ms", "closed_ms"),
        *_words("entry_id", "trace"),
        sa.CheckConstraint("side IN ('Buy', 'Sell')", name=op.f("ck_trades_side_known")),
        sa.ForeignKeyConstraint(["position_key"], ["positions.key"], name="fk_trades_position_key_positions"),
        sa.PrimaryKeyConstraint("source", name="pk_trades"),
    )
    op.create_index("ix_trades_entry_id", "trades", ["entry_id"])
    op.create_index("ix_trades_symbol_closed_ms", "trades", ["symbol", "closed_ms"])
    op.create_index("ix_trades_trace", "trades", ["trace"])


def _fills() -> None:
    op.create_table(
        "fills",
        *_words("exec_id"),
        *_numbers("source"),
        sa.Column("order_key", sa.String()),
        sa.Column("position_key", sa.String()),
        *_words("symbol", "client_id", "exec_kind", "side"),
        *_numbers("lots"),
        *_maybe_exacts("qty", "price"),
        *_exacts("fee_usdt"),
        *_flags("maker"),
        *_numbers("at_ms"),
        *_words("trace"),
        sa.CheckConstraint("side IN ('Buy', 'Sell')", name=op.f("ck_fills_side_known")),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name="fk_fills_order_key_orders"),
        sa.ForeignKeyConstraint(["position_key"], ["positions.key"], name="fk_fills_position_key_positions"),
        sa.PrimaryKeyConstraint("exec_id", name="pk_fills"),
    )
    op.create_index("ix_fills_client_id", "fills", ["client_id"])
    op.create_index("ix_fills_order_key", "fills", ["order_key"])
    op.create_index("ix_fills_position_key", "fills", ["position_key"])
    op.create_index("ix_fills_symbol_at_ms", "fills", ["symbol", "at_ms"])
    op.create_index("ix_fills_trace", "fills", ["trace"])


def _order_steps() -> None:
    op.create_table(
        "order_steps",
        *_numbers("source"),
        *_words("order_key"),
        *_numbers("at_ms"),
        sa.Column("before", sa.String()),
        *_words("after", "cause"),
        *_numbers("filled_lots"),
        *_flags("legal"),
        *_texts("reason", "alarm"),
        *_words("trace"),
        sa.CheckConstraint(f"after IN ({_ORDER_STATES})", name=op.f("ck_order_steps_after_known")),
        sa.CheckConstraint(f"before IN ({_ORDER_STATES})", name=op.f("ck_order_steps_before_known")),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name="fk_order_steps_order_key_orders"),
        sa.PrimaryKeyConstraint("source", name="pk_order_steps"),
    )
    op.create_index("ix_order_steps_order_key", "order_steps", ["order_key"])
    op.create_index("ix_order_steps_trace", "order_steps", ["trace"])


def _words(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.String(), nullable=False) for name in names]


def _texts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _exacts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, Exact(), nullable=False) for name in names]


def _maybe_exacts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, Exact(), nullable=True) for name in names]


def _flags(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]
