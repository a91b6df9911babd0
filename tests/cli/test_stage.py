"""What of the log is told in a crisis' receipt."""

import pytest

from breakwall.cli.stage import _is_command, _is_noise


@pytest.mark.parametrize(
    ("text", "command", "noise"),
    [
        ("panic all symbols by operator", True, False),
        ("BTCUSDT flatten BTCUSDT by operator: enough", True, False),
        ("stop all symbols by process: time is over", False, False),
        ("SOLUSDT paused by recovery: liquidation of its position by the exchange", False, False),
        ("SOLUSDT bounce refused by paused: by a person", False, True),
        ("SOLUSDT bid wall 76715 at 148.820 pulled: 31,401 USDT at its peak, 0 % eaten", False, True),
        ("SOLUSDT closing: the wall is eroded by 65%", False, False),
        ("BTCUSDT closed 0.022 at 64841.00", False, True),
        ("BTCUSDT closed 0.041 at 64841.80; the stop was refused, net -7.2203 USDT", False, False),
        ("CRISIS lost-ack strikes BTCUSDT: the next entry is accepted", False, True),
    ],
)
def test_wishes_of_people_and_noise_are_told_apart(text: str, command: bool, noise: bool) -> None:
    assert (_is_command(text), _is_noise(text)) == (command, noise)
