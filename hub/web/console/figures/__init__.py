# SPDX-License-Identifier: EUPL-1.2
"""The return on what announcements cost: as a page, drawn, and as files."""
