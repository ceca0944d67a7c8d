# SPDX-License-Identifier: EUPL-1.2
"""The pages on which an announcement is begun, written, foreseen and checked."""
