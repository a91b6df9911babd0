"""The footer: the keys that matter, as many as fit."""

from collections.abc import Callable, Sequence

from breakwall.app.keys.acts import ACTS, REPLAY, Act
from breakwall.app.keys.keymap import Keymap
from breakwall.app.rows.row import Row
from breakwall.app.rows.table import Word, fit
from breakwall.app.widgets.breaker import breaker_word, shut
from breakwall.app.widgets.pane import Pane
from breakwall.model.view import View

PAIRS = {
    "symbol-after": ("symbol-before", "symbol-after"),
    "price-in": ("price-in", "price-out"),
    "replay-slower": ("replay-slower", "replay-faster"),
    "replay-back": ("replay-back", "replay-forward"),
}
"""Acts that share a word: `[ ] symbol`."""


REPLAYED = "REPLAY"
"""The badge of a recording that is played."""

WHEN: dict[str, Callable[[View], object]] = {
    "reconcile": lambda view: view.observing or (view.recovery and not view.recovery[-1].clean),
    "reset-breaker": lambda view: breaker_word(view) == "OPEN" or view.observing,
    "reset-api": shut,
} | {act.id: lambda view: view.mode == REPLAYED for act in ACTS if act.group == REPLAY}
"""Acts that are offered only while there is a reason for them."""


class Footer(Pane):
    words = "KEYS"
    keymap = Keymap()

    def rows(self, view: View, width: int, height: int) -> Sequence[Row]:
        del height
        words = [self._word(act, view) for act in ACTS if self._is_offered(act, view)]
        return [fit(words, width, "bar")]

    def _is_offered(self, act: Act, view: View) -> bool:
        wanted = WHEN.get(act.id)
        return bool(act.label and self.keymap.keys(act) and (wanted is None or wanted(view)))

    def _word(self, act: Act, view: View) -> Word:
        acts = [other for other in ACTS if other.id in PAIRS.get(act.id, (act.id,))]
        keys = " ".join(keys[0] for other in acts if (keys := self.keymap.keys(other)))
        name = "bar-bad" if act.id == "panic" else "key"
        return Word(act.rank, ((f" {keys}", name), (f" {self._label(act, view)}", "bar")))

    def _label(self, act: Act, view: View) -> str:
        """The word for what the key would do now."""
        market = view.market(self.look.symbol)
        if act.id == "arm" and view.armed:
            return "disarm"
        return "go on" if act.id == "pause" and market is not None and market.paused else act.label
