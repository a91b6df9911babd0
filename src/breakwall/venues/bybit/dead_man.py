"""Disconnect-cancel-all: where an account has it, the venue withdraws its working orders once its sockets are gone.

Few accounts do: the venue switches it on, for institutions. Stops are no working orders, they stay either way.
Source: Bybit v5, order/dcp, account/dcp-info and websocket/private/dcp.
"""

import logging

from breakwall.settings import VenueSettings
from breakwall.venues.bybit.endpoints import DCP_INFO, SET_DCP
from breakwall.venues.bybit.reports import RecordError, dicts_in, text, whole
from breakwall.venues.bybit.rest import ReadError, Rest

TOPIC = "dcp.future"
_PRODUCT = "DERIVATIVES"
_log = logging.getLogger(__name__)


async def arm(rest: Rest, settings: VenueSettings) -> int:
    """Seconds after which the venue withdraws our orders, once the private socket listens to `TOPIC`; 0: it does not.

    An answer that cannot be had or read is no reason not to start: nothing here relies on it.
    """
    if settings.dcp == "off":
        return 0
    try:
        infos = dicts_in((await rest.read(DCP_INFO, {})).get("dcpInfos"), "dcpInfos")
        ours = [info for info in infos if text(info, "product") == _PRODUCT and text(info, "dcpStatus") == "ON"]
        found_s = whole(ours[0], "timeWindow") if ours else 0
    except (ReadError, RecordError) as error:
        _log.warning("whether the venue cancels orders after a disconnect is not known: %s", error)
        return 0
    if not ours or settings.dcp_window_s in {0, found_s}:
        return found_s
    reply = await rest.write(SET_DCP, {"product": _PRODUCT, "timeWindow": settings.dcp_window_s}, urgent=True)
    if reply.verdict.ok:
        return settings.dcp_window_s
    _log.warning("its time stays %d s: %s", found_s, reply.verdict.reason)
    return found_s
