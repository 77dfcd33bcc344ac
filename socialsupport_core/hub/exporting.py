"""What the hub puts into files for others to measure."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from socialsupport_core.contract import ConfigError
from socialsupport_core.hub.base import Base
from socialsupport_core.store import micros

if TYPE_CHECKING:
    from socialsupport_core.insight.scaled.exporting import Written


class Exporting(Base):
    def export(
        self,
        tenant: str,
        folder: Path,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        moved: Callable[[int, int | None], None] | None = None,
    ) -> "Written":
        """Writes what was said, the turns and the hand-offs as Parquet, a file for each table and day, without texts,
        names or addresses. `since` (the beginning) and `until` (today's end) are rounded to whole days; `moved` is
        called with how many rows are done. The extra `analytics`."""
        try:
            from socialsupport_core.insight.scaled.exporting import export  # noqa: PLC0415 - an extra
            from socialsupport_core.insight.scaled.place import unseen  # noqa: PLC0415
        except ModuleNotFoundError as missing:
            raise ConfigError(MISSING) from missing
        conduct = self._database.read(lambda tx: self.channels.conducting.of(tx, tenant))
        ends = micros(until or self.clock() + timedelta(days=1))
        begins = 0 if since is None else micros(since)
        if begins >= ends:
            raise ConfigError("the export would begin when it has ended; --since must lie before --until")
        whole = ends if until else ends // DAY * DAY
        return export(self._database.read, tenant, conduct, folder, begins, whole, moved or unseen)


DAY = 86_400_000_000
MISSING = "this needs the extra analytics: pip install 'socialsupport[analytics]'"
