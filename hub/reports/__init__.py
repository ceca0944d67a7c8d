# SPDX-License-Identifier: EUPL-1.2
"""What became of announcements. Read-only."""
