# SPDX-License-Identifier: EUPL-1.2
"""Stories to train with: what a town publishes from the first sign of trouble to the all-clear."""
