# SPDX-License-Identifier: EUPL-1.2
"""What an announcement would become if it left now: to whom, in which words, at what cost."""
