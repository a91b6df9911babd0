"""The app: polls the desk, shows the view, turns keys into commands. Nothing of the engine depends on it."""

import asyncio

from breakwall.app.ink import Ink
from breakwall.app.leaving import Leaving
from breakwall.app.look import Look
from breakwall.app.screens.trade import Trade
from breakwall.app.terminal import OnTerminal
from breakwall.app.theme_files import packaged
from breakwall.config import Settings
from breakwall.model.view import View
from breakwall.ports import Clock, Desk


class Cockpit(OnTerminal[Leaving]):
    """The screen over a desk. `desk` may come later: until then it says what is being started.

    Ends with the way of leaving that was chosen; see `breakwall.cli.session`.
    """

    def __init__(self, settings: Settings, clock: Clock, desk: Desk | None = None) -> None:
        super().__init__()
        self.settings = settings
        self.clock = clock
        self.desk = desk
        self.lost_why = ""
        self.look = Look(settings.symbols, settings.ui.tape_min_usdt)
        self.ink = Ink(packaged())
        self.trade = Trade(self.ink, self.look)
        self._factory = asyncio.get_running_loop().get_task_factory()

    def get_default_screen(self) -> Trade:
        return self.trade

    def on_mount(self) -> None:
        # Textual sets an eager task factory on Python 3.12 and later; the engine shares this loop and must
        # run in the same order with and without a screen.
        asyncio.get_running_loop().set_task_factory(self._factory)
        self.set_interval(1 / self.settings.ui.fps, self.look_again)

    def on_terminal_lost(self, why: str) -> None:
        self.lost_why = why
        self.exit(Leaving.LOST)

    def look_again(self) -> None:
        """One frame: ask the desk and hand the view to the panes."""
        if self.desk is not None:
            self.show(self.desk.view(self.look.symbol))

    def show(self, view: View) -> None:
        self.trade.show(view)
