"""The ladder pane."""

from collections.abc import Sequence

from breakwall.app.row import Row
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import View


class Ladder(Pane, can_focus=True):
    words = "LADDER"

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        del view, height
        return [self.title(width)]
