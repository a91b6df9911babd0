"""The keys: what they are called, what they mean, and what stands between them and trading."""
