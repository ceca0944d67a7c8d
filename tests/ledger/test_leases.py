# SPDX-License-Identifier: EUPL-1.2
"""A lease renewed in time, run out, or declared dead; the lock on the folder, and a new one in its
place."""

import os

import pytest

from hub.ledger import leases
from hub.ledger.deliveries import RESERVE, ReserveWindow
from hub.ledger.lock import FolderLock, LedgerLockedError, holder
from hub.ledger.store import Ledger
from hub.ledger.tables import lease
from subscribers.tables import from_ms

# --------------------------------------------------------------------------- the row


@pytest.fixture
def mine(book):
    """A lease that is good until 60,000 ms of the steady clock."""
    return leases.take(book.conn, "daemon 7", from_ms(book.now), 60_000)


def test_a_lease_is_renewed_while_it_lives_and_never_afterwards(book, mine):
    assert leases.renew(book.conn, mine, 10_000, 70_000)
    assert leases.renew(book.conn, mine, 69_999, 120_000)
    assert not leases.renew(book.conn, mine, 120_000, 180_000)
    assert not leases.lives(book.conn, mine, 120_000)
    assert not leases.is_dead(book.conn, mine)


def test_a_lease_declared_dead_is_not_renewed_however_young(book, mine):
    leases.bury(book.conn)
    assert not leases.renew(book.conn, mine, 1, 60_001)
    assert not leases.lives(book.conn, mine, 1)
    assert leases.is_dead(book.conn, mine)


@pytest.mark.parametrize(("steady", "rows"), [(59_999, 2), (60_000, 0)])
def test_nothing_is_reserved_under_a_lease_that_ran_out(book, mine, steady, rows):
    of = book.announce(rows=2)
    (found,) = RESERVE.apply(book.conn, [ReserveWindow(of, mine, 10, book.now, steady)])
    assert len(found) == rows


def test_only_the_last_living_lease_of_the_locks_holder_runs_out(book, mine):
    assert not leases.ran_out(book.conn, "daemon 7", 59_999)
    assert leases.ran_out(book.conn, "daemon 7", 60_000)
    assert not leases.ran_out(book.conn, "daemon 8", 60_000), "one that starts has none yet"
    leases.take(book.conn, "daemon 7", from_ms(book.now), 90_000)
    assert not leases.ran_out(book.conn, "daemon 7", 60_000)
    leases.bury(book.conn)
    assert not leases.ran_out(book.conn, "daemon 7", 99_999)


def test_a_lease_of_another_start_of_the_machine_counts_on_another_clock(book, mine):
    book.conn.execute(lease.update().values(boot="before the power cut"))
    assert not leases.ran_out(book.conn, "daemon 7", 10**9)


def test_what_its_sender_still_knows_of_is_spared(book):
    of = book.announce(rows=3)
    one, two, three = book.reserve(of)
    leases.bury(book.conn)
    spared = {one.delivery, two.delivery}
    assert leases.recover(book.conn, from_ms(book.now), lambda run: 0, spared) == 1
    assert book.row(three.delivery).state == "doubt"
    assert book.settle(book.done(one, "accepted")) == [True], "under a lease that is dead"
    new = leases.take(book.conn, "daemon 7", from_ms(book.now), 1)
    assert leases.strays(book.conn, new, held={one.delivery}) == {(two.delivery, two.round)}


# --------------------------------------------------------------------------- the folder


@pytest.fixture
def empty(folder):
    """A data folder that is there."""
    folder.mkdir()
    return folder


def test_the_lock_says_who_holds_it_and_ends_with_its_holder(empty):
    assert holder(empty) is None
    lock = FolderLock.take(empty)
    assert (lock.holds(), holder(empty)) == (True, os.getpid())
    with pytest.raises(LedgerLockedError):
        FolderLock.take(empty)
    lock.close()
    FolderLock.take(empty).close()


def test_a_lock_put_in_the_place_of_another_shuts_out_the_other_and_a_third(empty):
    first = FolderLock.take(empty)
    second = FolderLock.replace(empty)
    assert (first.holds(), second.holds()) == (False, True)
    first.close()
    with pytest.raises(LedgerLockedError):
        FolderLock.take(empty)
    second.close()
    FolderLock.take(empty).close()
    assert [path.name for path in empty.iterdir()] == ["lock"]


def test_a_lock_whose_file_is_gone_holds_nothing(empty):
    lock = FolderLock.take(empty)
    (empty / "lock").unlink()
    assert not lock.holds()
    lock.close()


async def test_a_ledger_knows_whether_its_folder_is_still_its_own(folder):
    first = Ledger.open(folder, exclusive=True)
    assert first.ours()
    second = Ledger.open(folder, lock=FolderLock.replace(folder))
    assert (first.ours(), second.ours()) == (False, True)
    first.close()
    with pytest.raises(LedgerLockedError):
        Ledger.open(folder, exclusive=True)
    second.close()
