# SPDX-License-Identifier: EUPL-1.2
"""What doors hand in: its shape, who is at the door, whether it makes sense, and the one way in."""
