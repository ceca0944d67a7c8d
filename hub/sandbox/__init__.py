# SPDX-License-Identifier: EUPL-1.2
"""Stand-ins for the four providers, speaking their real protocols on loopback.

Shares no code with the engine: what it records is evidence, so it must not inherit a mistake.
"""
