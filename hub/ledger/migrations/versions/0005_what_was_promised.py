# SPDX-License-Identifier: EUPL-1.2
"""What an approved announcement takes from the month's money for SMS before it leaves."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("announcement", sa.Column("promised", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("announcement", "promised")
