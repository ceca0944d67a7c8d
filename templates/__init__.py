# SPDX-License-Identifier: EUPL-1.2
"""The words: what an announcement says, on each channel, in each language."""
