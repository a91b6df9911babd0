"""How Alembic runs the migrations: on the connection it is given, inside the transaction that is open there."""

from alembic import context

from breakwall.storage.ledger.columns import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
