"""What the market shows: book, buckets, walls, tape, trend. Pure: events in, facts out."""
