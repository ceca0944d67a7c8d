# SPDX-License-Identifier: EUPL-1.2
"""The API's door: JSON in, JSON out, a key for everything."""
