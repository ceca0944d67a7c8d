# SPDX-License-Identifier: EUPL-1.2
"""What may have left: the provider is asked before anything is sent again."""
