"""The database backend (`ENGINE`): Django's, in which the transactions of a process take turns.

SQLite lets one connection write at a time. Others try again after ever longer pauses, up to a tenth of a
second: of eight messages at once, most slept while no one wrote. Here a thread waits for the end of the
others' transactions. Only for those of other processes it tries again.
"""

import os
from threading import Lock

from django.db.backends.sqlite3 import base

#: Database -> held by the thread whose transaction is open.
_turns: dict[str, Lock] = {}
os.register_at_fork(after_in_child=_turns.clear)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of one thread."""

    _turn: "Lock | None" = None

    def _start_transaction_under_autocommit(self) -> None:
        if self.transaction_mode == "IMMEDIATE":
            turn = _turns.setdefault(str(self.settings_dict["NAME"]), Lock())
            # As long as SQLite itself would wait. After that, SQLite says that it is locked.
            if turn.acquire(timeout=self.settings_dict["OPTIONS"].get("timeout", 5.0)):
                self._turn = turn
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        super()._commit()
        self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.release()
