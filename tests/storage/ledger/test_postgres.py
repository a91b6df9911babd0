"""The same ledger on a PostgreSQL server, where BREAKWALL_TEST_POSTGRES names an empty database; needs psycopg.

BREAKWALL_TEST_POSTGRES=postgresql://user@localhost/empty pytest tests/storage/ledger/test_postgres.py
"""

import os
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from breakwall.model.records import BookShot
from breakwall.settings import LedgerSettings
from breakwall.storage.ledger.books import opened
from breakwall.storage.ledger.check import check
from breakwall.storage.ledger.coins import StaleVersionError, Wish, change
from breakwall.storage.ledger.database import connect
from breakwall.storage.ledger.following import Following
from tests.storage.ledger.conftest import Write
from tests.storage.ledger.diary import START_MS, SYMBOL, Diary

URL = os.environ.get("BREAKWALL_TEST_POSTGRES", "")

pytestmark = pytest.mark.skipif(not URL, reason="no server: BREAKWALL_TEST_POSTGRES is not set")


def test_the_books_are_the_same_on_a_server(diary: Diary, write: Write) -> None:
    diary.trades()
    diary.notes("process", "a byte that no server takes: \x00")
    journal = write(diary.entries)
    following = Following(URL, journal, LedgerSettings())
    while following.follow(5, START_MS):
        pass
    following.keep([BookShot(SYMBOL, START_MS, ((Decimal("149.5"), Decimal(2)),), ())], START_MS, 0)
    following.close()
    again = Following(URL, journal, LedgerSettings())
    assert not again.follow(500, START_MS)
    again.close()
    unlike = check(URL, journal).differences  # that byte is fine in SQLite
    assert unlike
    assert all("system_events" in each for each in unlike)
    with opened(URL) as books:
        assert [trade.net_usdt for trade in books.trades()] == [Decimal("-0.47")]
        assert [event.kind for event in books.system_events()] == ["unread"]
    assert change(URL, Wish(SYMBOL, {"enabled": False}, None, "me", ""), START_MS) == 1
    with pytest.raises(StaleVersionError):
        change(URL, Wish(SYMBOL, {"enabled": True}, 0, "me", ""), START_MS)
    engine = connect(URL)
    for statement in ("UPDATE audit SET why = ''", "DELETE FROM audit", "UPDATE orders SET state = 'LOST'"):
        with pytest.raises(DBAPIError, match=r"append-only|state_known"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()
