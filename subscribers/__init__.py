# SPDX-License-Identifier: EUPL-1.2
"""The people: who asked to be told, about what, where and how."""
