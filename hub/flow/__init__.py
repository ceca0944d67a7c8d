# SPDX-License-Identifier: EUPL-1.2
"""The natural way of an announcement: intake, plan, dispatch, settle."""
