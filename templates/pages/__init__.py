# SPDX-License-Identifier: EUPL-1.2
"""HTML pages: the few a message links to, and the demonstration's phones."""
