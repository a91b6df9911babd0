"""The tape pane."""

from collections.abc import Sequence

from breakwall.app.row import Row
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import View


class Tape(Pane, can_focus=True):
    words = "TAPE"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        del view, height
        return [self.title(width)]
