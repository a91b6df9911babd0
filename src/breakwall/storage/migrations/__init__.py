"""The ledger's schema over time, as Alembic migrations. `storage.ledger.tables` is what they lead to."""
