"""The last lines of the log: what is worth reading, numbered."""

from breakwall.engine.logbook import KEPT, Logbook
from breakwall.model.actions import Note


def test_it_keeps_the_newest_lines_that_are_worth_reading_and_numbers_them() -> None:
    book = Logbook()
    book.add(Note("wall", "whisper", level="debug"), 1)
    for at_ms in range(KEPT + 5):
        book.add(Note("x", f"line {at_ms}", "warning", "BTCUSDT", "7-1"), at_ms)
    assert (len(book.lines), book.lines[0].number, book.lines[-1].number) == (KEPT, 6, KEPT + 5)
    last = book.lines[-1]
    assert (last.at_ms, last.level, last.symbol, last.text, last.trace) == (
        KEPT + 4, "warning", "BTCUSDT", f"line {KEPT + 4}", "7-1",
    )  # fmt: skip
