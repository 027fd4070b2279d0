"""Operations that add indexes to large tables: on PostgreSQL, jobs are written meanwhile.

A migration with such an operation is not atomic. If it was interrupted, it can be run again.
"""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class AddIndexConcurrently(migrations.AddIndex):
    """Adds an index as `AddIndex` does."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{self.index.name}"')
            schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]
        else:
            schema_editor.execute(f'DROP INDEX IF EXISTS "{self.index.name}"')
            schema_editor.add_index(model, self.index)


class AddConstraintConcurrently(migrations.AddConstraint):
    """Adds a conditional unique constraint, which is an index, as `AddConstraint` does."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        concurrently = "CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f'DROP INDEX {concurrently} IF EXISTS "{self.constraint.name}"')
        made = str(self.constraint.create_sql(model, schema_editor))
        schema_editor.execute(made.replace("CREATE UNIQUE INDEX", f"CREATE UNIQUE INDEX {concurrently}", 1))
