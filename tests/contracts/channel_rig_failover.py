# SPDX-License-Identifier: EUPL-1.2
"""Two SMS accounts behind one channel keep the promise of one."""

import channel_rig_sms

from channels.failover import Failover
from channels.registry import backup_of


class Rig(channel_rig_sms.Rig):
    """Both at the same provider; messages that name nobody go by the first."""

    name = "failover"

    def channel(self, url=None):
        one, other = super().channel(url), super().channel(url)
        return Failover({one.name: one, backup_of(one.name): other})
