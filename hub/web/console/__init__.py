# SPDX-License-Identifier: EUPL-1.2
"""The officers' console: write, check, approve, follow (UX.md 3.2). All are `seated`."""
