# SPDX-License-Identifier: EUPL-1.2
"""X: the town's own account, and direct messages to those who wrote first."""
