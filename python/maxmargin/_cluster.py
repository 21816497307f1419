"""Covers searched by the workers of a ``dask.distributed`` client."""
import queue
import time

from . import _native
from ._errors import Error, UsageError, translated

# How often a task is sent again that was lost with its worker. dask itself tries a few times before.
TRIES = 5
# Seconds between two looks at the number of workers.
LOOK = 2.0
# Seconds for which results are waited for at once.
TICK = 0.1


def _keep(statement):
    return statement


@translated
def _serve(statement, task, seconds):
    return _native.serve(statement, task, seconds)


class Cluster:
    """What the native part calls, from a thread of its own, to have subtrees searched elsewhere."""

    def __init__(self, client):
        if not all(hasattr(client, name) for name in ("submit", "nthreads", "cancel")):
            raise UsageError(f"client is a {type(client).__name__}, not a dask.distributed.Client")
        if getattr(client, "asynchronous", False):
            raise UsageError("client is asynchronous: give one made without asynchronous=True")
        self._client = client
        self._statements = []
        self._tasks = {}
        self._done = queue.SimpleQueue()
        self._threads, self._looked = 0, None

    @classmethod
    def of(cls, client):
        """A context in which there are these workers, or ``None``."""
        return _Nobody() if client is None else cls(client)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        try:
            self._client.cancel([future for future, *_ in self._tasks.values()], force=True)
        except Exception:  # The client may be closed; the search is over anyway.
            pass
        self._tasks.clear()
        self._statements.clear()

    def capacity(self):
        now = time.monotonic()
        if self._looked is None or now - self._looked > LOOK:
            self._threads, self._looked = sum(self._client.nthreads().values()), now
        return self._threads

    def begin(self, statements):
        self.cancel(list(self._tasks))
        # As results of tasks they reach every worker once, and are made again if all that have them are lost.
        self._statements = [self._client.submit(_keep, s, pure=False) for s in statements]

    def submit(self, number, statement, task, seconds, tries=TRIES):
        future = self._client.submit(_serve, self._statements[statement], task, seconds, pure=False)
        self._tasks[number] = (future, (statement, task, seconds), tries)
        future.add_done_callback(lambda future: self._done.put((number, future)))

    def collect(self):
        found = []
        wait = TICK
        while True:
            try:
                number, future = self._done.get(timeout=wait) if wait else self._done.get_nowait()
            except queue.Empty:
                return found
            wait = 0
            if number in self._tasks and self._tasks[number][0] is future:
                answer = self._answer(number, future)
                if answer is not None:
                    found.append((number, answer))

    def cancel(self, numbers):
        futures = [self._tasks.pop(n)[0] for n in numbers if n in self._tasks]
        if futures:
            self._client.cancel(futures, force=True)

    def _answer(self, number, future):
        """The result of a task that ended, or ``None`` if it was sent again."""
        _, order, tries = self._tasks[number]
        if future.status == "finished":
            answer = future.result()
            del self._tasks[number]
            return answer
        error = future.exception() if future.status == "error" else None
        lost = error is None or type(error).__name__ in ("KilledWorker", "CommClosedError", "FutureCancelledError")
        if not lost:
            raise error
        if tries == 0:
            raise Error(
                "a subtree was lost with its worker again and again: do the workers have enough memory?"
            ) from error
        self.submit(number, *order, tries - 1)
        return None


class _Nobody:
    def __enter__(self):
        return None

    def __exit__(self, *exception):
        pass
