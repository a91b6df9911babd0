"""What a run says: readable lines for the terminal, and one JSON object a line in a file a day."""
