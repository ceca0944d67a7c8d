# SPDX-License-Identifier: EUPL-1.2
"""The town hall's own people: who they are, how they prove it, what they may, their mail."""
