"""The two ways to the exchange, where there may be only one."""

import sys

import pytest

from breakwall.keys import Keys, Secret
from breakwall.panic.line import Line, LostError, VenueClock

NOBODY = "http://127.0.0.1:9"


def test_without_pybit_the_plain_way_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine in need may have Python alone; a lost answer must not end the panic there."""
    monkeypatch.setitem(sys.modules, "pybit", None)
    monkeypatch.delitem(sys.modules, "breakwall.panic.second", raising=False)
    line = Line(NOBODY, Keys(Secret("a-key-of-ours"), Secret("its-secret"), "a test"), VenueClock())
    for _ in range(3):
        with pytest.raises(LostError):
            line.measure_time()
    line.close()
