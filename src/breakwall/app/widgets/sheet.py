"""The sheet in the middle of the screen, on which the open dialog is written."""

from textual.events import MouseScrollDown, MouseScrollUp
from textual.geometry import Region

from breakwall.app.dialogs.dialog import Dialog
from breakwall.app.look import Look
from breakwall.app.rows.row import Row
from breakwall.app.themes.ink import Ink
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import View

BARS = 2, 1
"""Rows of status above and of the footer below, which stay in sight."""


def framed(rows: list[Row], width: int) -> list[Row]:
    """Rows in a frame: without colours nothing else tells them from the panes below."""
    side = ("│", "bar-dim")
    return [*((side, *row, side) for row in rows), (("└" + "─" * (width - 2) + "┘", "bar-dim"),)]


class Sheet(Pane):
    """Empty, and nowhere, while no dialog is open."""

    words = "SHEET"

    def __init__(self, ink: Ink, look: Look) -> None:
        super().__init__(ink, look)
        self.dialog: Dialog | None = None
        self.lines: list[Row] = []
        self.under = 0

    def update_lines(self, view: View | None, width: int, height: int, under: int) -> bool:
        """Write the dialog anew, below the `under` rows of the banner; True where the sheet must move."""
        before = len(self.lines), self.under
        self.under = under
        if self.dialog is None:
            self.lines = []
            return before[0] > 0
        room = max(2, height - sum(BARS) - under)
        self.lines = framed(self.dialog.lines(view, self._wide(width) - 2, room - 1), self._wide(width))
        self.paint(self.lines)
        return before != (len(self.lines), under)

    def place(self, width: int, height: int) -> Region:
        """Where the sheet lies on a screen of this size."""
        wide = self._wide(width)
        room = max(0, height - sum(BARS) - self.under)
        tall = min(len(self.lines), room)
        return Region((width - wide) // 2, BARS[0] + self.under + (room - tall) // 3, wide, tall)

    def _wide(self, width: int) -> int:
        return min(width, self.dialog.width + 2 if self.dialog else 0)

    def resized(self) -> None:
        """Written again at once; other panes wait for the next view."""
        self.paint(self.lines)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        if self.dialog is not None:
            self.dialog.press("down", None)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        if self.dialog is not None:
            self.dialog.press("up", None)
