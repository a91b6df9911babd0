"""This machine: tmux, folders, disk, and another cockpit."""

import os
import shutil
from pathlib import Path

import pytest

from breakwall.doctor import here
from breakwall.doctor.finding import Verdict
from breakwall.settings import Settings
from breakwall.storage.runs import InstanceLock

RIGHT = {
    "escape-time": "10",
    "focus-events": "on",
    "default-terminal": "tmux-256color",
    "terminal-features[0]": "xterm*:clipboard",
    "terminal-features[1]": "*:RGB",
}


@pytest.mark.parametrize(
    ("other", "points"),
    [
        ({}, ["tmux"]),
        ({"terminal-features[1]": "", "terminal-overrides[0]": "*:Tc"}, ["tmux"]),
        ({"escape-time": "500"}, ["tmux escape-time"]),
        ({"escape-time": ""}, ["tmux escape-time"]),
        ({"focus-events": "off"}, ["tmux focus-events"]),
        ({"default-terminal": "screen"}, ["tmux terminal"]),
        ({"terminal-features[1]": ""}, ["tmux colours"]),
    ],
)
def test_tmux_is_judged_by_its_options(other: dict[str, str], points: list[str]) -> None:
    found = here.judged_tmux(RIGHT | other)
    assert [finding.point for finding in found] == points
    assert all(finding.verdict is (Verdict.PASS if finding.point == "tmux" else Verdict.WARN) for finding in found)


def test_over_ssh_without_tmux_is_told_and_a_tmux_that_is_silent_too() -> None:
    (remote,) = here.tmux({"SSH_CONNECTION": "1.2.3.4 1 5.6.7.8 22"})
    assert remote.verdict is Verdict.WARN
    (local,) = here.tmux({})
    assert local.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o700, Verdict.PASS), (0o755, Verdict.WARN), (0o770, Verdict.FAIL), (0o777, Verdict.FAIL)]
)
def test_a_folder_is_ours_alone(tmp_path: Path, mode: int, verdict: Verdict) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    (found,) = here.folders(folder, folder)
    assert found.verdict is verdict
    assert found.verdict is Verdict.PASS or f"chmod go-rwx {folder}" in found.remedy
    (missing,) = here.folders(tmp_path / "nowhere")
    assert missing.verdict is Verdict.PASS


@pytest.mark.parametrize(("free_mb", "verdict"), [(10_000, Verdict.PASS), (600, Verdict.WARN), (199, Verdict.FAIL)])
def test_the_disk_beside_what_a_day_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, verdict: Verdict
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(0, 0, free_mb * 1_000_000))  # type: ignore[attr-defined]
    found = here.disk(tmp_path / "not" / "yet", Settings())
    assert found.verdict is verdict
    assert "about 195 MB a day: recording 180, book snapshots 15 (kept 30 days)" in found.found


def test_a_day_grows_with_markets_and_levels_and_shrinks_without_books() -> None:
    deep = Settings.model_validate({"symbols": ["BTCUSDT"], "venue": {"depth": 1000}, "ledger": {"enabled": False}})
    assert here.day_mb(deep) == (90, 0)


def test_hundreds_of_books_are_pictured_less_often() -> None:
    many = Settings.model_validate({"symbols": [f"COIN{n:03d}USDT" for n in range(600)]})
    assert here.day_mb(many)[1] == 500


def test_another_cockpit_is_seen_and_its_lock_is_not_touched(tmp_path: Path) -> None:
    ours, theirs = (InstanceLock("bybit", "embedded", "key", tmp_path) for _ in range(2))
    assert here.rival(ours).verdict is Verdict.PASS
    assert list(tmp_path.iterdir()) == []
    with theirs:
        theirs.claim_run(0, 1_000)
        found = here.rival(InstanceLock("bybit", "embedded", "other", tmp_path), ours)
        assert (found.verdict, str(os.getpid()) in found.found) == (Verdict.WARN, True)
    assert here.rival(ours).verdict is Verdict.PASS
