# SPDX-License-Identifier: EUPL-1.2
"""The town hall's own people: who they are, what they may, what they write and publish."""
