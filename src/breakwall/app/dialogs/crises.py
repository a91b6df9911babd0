"""The receipts of crises: what struck, what program and trader did about it, whether the books agree."""

import textwrap

from breakwall.app.dialogs.dialog import Choice, line
from breakwall.app.dialogs.finder import Entry
from breakwall.app.dialogs.scroll import Scroll
from breakwall.app.rows.row import Row
from breakwall.model.crisis import CrisisReceipt, lines
from breakwall.model.text import sanitise
from breakwall.model.view import View
from breakwall.ports import Stage

INDENT = 12
LONGEST = 4_000


def played(stage: Stage | None) -> list[Entry]:
    """What the palette has of them: each crisis, and the receipts; nothing where none can be played."""
    if stage is None:
        return []
    crises = [Entry(f"crisis: {name}", "", Choice("crisis", name), text) for name, text in stage.names.items()]
    return [*crises, Entry("crises: their receipts", "", Choice("crises"))]


class Crises(Scroll):
    """Newest first."""

    title = "CRISES"

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage

    def body(self, view: View | None, width: int) -> list[Row]:
        del view
        if not self.stage.receipts:
            return [line(" no crisis of this run is over yet; the palette (Ctrl+P) plays them", width, "bar-dim")]
        return [row for receipt in reversed(self.stage.receipts) for row in (*_rows(receipt, width), line("", width))]


def _rows(receipt: CrisisReceipt, width: int) -> list[Row]:
    head, *rest = lines(receipt)
    good = receipt.books_agree and receipt.story.unprotected_ms == 0
    rows = [line(f" {text}", width, "select") for text in textwrap.wrap(sanitise(head, LONGEST), max(10, width - 2))]
    return rows + [
        row for text in rest for row in _wrapped(text, width, "bar" if good or "books" not in text else "bar-warn")
    ]


def _wrapped(text: str, width: int, ink: str) -> list[Row]:
    """A line on as many rows as it needs, the later ones below its words."""
    parts = textwrap.wrap(sanitise(text, LONGEST), max(10, width - 1), subsequent_indent=" " * INDENT)
    return [
        line(part if number else text[: len(text) - len(text.lstrip())] + part.strip(), width, ink)
        for number, part in enumerate(parts)
    ]
