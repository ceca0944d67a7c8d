# SPDX-License-Identifier: EUPL-1.2
"""Alembic's entry: the connection is handed in by `hub.ledger.schema`."""

from alembic import context

from hub.ledger.office_tables import metadata
from subscribers.tables import metadata as people

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[people, metadata],
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
