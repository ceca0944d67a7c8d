# SPDX-License-Identifier: EUPL-1.2
"""The doors: API, hooks, callbacks, and the pages that messages link to."""
