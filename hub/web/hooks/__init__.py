# SPDX-License-Identifier: EUPL-1.2
"""Where other systems post their events."""
