"""Eaten or pulled: how what a wall loses is split between trades and cancels.

Domain facts: a trade arrives before the book change it caused (314 of 327), and shares the venue's
cross sequence with it. The first book message whose sequence is at least the trade's shows it. So a
trade the book does not show yet waits in `Wall.ahead`; shrinkage that no trade explains waits in
`Wall.undecided` until a later trade proves that none is missing, or until the catch-up deadline.
"""

from breakwall.market.walls import Wall


def traded(wall: Wall, lots: int, seq: int, book_seq: int, at_ms: int) -> None:
    """A trade took `lots` from the wall's bucket. One that the book already shows explains earlier shrinkage;
    what it cannot explain was refilled before we could see it."""
    if seq > book_seq:
        wall.ahead.append((seq, lots, at_ms))
        return
    still: list[tuple[int, int, int]] = []
    for shrunk_seq, shrunk, shrunk_ms in wall.undecided:
        explained = min(lots, shrunk) if seq <= shrunk_seq else 0
        lots -= explained
        wall.eaten_lots += explained
        if shrunk > explained:
            still.append((shrunk_seq, shrunk - explained, shrunk_ms))
    wall.undecided = still


def changed(wall: Wall, lots: int, shown_seq: int, seq: int, at_ms: int) -> None:
    """The bucket now holds `lots`, after the book message `seq` that followed the message `shown_seq`."""
    gone = wall.lots - lots
    wall.lots = lots
    if gone < 0:
        _grew(wall, -gone)
    elif wall.ahead:
        explained = min(gone, sum(trade[1] for trade in wall.ahead if shown_seq < trade[0] <= seq))
        wall.eaten_lots += explained
        gone -= explained
    if gone > 0:
        wall.undecided.append((seq, gone, at_ms))
    if wall.ahead:
        wall.ahead = [trade for trade in wall.ahead if trade[0] > seq]


def decide(wall: Wall, book_seq: int, tape_seq: int, at_ms: int, catch_up_ms: int) -> None:
    """Call shrinkage pulled once the trades are known to have passed it, or its deadline has.

    Trades that the book has shown without any shrinkage were refilled at once, and count for nothing.
    """
    since = at_ms - catch_up_ms
    if wall.ahead:
        wall.ahead = [trade for trade in wall.ahead if trade[0] > book_seq and trade[2] > since]
    undecided = wall.undecided  # oldest first
    while undecided and (undecided[0][0] < tape_seq or undecided[0][2] <= since):
        wall.pulled_lots += undecided.pop(0)[1]


def rebase(wall: Wall, lots: int) -> None:
    """The wall holds `lots` after a time unseen: what changed meanwhile is neither eaten nor pulled."""
    wall.lots = lots
    wall.ahead = []
    wall.undecided = []
    wall.peak_lots = lots + wall.eaten_lots + wall.pulled_lots


def _grew(wall: Wall, lots: int) -> None:
    """What comes back makes up for what went: undecided first, then pulled, then eaten; the rest is a new peak."""
    undecided = wall.undecided
    while undecided and lots:
        seq, shrunk, since_ms = undecided.pop()
        if shrunk > lots:
            undecided.append((seq, shrunk - lots, since_ms))
        lots -= min(lots, shrunk)
    back = min(lots, wall.pulled_lots)
    wall.pulled_lots -= back
    lots -= back
    back = min(lots, wall.eaten_lots)
    wall.eaten_lots -= back
    wall.peak_lots += lots - back
