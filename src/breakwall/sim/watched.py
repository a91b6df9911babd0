"""A session that somebody watches: its world lives on in steps, and a screen may look at it between two of them."""

from msgspec.structs import replace

from breakwall.model.events import Event
from breakwall.model.view import DensityView, SymbolView, View
from breakwall.sim.loop import VirtualLoop
from breakwall.sim.session import SETTINGS, Session, live, put_away, world_of
from breakwall.sim.world import World


class Watched:
    """A session at the pace of whoever calls `advance`; also the `ports.Desk` of its living program.

    While the program is dead the last view stays, and says so. `broken` is what ended the session early.
    """

    def __init__(self, session: Session) -> None:
        self._loop = VirtualLoop(session.seed)
        self._world: World = world_of(session, self._loop, session.line, badge=f"SIM seed {session.seed}")
        self._story = self._loop.create_task(live(session, self._world))
        self._last: View | None = None
        self.settings = SETTINGS.model_copy(update={"symbols": session.symbols})
        self.broken: Exception | None = None

    @property
    def begun(self) -> bool:
        """Whether there is a program to look at."""
        return self._world.host.engine is not None

    @property
    def over(self) -> bool:
        """Lived through to its verdict; the world goes on in good weather."""
        return self._story.done()

    def advance(self, to_s: float) -> None:
        """Live on until this time of its own."""
        if self.broken is None:
            try:
                self._loop.advance(to_s)
            except Exception as error:
                self.broken = error

    def view(self, symbol: str = "") -> View:
        engine = self._world.host.engine
        if engine is not None:
            self._last = engine.view(symbol)
        assert self._last is not None, "nobody looks before it has begun"
        if self.broken is not None:
            return replace(self._last, trading_state="HALTED", why=str(self.broken).partition(". See it again")[0])
        if engine is None:
            return replace(self._last, blind=True, why="the program is dead; it will be started again")
        return self._last

    def market(self, symbol: str) -> SymbolView | None:
        engine = self._world.host.engine
        return None if engine is None else engine.market(symbol)

    def density(self) -> tuple[DensityView, ...]:
        engine = self._world.host.engine
        return () if engine is None else engine.density()

    def submit(self, command: Event) -> None:
        if self._world.host.engine is not None:
            self._world.host.engine.submit(command)

    def close(self) -> None:
        """End the world."""
        self._loop.end()
        put_away(self._world)
