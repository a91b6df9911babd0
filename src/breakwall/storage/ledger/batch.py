"""Rows of one stretch of the journal, gathered to be written in one transaction."""

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table, Update, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from breakwall.storage.ledger.columns import METADATA

Row = dict[str, Any]

_KEY: Final = "key_"
_SOURCE: Final = "source_"


class Batch:
    """Rows to add, where none with their key is there yet, and rows to change, where nothing newer has changed them.

    So writing a batch twice, or an old one after a new one, changes nothing.
    """

    def __init__(self) -> None:
        self._added: dict[Table, list[Row]] = {}
        self._changed: dict[Table, dict[str, Row]] = {}

    def __bool__(self) -> bool:
        return bool(self._added or self._changed)

    @property
    def rows(self) -> int:
        """How many rows are to be written."""
        return sum(map(len, self._added.values())) + sum(map(len, self._changed.values()))

    def add(self, table: Table, row: Row) -> None:
        """A new row; those of one table name the same columns."""
        self._added.setdefault(table, []).append(row)

    def change(self, table: Table, key: str, source: int, values: Mapping[str, Any]) -> None:
        """Set exactly these columns of the row `key`; several changes of one row become one.

        What an entry sets of the row that it has just added goes into that row: its source is not newer than the
        row's. Where the row was there already, it is a change as all others.
        """
        added = self._added.get(table)
        if added and added[-1]["source"] == source and added[-1]["key"] == key:
            added[-1].update(values)
        row = self._changed.setdefault(table, {}).setdefault(key, {})
        row.update(values, **{_KEY: key, _SOURCE: source})

    def write(self, connection: Connection) -> None:
        """Into the tables, in the order their foreign keys need."""
        for table in METADATA.sorted_tables:
            if added := self._added.get(table):
                insert = _insert(connection.dialect.name, table, tuple(added[0]))
                connection.exec_driver_sql(insert.sql, insert.parameters(added))
        for table, changed in self._changed.items():
            for columns, rows in _by_columns(changed.values()):
                connection.execute(_update(table, columns), rows)


class _Insert:
    """An insert that leaves what is there as it is, compiled once: of each row only its values are looked at.

    SQLAlchemy's own way costs 10 us a row, more than SQLite needs to write it.
    """

    def __init__(self, dialect: Dialect, table: Table, names: tuple[str, ...]) -> None:
        insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
        compiled = insert(table).on_conflict_do_nothing().compile(dialect=dialect, column_keys=names)
        self.sql = str(compiled)
        self._positional = compiled.positional
        processors = {name: table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names}
        self._columns = [(name, processors[name]) for name in compiled.positiontup or names]

    def parameters(self, rows: Iterable[Row]) -> list[Any]:
        """What the driver takes: tuples in the statement's order, or mappings where it names them."""
        columns = self._columns
        values = [tuple([row[name] if made is None else made(row[name]) for name, made in columns]) for row in rows]
        if self._positional:
            return values
        names = [name for name, _ in columns]
        return [dict(zip(names, value, strict=True)) for value in values]


@cache
def _insert(dialect: str, table: Table, names: tuple[str, ...]) -> _Insert:
    server = dialect == "postgresql"
    kind, style = (postgresql.dialect, "pyformat") if server else (sqlite.dialect, "qmark")
    return _Insert(kind(paramstyle=style), table, names)


def _by_columns(rows: Iterable[Row]) -> list[tuple[tuple[str, ...], list[Row]]]:
    """Rows that set the same columns go into one statement."""
    ordered = sorted(rows, key=sorted)
    return [(columns, list(group)) for columns, group in groupby(ordered, lambda row: tuple(sorted(row)))]


def _update(table: Table, columns: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(name) for name in columns if name not in {_KEY, _SOURCE}}
    older = table.c.source < bindparam(_SOURCE)
    return update(table).where(table.c.key == bindparam(_KEY), older).values(**values, source=bindparam(_SOURCE))
