"""Which exchange, with which key: the demo that is alive, an address on this machine, or Bybit."""

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from breakwall import keys
from breakwall.keys import Keys, Secret
from breakwall.model.text import sanitise
from breakwall.places import (
    EMBEDDED,
    EXCHANGE_FILE,
    PAPER,
    account_folders,
    demo_folders,
    mark_in,
    mark_of_panic,
    write_whole,
)

HOSTS = {
    "mainnet": "https://api.bybit.com",
    "testnet": "https://api-testnet.bybit.com",
    "demo": "https://api-demo.bybit.com",
}
_CONNECT_S = 0.5


class TargetError(Exception):
    """Nothing to panic on: names what was expected, what was found and the remedy. `code` is the exit code."""

    def __init__(self, message: str, *, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


class Target(NamedTuple):
    """One account. `environment` names it in the receipt and in the mark for the cockpit, `folder` is its run's."""

    url: str
    environment: str
    keys: Keys
    folder: Path | None = None

    @property
    def marks(self) -> tuple[Path, ...]:
        usual = mark_of_panic("bybit", self.environment, self.keys.key.reveal())
        return (usual,) if self.folder is None else (usual, mark_in(self.folder))

    @property
    def words(self) -> str:
        return f"{self.environment} at {self.url}, key from {self.keys.source}"


class Wanted(NamedTuple):
    """What the command line says about where."""

    state: Path | None = None
    demo: bool = False
    environment: str = ""
    url: str = ""
    env_file: Path | None = None
    config: Path | None = None


def find(wanted: Wanted) -> tuple[Target, ...]:
    """The accounts to try, in this order: a key fits only one of them. Raises TargetError or KeysError."""
    named = bool(wanted.environment or wanted.url or wanted.config)
    if wanted.state is not None and not named:
        return (_demo_of(wanted.state),)
    if wanted.demo or not (named or wanted.env_file or keys.are_set()):
        return _demos()
    return _bybit(wanted)


def leave_mark(target: Target, at_ms: int, why: str) -> str:
    """Tell the cockpit of this account, that a person wants nothing opened; why it failed, or empty."""
    body = json.dumps({"at_ms": at_ms, "pid": os.getpid(), "why": sanitise(why, 200)}).encode()
    failures = []
    for path in target.marks:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, body)
        except OSError as error:
            failures.append(f"{path}: {error.strerror}")
    return "; ".join(failures)


def _host(name: str) -> str:
    if name not in HOSTS:
        raise TargetError(f"environment: expected one of {', '.join(HOSTS)}, found {sanitise(name, 40)!r}")
    return HOSTS[name]


def _settings(path: Path | None) -> dict[str, Any]:
    """The section [venue] of a settings file, as it stands there: panic knows no settings model."""
    if path is None:
        return {}
    import tomllib

    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        found = sanitise(error, 120)
        raise TargetError(f"{path}: cannot be read ({found}); name the exchange with --environment") from error
    if keys.environment_of(str(settings.get("mode")), "", "") == PAPER:  # the keys beside it may be of real money
        raise TargetError(
            f'{path}: mode = "paper": its account is in the cockpit; press F9 there, or say `breakwall tell flatten` '
            "with the same --config. An account of Bybit is named with --environment, without --config"
        )
    venue = settings.get("venue", {})
    if not isinstance(venue, dict):
        raise TargetError(f"{path}: expected a table [venue], found something else")
    return {"environment": "testnet"} | venue


def _bybit(wanted: Wanted) -> tuple[Target, ...]:
    """What the settings, the environment or an address name; every system of Bybit where nothing does."""
    venue = _settings(wanted.config)
    url = wanted.url or str(venue.get("rest_url") or "")
    if wanted.url and not keys.is_loopback(wanted.url):
        found = sanitise(wanted.url, 80)
        raise TargetError(f"--url: expected an address on this machine, found {found}; use --environment for Bybit")
    key_file = Path(str(venue["key_file"])).expanduser() if venue.get("key_file") else None
    names = keys.names_for(url) if url else keys.LIVE
    found_keys = keys.find(env_file=wanted.env_file, key_file=key_file, names=names)
    environment = wanted.environment or str(venue.get("environment") or "")
    if url:
        name = EMBEDDED if keys.is_loopback(url) else environment
        return (Target(url.rstrip("/"), name, found_keys, _folder(wanted, name)),)
    candidates = [environment] if environment else list(HOSTS)
    return tuple(Target(_host(name), name, found_keys, _folder(wanted, name)) for name in candidates)


def _folder(wanted: Wanted, environment: str) -> Path | None:
    """Where the cockpit of this account looks for a mark too, as its key may be another one of the same account.

    With more than one account there it must be named; the mark by the key is left in any case.
    """
    found = account_folders("bybit", environment)
    return wanted.state or (found[0] if len(found) == 1 else None)


def _demos() -> tuple[Target, ...]:
    """Demos that are alive, the newest first."""
    found = []
    for folder in demo_folders():
        with contextlib.suppress(TargetError):
            found.append(_demo_of(folder))
    if not found:
        raise TargetError(
            "panic: expected an API key or a demo that is alive, found neither; name the exchange with --environment "
            "and its key with --env-file, or the demo's run folder with --state"
        )
    return tuple(found)


def _demo_of(folder: Path) -> Target:
    """The exchange of this run folder. Raises TargetError where there is none, or nobody listens any more."""
    path = folder / EXCHANGE_FILE
    try:
        told = json.loads(path.read_bytes())
        url, key, secret = told["http"], told["api_key"], told["api_secret"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TargetError(
            f"{path}: expected a demo's exchange, found none that can be read; name the exchange with --environment"
        ) from error
    if not (isinstance(url, str) and keys.is_loopback(url) and isinstance(key, str) and isinstance(secret, str)):
        raise TargetError(f"{path}: expected an exchange on this machine, found another", code=6)
    if not _listens(url):
        raise TargetError(f"{path}: nobody listens at {url} any more: this demo is over", code=3)
    return Target(url, EMBEDDED, Keys(Secret(key), Secret(secret), str(folder)), folder)


def _listens(url: str) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "", address.port or 80), timeout=_CONNECT_S):
            return True
    except (OSError, ValueError):
        return False
