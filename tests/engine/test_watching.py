"""Books that are asked for, lost and asked for again."""

from breakwall.model.actions import Note, Resubscribe
from breakwall.model.events import BookLost, BookSnapshot


def test_levels_that_do_not_come_are_done_without(make_table):
    """A venue, or a recording, may have no more than 200: a book is better than none."""
    table = make_table()
    table.start()
    book = BookSnapshot(
        "BTCUSDT",
        [(599_999 - n, 5) for n in range(200)],
        [(600_001 + n, 5) for n in range(200)],
        10,
        10,
        1,
        200,
    )
    depths = [action.depth for action in table.say(book) if isinstance(action, Resubscribe)]
    refused = table.say(BookLost("BTCUSDT", "the venue refuses orderbook.1000.BTCUSDT"))
    back = [action.depth for action in refused if isinstance(action, Resubscribe)]
    assert (depths, back) == ([1000], [200])
    assert any(isinstance(action, Note) and action.text.startswith("no more than 200 levels: ") for action in refused)
    again = table.say(book)
    assert table.core.view(table.now, "TEST", "", 0, 0).symbols[0].status == "LIVE"
    assert not [action for action in again if isinstance(action, Resubscribe)]
    assert not [action for action in table.say(BookLost("BTCUSDT", "closed")) if isinstance(action, Resubscribe)]
