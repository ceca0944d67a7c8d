# SPDX-License-Identifier: EUPL-1.2
"""Web push: sealed for one browser (RFC 8291), signed as the town (RFC 8292), posted (RFC 8030)."""
