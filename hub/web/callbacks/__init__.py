# SPDX-License-Identifier: EUPL-1.2
"""Where providers post what became of a message, and what citizens answer."""
