# SPDX-License-Identifier: EUPL-1.2
"""E-mail: one MIME letter compiled per announcement, carried over a few lasting connections."""
