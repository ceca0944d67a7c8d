# SPDX-License-Identifier: EUPL-1.2
"""A run becomes deliveries, page by page; what waits becomes the digest of the day."""
