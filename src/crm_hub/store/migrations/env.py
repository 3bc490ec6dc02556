"""Run by Alembic: migrates over the connection the store hands in, in one transaction."""

from alembic import context

from crm_hub.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
