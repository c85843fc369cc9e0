"""The models of a process: loaded once, when first wanted, and shared by all of its sessions."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from weakref import WeakKeyDictionary

from .options import LocalOptions
from .speech import Progress, Speech, load_speech
from .workers import Workers


class LocalModels:
    """Loading takes some five seconds, in a thread of its own, whoever asks first and on whatever event loop."""

    def __init__(self, options: LocalOptions) -> None:
        self.options = options
        self._lock = threading.Lock()
        self._loading: Future[Speech] | None = None
        self._listeners: list[Progress] = []
        self._workers: WeakKeyDictionary[asyncio.AbstractEventLoop, Workers] = WeakKeyDictionary()

    async def warm_up(self, progress: Progress | None = None) -> Speech:
        """What could be loaded. Cancelling the wait leaves the loading alone.

        ``progress`` is called from the loading thread, not on the event loop, for the parts that come after now.
        """
        if progress is not None:
            self._listeners.append(progress)
        return await asyncio.wrap_future(self._begin())

    def workers(self) -> Workers:
        """The worker pool of the running event loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._workers:
            self._workers[loop] = Workers(self.options.threads, self.options.waiting)
        return self._workers[loop]

    async def close(self, seconds: float = 1.0) -> bool:
        """End this event loop's worker pool; ``False`` if something still runs after ``seconds``."""
        workers = self._workers.pop(asyncio.get_running_loop(), None)
        return workers is None or await workers.close(seconds)

    def _begin(self) -> Future[Speech]:
        with self._lock:
            failed = self._loading is not None and self._loading.done() and self._loading.exception() is not None
            if self._loading is None or failed:
                self._loading = Future()
                self._loading.set_running_or_notify_cancel()  # nobody who stops waiting cancels it for the others
                threading.Thread(target=self._load, args=(self._loading,), name="voice-models", daemon=True).start()
            return self._loading

    def _load(self, loading: Future[Speech]) -> None:
        try:
            loading.set_result(load_speech(self.options.languages, self._tell))
        except BaseException as error:  # whatever it is, those who wait must hear of it
            loading.set_exception(error)

    def _tell(self, part: str, done: float) -> None:
        for progress in tuple(self._listeners):
            progress(part, done)
