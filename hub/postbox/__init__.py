# SPDX-License-Identifier: EUPL-1.2
"""The door for mail that comes back: bounces, complaints, and stops by mail."""
