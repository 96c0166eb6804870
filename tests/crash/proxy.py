"""A TCP proxy in front of a database that cuts connections at random bytes."""

import contextlib
import random
import socket
import struct
import threading
from dataclasses import replace
from typing import Self
from urllib.parse import urlsplit

from roicg.server.address import Address

_DEEPEST = 8_000
"""A connection is cut after at most so many bytes in one direction."""


class CuttingProxy:
    """Passes everything on until it is told to ``sharpen``; then it cuts ``cuts`` times, each time losing what it was about to pass on."""

    def __init__(self, address: Address, rng: random.Random, cuts: int) -> None:
        parts = urlsplit(address.uri)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 7687)
        self._rng, self._left, self._sharp, self._lock = rng, cuts, False, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = replace(address, uri=f"bolt://127.0.0.1:{self._listener.getsockname()[1]}")
        self.cut = 0
        self.log: list[str] = []
        self._budget = 0
        self._towards_server = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *ignored: object) -> None:
        self._listener.close()

    def sharpen(self) -> None:
        """From now on, cut."""
        with self._lock:
            self._sharp = True
            self._draw()

    def _draw(self) -> None:
        self._budget, self._towards_server = self._rng.randint(1, _DEEPEST), self._rng.random() < 0.5

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
                for source, target, towards_server in ((near, far, True), (far, near, False)):
                    threading.Thread(target=self._pass_on, args=(source, target, towards_server), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, towards_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                if self._is_cut(len(data), towards_server):
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, not a goodbye
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _is_cut(self, size: int, towards_server: bool) -> bool:
        with self._lock:
            if not self._sharp or self._left == 0 or towards_server != self._towards_server:
                return False
            self._budget -= size
            if self._budget > 0:
                return False
            self._left -= 1
            self.cut += 1
            self.log.append("request lost" if towards_server else "answer lost")
            self._draw()
            return True
