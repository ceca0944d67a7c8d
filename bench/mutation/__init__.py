# SPDX-License-Identifier: EUPL-1.2
"""Errors put into the engine on purpose: a test that none of them fails proves nothing."""
