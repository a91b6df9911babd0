"""Starting is recovering: the book again from the journal, and whatever differs between it and the exchange."""
