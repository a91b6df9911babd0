"""The trade screen: market, position and truth at a glance, in one arrangement for each size of terminal."""

from textual.app import ComposeResult
from textual.events import DescendantFocus
from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import Screen
from textual.widget import Widget

from breakwall.app.layout import DRAWER, Place, arrange
from breakwall.app.look import Look
from breakwall.app.themes.ink import Ink
from breakwall.app.widgets.banner import Banner
from breakwall.app.widgets.breaker import Breaker
from breakwall.app.widgets.card import Card
from breakwall.app.widgets.footer import Footer
from breakwall.app.widgets.heatmap import HeatMap
from breakwall.app.widgets.ladder import Ladder
from breakwall.app.widgets.log import Log
from breakwall.app.widgets.orders import Orders
from breakwall.app.widgets.pane import Pane
from breakwall.app.widgets.positions import Positions
from breakwall.app.widgets.sheet import BARS, Sheet
from breakwall.app.widgets.signals import Signals
from breakwall.app.widgets.status import Status
from breakwall.app.widgets.tape import Tape
from breakwall.app.widgets.walls import Walls
from breakwall.model.view import View

PANES: tuple[type[Pane], ...] = (
    Status,
    HeatMap,
    Ladder,
    Tape,
    Positions,
    Orders,
    Walls,
    Signals,
    Card,
    Breaker,
    Log,
    Footer,
)


class Arranged(Layout):
    """Textual's hook for `breakwall.app.layout.arrange`: panes without a place are not shown."""

    name = "arranged"

    def __init__(self, look: Look, banner: Banner, sheet: Sheet) -> None:
        self._look = look
        self._banner = banner
        self._sheet = sheet

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        del parent, greedy
        places = arrange(size.width, size.height, self._look.maximised, self._look.drawer, self._banner.standing)
        if self._banner.lines:
            places["banner"] = Place(0, BARS[0], size.width, len(self._banner.lines))
        if self._sheet.dialog is not None:
            places["sheet"] = Place(*self._sheet.place(size.width, size.height))
        return [
            WidgetPlacement(Region(*places[child.id]), Offset(), Spacing(), child)
            for child in children
            if child.id in places
        ]


class Trade(Screen[None]):
    """Owns the panes, which the cockpit hands each view."""

    DEFAULT_CSS = """
    Trade { layers: panes over top; }
    Trade > * { layer: panes; }
    Trade > Sheet { layer: over; }
    Trade > Banner { layer: top; }
    """

    def __init__(self, ink: Ink, look: Look) -> None:
        super().__init__()
        self.look = look
        self.panes = [pane(ink, look) for pane in PANES]
        self.status = next(pane for pane in self.panes if isinstance(pane, Status))
        self.footer = next(pane for pane in self.panes if isinstance(pane, Footer))
        self.banner = Banner(ink, look)
        self.sheet = Sheet(ink, look)
        self.overlays = (self.sheet, self.banner)
        self._arranged = Arranged(look, self.banner, self.sheet)

    @property
    def layout(self) -> Layout:
        """Our own arrangement, whatever the style sheet says."""
        return self._arranged

    def compose(self) -> ComposeResult:
        yield from self.panes
        yield from self.overlays

    def show_overlays(self, view: View | None, at_ms: int) -> None:
        """What lies over the panes: the open dialog, and above it the banner."""
        width, height = self.size
        if not width or not height:
            return
        moved = self.banner.update_lines(view, at_ms, width, max(0, height - sum(BARS)))
        moved |= self.sheet.update_lines(view, width, height, len(self.banner.lines))
        if moved:
            self.rearrange()

    def rearrange(self) -> None:
        """Carry the arrangement out anew. A screen's own refresh uses the one it remembers, a child's not."""
        self.panes[0].refresh(layout=True)

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """A pane of the drawer comes to its front with the focus."""
        name = event.widget.id or ""
        if name in DRAWER and name != self.look.drawer:
            self.look.drawer = name
            self.rearrange()
