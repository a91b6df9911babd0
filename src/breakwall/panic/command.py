"""`breakwall panic`: from its words to its exit code."""

import argparse
import contextlib
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

from breakwall.bans import Ban
from breakwall.exit_codes import DONE, INTERRUPTED, NOT_FLAT, REFUSED, UNREACHABLE, USAGE
from breakwall.keys import KeysError
from breakwall.model.text import sanitise
from breakwall.panic import target as targets
from breakwall.panic.account import Look
from breakwall.panic.line import KEY_CODES, Line, LostError, RefusedError, VenueClock
from breakwall.panic.receipt import as_json, as_text, prices_of, receipt
from breakwall.panic.rescue import SCOPES, Rescue, Wish
from breakwall.panic.target import Target, TargetError, Wanted, leave_mark
from breakwall.places import ban_file
from breakwall.redaction import redact
from breakwall.spans import seconds_of


def main(words: list[str]) -> int:
    """Run it; returns the exit code."""
    with contextlib.suppress(ValueError):  # not in the main thread, as in a test
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may go; what was begun is brought to its end
    try:
        asked = _parser().parse_args(words)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else USAGE
    try:
        return _panic(asked)
    except (TargetError, KeysError) as error:
        _say(f"breakwall: {error}")
        return error.code
    except KeyboardInterrupt:
        _say("breakwall: interrupted before anything was sent")
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="breakwall panic",
        description="Cancel, close and prove flat, without the program that trades: it may hang, be stopped or dead.",
        epilog="Without --state, --demo, --environment or --url: Bybit where there is a key (the environment that "
        "knows it), else the demo that is alive. Exit codes: 0 flat and proven, 2 bad usage or no key, 3 the "
        "exchange was never reached, 4 not flat (what remains is listed), 6 the key is refused, 130 interrupted.",
    )
    add = parser.add_argument
    add("--symbol", default="", help="only this market, such as BTCUSDT; all where absent")
    add(
        "--scope",
        choices=SCOPES,
        help="whose orders are cancelled: mine (sent by breakwall), symbol (all in the markets that are closed), "
        "account (all); account where absent, with --symbol: symbol",
    )
    add("--yes", action="store_true", help="do not ask")
    add("--dry-run", action="store_true", help="show what would be done, and do nothing")
    add("--json", action="store_true", help="print the receipt as one JSON line on stdout")
    add("--for", dest="span", metavar="SPAN", default="60s", help="how long to try: 30s, 5m (60s where absent)")
    add("--demo", action="store_true", help="the newest demo that is alive")
    add("--state", type=Path, metavar="DIR", help="the demo with this run folder")
    add("--environment", choices=list(targets.HOSTS), help="of Bybit")
    add("--url", default="", help="an exchange on this machine, with BREAKWALL_SIM_KEY and BREAKWALL_SIM_SECRET")
    add("--env-file", type=Path, metavar="FILE", help="a private file with NAME=VALUE lines that has the key")
    add("--config", type=Path, metavar="FILE", help="settings file; only its [venue] is read")
    add("--client", choices=("auto", "plain", "pybit"), default="auto", help="which implementation talks; auto: both")
    return parser


def _panic(asked: argparse.Namespace) -> int:
    wish = _wish(asked)
    if asked.client == "pybit" and find_spec("pybit") is None:
        raise TargetError("--client pybit: expected pybit, found none; `pip install pybit`, or leave --client out")
    where = Wanted(asked.state, asked.demo, asked.environment or "", asked.url, asked.env_file, asked.config)
    candidates = targets.find(where)
    clock = VenueClock()
    found = _reach(candidates, wish, clock, asked.client)
    if isinstance(found, int):
        return found
    target, line, rescue, seen = found
    with contextlib.closing(line):
        return _carry_out(asked, target, line, rescue, seen, clock)


