# SPDX-License-Identifier: EUPL-1.2
"""Choose, reserve, ask the gate, send, settle: one channel's way out."""
