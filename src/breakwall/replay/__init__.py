"""Recorded markets: read in every form we know, booked exactly, decided again."""
