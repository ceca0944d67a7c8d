# SPDX-License-Identifier: EUPL-1.2
"""Valmont-sur-Orne, a town that does not exist: what `hub demo` starts with."""
