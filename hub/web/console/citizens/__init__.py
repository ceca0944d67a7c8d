# SPDX-License-Identifier: EUPL-1.2
"""The people who are told: counted, looked up one by one, imported."""
