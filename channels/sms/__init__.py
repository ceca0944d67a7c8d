# SPDX-License-Identifier: EUPL-1.2
"""SMS, through Twilio."""
