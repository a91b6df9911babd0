"""What tests of real processes share: an exchange in a process of its own."""

from collections.abc import Iterator

import pytest

from tests.process.books import Bourse
from tests.process.demo import Demo


@pytest.fixture(scope="module", autouse=True)
def _nobody_is_left_behind() -> Iterator[None]:
    yield
    Demo.end_all()


@pytest.fixture(scope="module")
def bourse() -> Iterator[Bourse]:
    """Keeps the truth, whoever dies."""
    bourse = Bourse()
    yield bourse
    bourse.close()
