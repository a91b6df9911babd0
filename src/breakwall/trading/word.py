"""What the venue said of a position, and which of two things it said is the newer one."""

from msgspec import Struct

from breakwall.model.events import Fill, PositionReport


class Word(Struct):
    """The venue's latest report on a position, when we took it and since when it differs from ours (engine time)."""

    report: PositionReport
    at_ms: int
    differs_ms: int | None = None


def older(report: PositionReport, known: PositionReport) -> bool:
    """Reports are ordered by the venue's sequence, then by its time."""
    if report.seq > 0 and known.seq > 0 and report.seq != known.seq:
        return report.seq < known.seq
    return report.updated_ms < known.updated_ms


def behind(report: PositionReport, last: Fill | None) -> bool:
    """Whether a report is older than the last fill we booked."""
    if last is None:
        return False
    if last.seq > 0 and report.seq > 0:
        return report.seq < last.seq
    return report.updated_ms < last.at_ms


def contains(corrected: PositionReport | None, fill: Fill) -> bool:
    """Whether a quantity that was taken over has this fill in it."""
    if corrected is None:
        return False
    if fill.seq > 0 and corrected.seq > 0:
        return fill.seq <= corrected.seq
    return fill.at_ms <= corrected.updated_ms
