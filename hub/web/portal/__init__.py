# SPDX-License-Identifier: EUPL-1.2
"""What citizens open: the pages that messages link to."""
