"""Which of Bybit's worlds an address leads to, and whether the addresses of a venue lead to the same one.

A mistyped address must never send a testnet's orders to real money, nor show one world's prices for another's orders.
Source: Bybit v5, guide and demo (hosts); regional sites have hosts of their own, so a host is free text.
"""

from urllib.parse import SplitResult, urlsplit

from msgspec import structs

from breakwall.keys import is_loopback
from breakwall.model.text import sanitise
from breakwall.ports import VenueError
from breakwall.settings import VenueSettings
from breakwall.venues.bybit.endpoints import ENVIRONMENTS, Urls, urls_of

HERE = "this machine"
_USAGE, _SAFETY = 2, 6
_SAY_SO = ("testnet", "demo")
"""Worlds whose hosts say so in their first word, as in api-testnet."""
_SCHEMES = {"rest": ("https", "http"), "public": ("wss", "ws"), "private": ("wss", "ws"), "trade": ("wss", "ws")}
"""With TLS and without it; without it only where nobody else can listen."""


def checked(settings: VenueSettings) -> Urls:
    """The addresses of these settings, all of one world. Raises VenueError, code 2 (no address) or 6 (refused)."""
    urls = urls_of(settings)
    named = {f"[venue] {name}_url": (name, url) for name, url in structs.asdict(urls).items() if url}
    for setting, (name, url) in named.items():
        _check_form(setting, name, url)
    worlds = {setting: world_of(url) for setting, (_, url) in named.items()}
    here = [setting for setting, world in worlds.items() if world == HERE]
    if here:
        strange = [setting for setting in worlds if setting not in here]
        if strange:
            found = f"{_told(here, named)}, but {_told(strange, named)}"
            raise _refused("addresses: expected all of them on this machine or none", found, "name them all, or none")
        return urls
    for setting, world in worlds.items():
        usual = ENVIRONMENTS[settings.environment]
        if world != world_of(getattr(usual, named[setting][0]) or usual.rest):
            raise _refused(
                f'{setting}: expected an address of environment = "{settings.environment}"',
                f"{sanitise(named[setting][1], 80)}, which leads to {world}",
                "name the right one, or leave it empty",
            )
    return urls


def world_of(url: str) -> str:
    """This machine, testnet, demo or mainnet; a host that says nothing of itself is taken for real money."""
    parts = urlsplit(url)
    if is_loopback(f"http://{parts.netloc}"):
        return HERE
    words = (parts.hostname or "").partition(".")[0].split("-")
    return next((world for world in _SAY_SO if world in words), "mainnet")


def _check_form(setting: str, name: str, url: str) -> None:
    """Raises VenueError where it is no address, says more than one may, or anybody may read what goes there."""
    safe, plain = _SCHEMES[name]
    parts = _parts(url)
    if parts is None or parts.scheme not in {safe, plain}:
        found = f"{sanitise(url, 80)!r}; write the whole address"
        raise VenueError(f"{setting}: expected {safe}://HOST..., found {found}", code=_USAGE)
    if parts.username is not None or parts.query or parts.fragment:
        raise _refused(f"{setting}: expected an address alone", "more in it", "take out the rest")
    if parts.scheme == plain and world_of(url) != HERE:
        raise _refused(f"{setting}: expected {safe}://", f"{plain}://, which anybody may read", f"write {safe}://")


def _parts(url: str) -> SplitResult | None:
    """None where it is no address."""
    if not (url.isascii() and url.isprintable()):
        return None
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if good else None


def _told(settings: list[str], named: dict[str, tuple[str, str]]) -> str:
    return ", ".join(f"{setting} {sanitise(named[setting][1], 60)}" for setting in settings)


def _refused(expected: str, found: str, remedy: str) -> VenueError:
    return VenueError(f"{expected}, found {found}; {remedy}", code=_SAFETY)
