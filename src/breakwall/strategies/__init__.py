"""When to trade a wall: the strategies, from market facts to a signal or nothing."""
