"""How the tests run: the whole suite side by side on all cores, a part of it in one process."""

import os

import pytest

WAITING = ("process", "sim")
"""Rooms whose tests take longest: they come first, so that no core is left alone with them at the end."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """As many as there are cores for everything, none for whoever asks for something."""
    everything = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    chosen = config.option.keyword or config.option.markexpr != "not soak"
    return (os.cpu_count() or 1) if everything and not chosen else 0


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.relative_to(config.rootpath).parts[1] not in WAITING)
