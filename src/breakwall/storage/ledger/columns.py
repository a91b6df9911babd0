"""What the tables of the ledger are made of: exact decimals, closed sets of words, and names for every constraint."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Dialect, Integer, MetaData, Numeric, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

ORDER_STATES = (
    *("PENDING", "SENT", "UNKNOWN", "PLACED", "PARTIALLY_FILLED", "FILLED"),
    *("AMENDING", "CANCELLING", "CANCELLED", "REJECTED", "EXPIRED"),
)
OPEN_ORDER_STATES = ("PENDING", "SENT", "UNKNOWN", "PLACED", "PARTIALLY_FILLED", "AMENDING", "CANCELLING")
POSITION_STATES = ("OPENING", "OPEN", "CLOSING", "CLOSED")
SIDES = ("Buy", "Sell")
WALL_SIDES = ("bid", "ask")


class Exact(TypeDecorator[Decimal]):
    """A decimal that stays what it is: NUMERIC where there is one, plain text in SQLite, which knows floats only."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None or dialect.name != "sqlite":
            return value
        text = str(value)  # format() takes twice as long, and is needed for exponents only
        return format(value, "f") if "E" in text else text

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return Decimal(value) if isinstance(value, str) and dialect.name == "sqlite" else value


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """Only these words, or none where the column may be empty."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA = MetaData(naming_convention=NAMES)
ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER
