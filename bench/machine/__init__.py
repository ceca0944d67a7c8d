# SPDX-License-Identifier: EUPL-1.2
"""Anything in any order: a Hypothesis state machine over the engine's rules (ENGINE.md 8.1)."""
