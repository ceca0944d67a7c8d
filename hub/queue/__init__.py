# SPDX-License-Identifier: EUPL-1.2
"""One queue: the open runs, looked at by lane, and the choice of the next message."""
