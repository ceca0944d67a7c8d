# SPDX-License-Identifier: EUPL-1.2
"""The truth on disk: tables, the writer that groups commits, and what is asked of them."""
