"""A real browser for tests: Chromium, driven through its chromedriver by the W3C WebDriver protocol.

The protocol is JSON over HTTP to a driver on this machine, and the tests need a few of its commands; so they need no
client library with a dozen packages behind it. `missing()` says what is not installed.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Browser", "browsing", "missing"]

#: Chromium without its own traffic, so that a request seen is one of the page.
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps", "--mute-audio",
    "--disable-dev-shm-usage", "--no-default-browser-check", "--hide-scrollbars",
)  # fmt: skip
_STARTED = re.compile(rb"started successfully on port (\d+)")
_SECONDS = 120
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key under which the protocol names an element


def missing() -> str:
    """What is not installed, '' where everything is."""
    wanted = {"chromium": ("chromium", "chromium-browser"), "chromium-driver": ("chromedriver",)}
    lacking = [package for package, names in wanted.items() if not any(map(shutil.which, names))]
    return f"no {' and no '.join(lacking)} here: apt-get install {' '.join(lacking)}" if lacking else ""


class Browser:
    """One session of a browser."""

    def __init__(self, address: str, profile: str) -> None:
        self._address = address
        binary = shutil.which("chromium") or shutil.which("chromium-browser")
        options = {"binary": binary, "args": [*FLAGS, f"--user-data-dir={profile}"]}
        wanted = {
            "browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "timeouts": {"script": _SECONDS * 1000, "pageLoad": _SECONDS * 1000},
        }  # fmt: skip
        self._session = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._address + path, sent, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(json.load(error)["value"]["message"].partition("\n")[0]) from None

    def _do(self, path: str, body: Any) -> Any:
        return self._send("POST", f"/session/{self._session}{path}", body)

    def open(self, page: Path) -> None:
        """Load a file, to its end; what was logged before is forgotten."""
        self._do("/url", {"url": "about:blank"})  # a new window is not empty before
        self.console()
        self.requests()
        self._do("/url", {"url": page.as_uri()})
        # On a machine with much to do the driver is back before a large page is read.
        for _ in range(10 * _SECONDS):
            if self.run("return document.readyState") == "complete":
                return
            time.sleep(0.1)
        raise AssertionError(f"{page.name} was not loaded after {_SECONDS} seconds")

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script in the page returns."""
        return self._do("/execute/sync", {"script": script, "args": list(arguments)})

    def texts(self, selector: str) -> list[str]:
        """The texts that are shown of all elements."""
        found: list[str] = self.run(
            "return Array.from(document.querySelectorAll(arguments[0]), (one) => one.innerText ?? one.textContent)",
            selector,
        )
        return found

    def text(self, selector: str) -> str:
        """The text that is shown of the first element."""
        return self.texts(selector)[0]

    def element(self, selector: str) -> str:
        """The first element; AssertionError where there is none."""
        found = self._do("/element", {"using": "css selector", "value": selector})
        return str(found[_ELEMENT])

    def click(self, selector: str) -> None:
        """A click of the mouse in the middle of the first element, as long as nothing covers it."""
        self._do(f"/element/{self.element(selector)}/click", {})

    def type(self, selector: str, text: str) -> None:
        """Replace what stands in a field, key by key."""
        element = self.element(selector)
        self._do(f"/element/{element}/clear", {})
        self._do(f"/element/{element}/value", {"text": text})

    def press(self, key: str) -> None:
        """A key, to whatever has the focus."""
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._do("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": keys}]})

    def devtools(self, command: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol: sizes, dark mode, print."""
        return self._do("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width: int, height: int) -> None:
        """The size of the page that is seen."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def scheme(self, name: str) -> None:
        """What the reader prefers: light or dark."""
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def poor_contrasts(self, selector: str, beside: str) -> list[str]:
        """Texts of the elements of `selector`, but for what lies within `beside`, that stand out from their grounds by
        less than 4.5 (WCAG 2)."""
        script = """
            const light = (color) => {
              const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map((one) => one / 255)
                .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
              return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const ground = (one) => {
              for (let at = one; at; at = at.parentElement) {
                const color = getComputedStyle(at).backgroundColor;
                if (!/^rgba.*, 0\\)$|transparent/.test(color)) return color;
              }
              return "rgb(255, 255, 255)";
            };
            const poor = [];
            for (const one of document.querySelectorAll(arguments[0])) {
              if (one.closest(arguments[1]) || !one.innerText || !one.offsetHeight) continue;
              const [a, b] = [light(getComputedStyle(one).color), light(ground(one))].sort((x, y) => y - x);
              const contrast = (a + 0.05) / (b + 0.05);
              if (contrast < 4.5) poor.push(`${one.innerText.slice(0, 30)} ${contrast.toFixed(2)}`);
            }
            return poor;
        """
        poor: list[str] = self.run(script, selector, beside)
        return poor

    def picture(self, file: Path) -> None:
        """What is seen, as a PNG."""
        data = self._send("GET", f"/session/{self._session}/screenshot")
        file.write_bytes(base64.b64decode(data))

    def console(self) -> list[str]:
        """What was written to the console since the last question, errors of the page and of its policy among it."""
        return [f"{one['level']}: {one['message']}" for one in self._do("/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last question."""
        found = []
        for one in self._do("/se/log", {"type": "performance"}):
            message = json.loads(one["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(str(message["params"]["request"]["url"]))
        return found

    def close(self) -> None:
        """End the session, and the browser with it."""
        self._send("DELETE", f"/session/{self._session}")


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser with a new profile, on a port of its own."""
    driver = shutil.which("chromedriver")
    assert driver is not None
    with (
        tempfile.TemporaryDirectory(prefix="tracechain-browser-", ignore_cleanup_errors=True) as profile,
        subprocess.Popen([driver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process,
    ):
        try:
            assert process.stdout is not None
            port = next(found[1].decode() for line in process.stdout if (found := _STARTED.search(line)))
            browser = Browser(f"http://127.0.0.1:{port}", profile)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            process.terminate()
            process.wait(10)
