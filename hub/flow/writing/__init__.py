# SPDX-License-Identifier: EUPL-1.2
"""What officers write, from its first word until it leaves: read, checked, asked for, approved."""
