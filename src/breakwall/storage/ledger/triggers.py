"""What makes the audit append-only, by dialect."""

from sqlalchemy import Connection

_SQLITE = "CREATE TRIGGER audit_no_{0} BEFORE {0} ON audit BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END"
_STATEMENTS = {
    "sqlite": (_SQLITE.format("update"), _SQLITE.format("delete")),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'audit is append-only'; END $$""",
        """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
    ),
}


def guard_the_audit(connection: Connection) -> None:
    """Once, when the table is made: from then on no line of it can be changed or deleted."""
    for statement in _STATEMENTS[connection.dialect.name]:
        connection.exec_driver_sql(statement)
