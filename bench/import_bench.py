# SPDX-License-Identifier: EUPL-1.2
"""How fast a CSV file becomes people, and in how much memory: `python -m bench.import_bench [n]`.

Writes a made-up file of n lines (100,000), imports it into a SQLite file, then imports it again.
"""

import collections
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, event

from subscribers.catalogue import load_catalogue
from subscribers.catalogue_file import import_catalogue
from subscribers.importer import ImportOptions, import_csv
from subscribers.tables import metadata

NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
CATALOGUE = """
[authority]
key = "valmont"
name = "Valmont-sur-Orne"
timezone = "Europe/Paris"
language = "fr"
[[themes]]
key = "eau"
names = { fr = "Eau", en = "Water" }
[[themes]]
key = "ecoles"
names = { fr = "Écoles", en = "Schools" }
[[zones]]
key = "centre"
level = "district"
names = { fr = "Centre", en = "Centre" }
"""
HEADER = (
    "ref,phone,email,themes,zones,quiet_hours,consent_source,consent_date,consent_text_version\n"
)


def write_file(path: Path, lines: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for i in range(lines):
            phone = f"06399{80000 + i % 10_000:05}"
            file.write(f"r{i},{phone},citizen{i}@example.org,eau|ecoles,centre,")
            file.write("22:00-07:00,paper form,2026-03-02,2026-01\n")


def main() -> None:
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_file(path, lines)
        engine = create_engine(f"sqlite:///{Path(folder) / 'town.db'}")
        event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA journal_mode=WAL"))
        with engine.begin() as conn:
            metadata.create_all(conn)
            import_catalogue(conn, CATALOGUE)
            catalogue = load_catalogue(conn, 1)
        options = ImportOptions(suppression_key=b"k" * 32, recorded_by="bench", verified=True)
        for name in ("first", "again"):
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            wall, cpu = time.perf_counter(), time.process_time()
            with path.open("rb") as file:
                verdicts = import_csv(file, engine.begin, catalogue, options, now=NOW)
                tally = collections.Counter(verdict.kind.value for verdict in verdicts)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
            print(f"{name}: {dict(tally)} in {wall:.1f} s ({cpu:.1f} s of CPU), +{grown:.0f} MB")
        engine.dispose()


if __name__ == "__main__":
    main()
