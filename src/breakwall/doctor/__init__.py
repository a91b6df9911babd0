"""`breakwall doctor`: is everything as it must be for trading? It looks, says what it found, and changes nothing."""
