"""The way in, for the `breakwall` script and for `python -m breakwall`.

Panic and watch start before everything else: they do not wait for the command line's imports.
"""

import sys

from breakwall.keys import harden


def main() -> None:
    harden()
    if sys.argv[1:2] == ["panic"]:
        from breakwall.panic.command import main as panic

        sys.exit(panic(sys.argv[2:]))
    if sys.argv[1:2] == ["watch"]:
        from breakwall.watch.command import main as watch

        sys.exit(watch(sys.argv[2:]))
    from breakwall.cli import main as everything_else

    everything_else()


if __name__ == "__main__":
    main()
