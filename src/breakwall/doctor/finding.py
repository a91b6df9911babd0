"""What the doctor says of one point."""

from enum import Enum

from msgspec import Struct


class Verdict(Enum):
    """SKIP: it could not be looked at, and why."""

    PASS = "pass"  # noqa: S105 - a word, no secret
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Finding(Struct, frozen=True):
    """`found` in words; `remedy` is what to do where it is not fine."""

    point: str
    verdict: Verdict
    found: str
    remedy: str = ""

    @property
    def words(self) -> str:
        """One line of it all."""
        return f"{self.point}: {self.found}" + (f"; {self.remedy}" if self.remedy else "")


def good(point: str, found: str) -> Finding:
    return Finding(point, Verdict.PASS, found)


def doubtful(point: str, found: str, remedy: str) -> Finding:
    return Finding(point, Verdict.WARN, found, remedy)


def bad(point: str, found: str, remedy: str) -> Finding:
    return Finding(point, Verdict.FAIL, found, remedy)


def skipped(point: str, why: str, remedy: str = "") -> Finding:
    return Finding(point, Verdict.SKIP, why, remedy)
