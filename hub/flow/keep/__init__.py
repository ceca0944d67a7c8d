# SPDX-License-Identifier: EUPL-1.2
"""The ledger kept in good hands: leases, a hub that waits, restores, retention."""
