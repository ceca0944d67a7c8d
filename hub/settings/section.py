# SPDX-License-Identifier: EUPL-1.2
"""What every section of the settings is, and the numbers they hold."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(gt=0, le=36_500)]  # a calendar ends: a century is for ever
Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=0, le=65535)]  # 0: the system picks one (tests, demo)


class Section(BaseModel):
    """One table of hub.toml: read once, never changed, and closed to names it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