def _carry_out(
    asked: argparse.Namespace, target: Target, line: Line, rescue: Rescue, seen: Look, clock: VenueClock
) -> int:
    """Show, ask, do, tell; returns the exit code."""
    _show(target, rescue, seen)
    if asked.dry_run:
        _say("dry run: nothing was done")
        return DONE
    if not asked.yes and not _agreed():
        return USAGE if not sys.stdin.isatty() else INTERRUPTED
    failure = leave_mark(target, clock.now_ms(), "breakwall panic")
    if failure:
        _say(f"the mark for the cockpit could not be left ({failure}): stop the cockpit yourself")
    interrupted = False
    try:
        rescue.run()
    except KeyboardInterrupt:
        interrupted = True
    code = DONE if rescue.proven_s is not None else INTERRUPTED if interrupted else NOT_FLAT
    facts = receipt(rescue, target, clock, prices_of(line, rescue), code)
    _print(as_json(facts) if asked.json else as_text(facts))
    if asked.json:
        _say(as_text(facts))
    return code


def _wish(asked: argparse.Namespace) -> Wish:
    symbol = asked.symbol.strip().upper()
    if symbol and not (symbol.isascii() and symbol.isalnum()):
        raise TargetError(f"--symbol: expected a market such as BTCUSDT, found {sanitise(asked.symbol, 40)!r}")
    scope = asked.scope or ("symbol" if symbol else "account")
    if symbol and scope == "account":
        raise TargetError("--scope account: expected no --symbol with it; leave one of them out")
    try:
        return Wish(symbol, scope, seconds_of(asked.span))
    except ValueError as error:
        raise TargetError(f"--for: {sanitise(error, 120)}") from error


def _reach(
    candidates: tuple[Target, ...], wish: Wish, clock: VenueClock, client: str
) -> tuple[Target, Line, Rescue, Look] | int:
    """The account that knows the key, with the first look at it; an exit code where there is none."""
    for target in candidates:
        _warn_of_ban(target, clock)
        line = Line(target.url, target.keys, clock, client=client)
        rescue = Rescue(line, wish, _say)
        try:
            return target, line, rescue, rescue.first_look()
        except RefusedError as error:
            if error.code in KEY_CODES:
                _say(f"breakwall: {target.words}: {error}")
                line.close()
                continue
            return _unreached(target, error)
        except LostError as error:
            return _unreached(target, error)
    _say("breakwall: the key is refused; check key, secret, the address it is bound to, and --environment")
    return REFUSED


def _warn_of_ban(target: Target, clock: VenueClock) -> None:
    """A person's emergency is worth an attempt in vain, which may make the ban longer; it is said."""
    left_ms = Ban(ban_file(target.url)).until_ms(clock.now_ms()) - clock.now_ms()
    if left_ms > 0:
        _say(
            f"this address was banned by {target.url} for another {left_ms // 1000} s; it is tried all the same. "
            "Where it is refused: close from another address, or on the exchange's own site"
        )


def _unreached(target: Target, error: Exception) -> int:
    _say(f"breakwall: {target.words}: {error}. Nothing was sent and nothing is known; stops stay on the exchange.")
    return UNREACHABLE


def _show(target: Target, rescue: Rescue, seen: Look) -> None:
    """What will be done, before anything is."""
    wish = rescue.wish
    _say(f"panic on {target.words}; {wish.symbol or 'all symbols'}, orders: {wish.scope}")
    for position in seen.positions:
        _say(f"  close   {position.words}")
    held = {position.symbol for position in seen.positions}
    alone = set(rescue.left_alone())
    for order in seen.orders:
        if order.words in alone:
            _say(f"  leave   {order.words}")
        else:
            _say(f"  {'cancel ' if not (order.protects and order.symbol in held) else 'later  '} {order.words}")
    for words in seen.unread:
        _say(f"  UNREAD  {words}")
    if not (seen.positions or seen.orders or seen.unread):
        _say("  nothing is open and nothing is ordered")


def _agreed() -> bool:
    """Ask; no terminal is no."""
    if not sys.stdin.isatty():
        _say("breakwall: expected a terminal to ask on, or --yes; nothing was done")
        return False
    sys.stderr.write("Cancel and close all of this now? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return True
    _say("nothing was done")
    return False


def _say(text: str) -> None:
    """Lines for the person."""
    _write(sys.stderr, "\n".join(sanitise(redact(line), 400) for line in text.split("\n")))


def _print(text: str) -> None:
    _write(sys.stdout, redact(text))


def _write(stream: TextIO | None, text: str) -> None:
    """A terminal that has gone stops nothing."""
    if stream is not None:
        with contextlib.suppress(OSError, ValueError):
            stream.write(f"{text}\n")
            stream.flush()
