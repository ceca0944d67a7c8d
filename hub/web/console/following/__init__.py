# SPDX-License-Identifier: EUPL-1.2
"""The pages on which announcements are found, followed, stopped and reported."""
