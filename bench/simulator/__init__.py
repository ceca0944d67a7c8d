# SPDX-License-Identifier: EUPL-1.2
"""The real flow on virtual time, with providers that play tricks: one seed is one story."""
