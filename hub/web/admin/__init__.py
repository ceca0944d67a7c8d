# SPDX-License-Identifier: EUPL-1.2
"""The pages that set the house up: themes, places, channels, keys, team (UX.md 3.3)."""
