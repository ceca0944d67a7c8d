# SPDX-License-Identifier: EUPL-1.2
"""The roads out of town: SMS, e-mail, X and web push. Imports nothing of ours."""
