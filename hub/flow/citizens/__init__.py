# SPDX-License-Identifier: EUPL-1.2
"""What a citizen says after subscribing: stop, start, forget me."""
