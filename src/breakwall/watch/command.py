"""`breakwall watch`: from its words to its exit code."""

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from breakwall import heartbeat
from breakwall.exit_codes import DONE, INTERRUPTED, USAGE
from breakwall.heartbeat import Beat, GarbledError
from breakwall.keys import LIVE, LOOPBACK, environment_of
from breakwall.model.text import sanitise
from breakwall.places import HEARTBEAT_FILE, account_folders, demo_folders
from breakwall.redaction import redact
from breakwall.spans import seconds_of
from breakwall.watch.judging import MOMENTARY, Alarm, Facts, Judge, held_words

LOOK_S = 0.5
PANIC_AGAIN_S = 10.0
COMMAND_S = 30.0


def main(words: list[str]) -> int:
    """Watch until SIGTERM or Ctrl-C; returns the exit code: 0, 2 bad usage, 130 interrupted."""
    own, panic_words = (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    parser = _parser()
    try:
        asked = parser.parse_args(own)
        spans = [seconds_of(text) for text in (asked.after, asked.repeat)]
        watch_s = seconds_of(asked.span) if asked.span else None
        command = shlex.split(asked.command)
        environment = _environment_in(asked.config)
    except (ValueError, OSError) as error:
        _say(f"breakwall: watch: {error}")
        return USAGE
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else USAGE
    watch = Watch(asked.state, environment, after_s=spans[0], repeat_s=spans[1], command=command)
    if asked.policy == "panic":
        watch.panic_words = ["--config", str(asked.config), *panic_words] if environment else panic_words
    with contextlib.suppress(ValueError):  # not in the main thread, as in a test
        signal.signal(signal.SIGTERM, _leave)
    if asked.state is None and not environment:
        _tell_unwatched()
    try:
        watch.run(watch_s)
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


def _leave(*_signal: object) -> None:
    raise SystemExit(DONE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="breakwall watch",
        description="Raise an alarm when the process that trades falls silent with something open.",
        epilog="What follows -- goes to panic, for example: -- --config FILE.",
    )
    add = parser.add_argument
    add("--state", type=Path, metavar="DIR", help="run folder to watch; the newest where absent")
    add("--config", type=Path, metavar="FILE", help="settings file: its account is watched, not the demo")
    add("--policy", choices=("alert", "panic"), default="alert", help="what a silence leads to (alert)")
    add("--after", default="15s", metavar="SPAN", help="how long a silence may be (15s)")
    add("--repeat", default="30s", metavar="SPAN", help="an alarm that lasts is told again after this (30s)")
    add("--command", default="", metavar="CMD", help="run at each alarm, without a shell; BREAKWALL_ALARM* say what")
    add("--for", dest="span", default="", metavar="SPAN", help="leave after this")
    return parser


class Watch:
    """Looks twice a second, tells what is new, and acts by policy (`panic_words` None: alarms only)."""

    def __init__(
        self, folder: Path | None, environment: str = "", *, after_s: float, repeat_s: float, command: list[str]
    ) -> None:
        self.panic_words: list[str] | None = None
        self._given = folder
        self._environment = environment
        self._folder = folder
        self._judge = Judge(after_s)
        self._repeat_s = repeat_s
        self._command = command
        self._told: dict[str, float] = {}  # kind -> when it was told last
        self._running: list[tuple[subprocess.Popen[bytes], float]] = []
        self._panic: subprocess.Popen[bytes] | None = None
        self._panic_due = 0.0

    def run(self, seconds: float | None) -> None:
        began = time.monotonic()
        newest = f"the account of {self._environment} traded last" if self._environment else "the newest demo"
        what = newest if self._given is None else str(self._given)
        _say(f"watching {what}; a silence leads to {'an alarm' if self.panic_words is None else 'a panic'}")
        while seconds is None or time.monotonic() - began < seconds:
            self.look()
            time.sleep(LOOK_S)

    def look(self) -> None:
        """One look: tell what is new or still so, and what is over."""
        now = time.monotonic()
        alarms = self._judge.look(self._facts(now))
        for alarm in alarms:
            if now - self._told.get(alarm.kind, -self._repeat_s) >= self._repeat_s:
                self._told[alarm.kind] = now
                self._raise(alarm)
        for kind in self._told.keys() - {alarm.kind for alarm in alarms}:
            del self._told[kind]
            if kind not in MOMENTARY:
                _say(f"over: {kind}")
        self._mind_commands(now)
        if self.panic_words is not None:
            self._mind_panic(now, severe=any(alarm.severe for alarm in alarms))

    def _facts(self, now: float) -> Facts:
        trouble, beat = "", None
        if self._given is None and not self._judge.at_risk:
            self._folder = self._newest() or self._folder
        if self._folder is None:
            return Facts(now, time.time(), None)
        file = self._folder / HEARTBEAT_FILE
        touched_ns = heartbeat.touched_ns(file)
        try:
            beat = heartbeat.read(file)
            trouble = "" if beat is not None else "missing"
        except GarbledError as error:
            trouble = f"unreadable: {error}"
        last = beat or self._judge.last
        process = _process(last.pid) if last is not None else ""
        return Facts(now, time.time(), beat, trouble, process, touched_ns)

    def _newest(self) -> Path | None:
        """The run folder whose heartbeat was written last."""
        folders = account_folders("bybit", self._environment) if self._environment else demo_folders()
        times: list[tuple[float, Path]] = []
        for folder in folders:
            with contextlib.suppress(OSError):
                times.append(((folder / HEARTBEAT_FILE).stat().st_mtime, folder))
        return max(times, default=(0.0, None), key=lambda found: found[0])[1]

    def _raise(self, alarm: Alarm) -> None:
        bell = "\a" if sys.stderr.isatty() else ""
        _say(f"ALARM {alarm.kind}: {alarm.text}", bell)
        if self._command:
            try:
                process = subprocess.Popen(  # noqa: S603 - the person's own words, never a shell's
                    self._command, env=_environment(alarm, self._judge.last, self._folder), stdin=subprocess.DEVNULL
                )
            except OSError as error:
                _say(f"the alarm command failed: {sanitise(error, 200)}")
            else:
                self._running.append((process, time.monotonic() + COMMAND_S))

    def _mind_commands(self, now: float) -> None:
        for process, until in self._running:
            if process.poll() is None and now > until:
                process.kill()
        self._running = [(process, until) for process, until in self._running if process.poll() is None]

    def _mind_panic(self, now: float, *, severe: bool) -> None:
        """Begin it, look at how it ended, and begin again until the account is proven flat."""
        if self._panic is not None:
            code = self._panic.poll()
            if code is None:
                return
            self._panic, self._panic_due = None, now + PANIC_AGAIN_S
            if code == 0:
                self._judge.settle()
                _say("panic has proven the account flat")
            else:
                _say(f"panic ended with exit code {code}; again in {PANIC_AGAIN_S:.0f} s")
        elif severe and now >= self._panic_due and self.panic_words is not None:
            where = ["--state", str(self._folder)] if self._folder is not None else []
            words = [sys.executable, "-m", "breakwall", "panic", "--yes", *where, *self.panic_words]
            _say(f"running panic: {' '.join(words[2:])}")
            self._panic = subprocess.Popen(words, stdin=subprocess.DEVNULL)  # noqa: S603 - our own program


def _environment_in(config: Path | None) -> str:
    """Whose account a settings file speaks of; empty: the demo. Raises OSError or ValueError."""
    if config is None:
        return ""
    table = tomllib.loads(config.read_text(encoding="utf-8"))
    venue = table.get("venue")
    words = {"environment": "testnet", "rest_url": ""} | (venue if isinstance(venue, dict) else {})
    return environment_of(str(table.get("mode", "demo")), str(words["environment"]), str(words["rest_url"]))


def _tell_unwatched() -> None:
    """Runs on accounts that live while only the demo is watched: nobody may believe that they are."""
    for folder in account_folders("bybit", "*"):
        with contextlib.suppress(GarbledError):
            beat = heartbeat.read(folder / HEARTBEAT_FILE)
            if beat is not None and not beat.ended and _process(beat.pid) != "gone":
                _say(f"NOT watched: {beat.mode} in {folder}; name it with --config FILE or --state DIR")


def _process(pid: int) -> str:
    """running, stopped, gone; empty where this system does not tell."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "gone"
    except (PermissionError, OverflowError):
        return ""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
    return {"T": "stopped", "t": "stopped", "Z": "gone", "X": "gone"}.get(state, "running")


def _environment(alarm: Alarm, last: Beat | None, folder: Path | None) -> dict[str, str]:
    """Ours without any key, and the facts."""
    kept = {name: value for name, value in os.environ.items() if name not in {*LIVE, *LOOPBACK}}
    held = [position._asdict() for position in last.positions] if last is not None else []
    return kept | {
        "BREAKWALL_ALARM": alarm.kind,
        "BREAKWALL_ALARM_TEXT": sanitise(alarm.text, 400),
        "BREAKWALL_ALARM_HELD": held_words(last) if last is not None else "",
        "BREAKWALL_ALARM_POSITIONS": json.dumps(held),
        "BREAKWALL_ALARM_PID": str(last.pid) if last is not None else "",
        "BREAKWALL_ALARM_STATE": str(folder or ""),
    }


def _say(text: str, bell: str = "") -> None:
    """A line for the person; a terminal that has gone stops nothing."""
    stamp = time.strftime("%H:%M:%S", time.gmtime())
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{bell}{stamp} {sanitise(redact(text), 600)}\n")
        sys.stderr.flush()
