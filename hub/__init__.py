# SPDX-License-Identifier: EUPL-1.2
"""The daemon: doors, flow, ledger, queue, reports, sandbox."""

__version__ = "0.1.0"
