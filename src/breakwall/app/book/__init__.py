"""What the ladder and the tape are made of: prices, prints and where walls stand."""
