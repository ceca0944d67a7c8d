# SPDX-License-Identifier: EUPL-1.2
"""What the operator decided: hub.toml, then the environment, then the secrets folder, or nothing.

An unknown name anywhere stops the start, with the nearest right one beside it.
"""

from hub.settings.load import Problem, SettingsError, load_settings
from hub.settings.sections import Settings

__all__ = ["Problem", "Settings", "SettingsError", "load_settings"]
