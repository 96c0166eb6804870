"""A headless Chromium driven through two pipes (its DevTools protocol), with what it complained of and what it asked of the network."""

import base64
import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-pipe",
)
PATIENCE_S = 120.0


def browser_path() -> str | None:
    """The browser of this machine, if it has one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One page: ``js`` evaluates an expression, ``complaints`` are errors of script and policy, ``requests`` all addresses asked for, ``refused`` why the browser refused."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._out, self._in, self._buffer, self._last = to_browser, from_browser, b"", 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.refused: list[str] = []
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params, **({"sessionId": self._session} if self._session else {})}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a file at this size."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self._loaded = False
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not self._loaded:
            self._read()

    def js(self, expression: str) -> Any:
        """Value of a JavaScript expression in the page; an exception fails."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until the expression is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.js(f"Boolean({expression})"):
            assert time.monotonic() < deadline, f"not within {PATIENCE_S:.0f} s: {expression}"
            time.sleep(0.1)

    def type(self, selector: str, text: str) -> None:
        """Put the cursor into a field and type."""
        self.js(f"document.querySelector({json.dumps(selector)}).focus()")
        self.call("Input.insertText", text=text)
        assert self.js(f"document.querySelector({json.dumps(selector)}).value") == text

    def drop(self, selector: str, file: Path) -> None:
        """Drop a file onto an element, as if it were dragged there."""
        content = json.dumps(base64.b64encode(file.read_bytes()).decode())
        self.js(f"""(() => {{
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([Uint8Array.from(atob({content}), (c) => c.charCodeAt(0))], {json.dumps(file.name)}));
            for (const kind of ["dragenter", "dragover", "drop"]) {{
                document.querySelector({json.dumps(selector)}).dispatchEvent(new DragEvent(kind, {{ bubbles: true, cancelable: true, dataTransfer }}));
            }}
        }})()""")

    def press(self, key: str, code: int) -> None:
        """Press and release a key, as a person without a mouse would."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **(text if kind == "keyDown" else {}))

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            piece = os.read(self._in, 65536)
            assert piece, "the browser ended"
            assert time.monotonic() < deadline, "the browser does not answer"
            self._buffer += piece
        whole, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(whole)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"].get("exception", {}).get("description", params)))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.loadingFailed" and params.get("blockedReason"):
            self.refused.append(params["blockedReason"])
        elif method == "Page.loadEventFired":
            self._loaded = True


@contextmanager
def browser(path: str) -> Iterator[Page]:
    """A page of a new browser with an empty profile; it ends with the block."""
    profile = tempfile.mkdtemp(prefix="roicg-browser-")
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()
    quiet = os.open(os.devnull, os.O_RDWR)
    high = [os.dup2(handle, 200 + i, inheritable=False) for i, handle in enumerate((from_us, to_us))]
    moves = [(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2), (os.POSIX_SPAWN_DUP2, high[0], 3), (os.POSIX_SPAWN_DUP2, high[1], 4)]
    pid = os.posix_spawn(path, [path, *SWITCHES, f"--user-data-dir={profile}"], dict(os.environ), file_actions=moves, setpgroup=0)
    for handle in (from_us, to_us, quiet, *high):
        os.close(handle)
    try:
        yield Page(to_browser, from_browser)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for handle in (to_browser, from_browser):
            os.close(handle)
        shutil.rmtree(profile, ignore_errors=True)
