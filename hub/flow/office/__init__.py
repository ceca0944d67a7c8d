# SPDX-License-Identifier: EUPL-1.2
"""What else officers look at and do: what waits, what went out, one citizen, imports, the town."""
