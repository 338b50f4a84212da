"""The built site as a reader meets it: served under a sub-path, in a browser for which no other host exists."""
import functools
import http.server
import threading

import pytest
from chromium import FLAGS, chromium
from notebooks import ROOT

HTML = ROOT / "_build" / "html"
NO_OTHER_HOST = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The address of the site, at a sub-path as on a course's server."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "glm").symlink_to(HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/glm"
        server.shutdown()


@pytest.fixture(scope="session")
def chrome():
    if chromium() is None:
        pytest.fail("Chromium is not installed: apt-get install chromium, or set CHROMIUM=/path/to/chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, NO_OTHER_HOST])
        yield running
        running.close()


@pytest.fixture
def context(chrome):
    """A reader's browser; what it asks of other hosts and complains of is kept in .elsewhere and .errors."""
    opened = chrome.new_context(viewport={"width": 1280, "height": 900})
    opened.elsewhere, opened.errors = [], []
    opened.on("request", lambda request: request.url.startswith(("http://127.0.0.1:", "data:", "blob:", "file:")) or opened.elsewhere.append(request.url))
    opened.on("weberror", lambda error: opened.errors.append(str(error.error)))
    yield opened
    opened.close()
