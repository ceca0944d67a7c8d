# SPDX-License-Identifier: EUPL-1.2
"""The way in, an officer's own account, and what is kept of a form whose session ended."""
