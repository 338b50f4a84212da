"""How heavy and how quick the built pages are, seen by Chromium over a slow network: `python tools/measure_pages.py [06_irls ...]`.

Served as a web server would, compressed; 1.6 Mbit/s, 150 ms there and back, a processor four times slower: a phone on the train.
Prints for each page: its own weight (page and pictures), all that a first visit loads, first contentful paint, layout shift.
"""
import gzip
import http.server
import sys
import threading
from contextlib import contextmanager
from functools import cache
from urllib.parse import unquote, urlsplit

from build_book import BUILD
from chromium import FLAGS, chromium

HTML = BUILD / "html"
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
COMPRESSED = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}
WATCH = """() => { window.shifts = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => one.hadRecentInput || window.shifts.push(one.value))).observe({ type: "layout-shift", buffered: true }); }"""


@cache
def packed(path):
    return gzip.compress(path.read_bytes(), 6)


class Compressing(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        path = HTML / unquote(urlsplit(self.path).path).lstrip("/")
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().do_GET()
        body = packed(path)
        self.send_response(200)
        for name, value in (("Content-Type", COMPRESSED[path.suffix]), ("Content-Encoding", "gzip"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def served():
    handler = lambda *arguments: Compressing(*arguments, directory=HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def measure(browser, address, name, slow=True, viewport=(390, 844)):
    """{own, all (bytes), paint (seconds), shift (a score)} of a first visit."""
    context = browser.new_context(viewport=dict(zip(("width", "height"), viewport)))
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if slow:
        session.send("Network.emulateNetworkConditions", SLOW)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    bytes_of, address_of = {}, {}
    session.on("Network.responseReceived", lambda event: address_of.__setitem__(event["requestId"], event["response"]["url"]))
    session.on("Network.loadingFinished", lambda event: bytes_of.__setitem__(event["requestId"], event["encodedDataLength"]))
    page.add_init_script(f"({WATCH})()")
    page.goto(f"{address}/book/{name}.html", timeout=120_000)
    page.evaluate("() => window.MathJax ? window.MathJax.startup.promise.then(() => true) : true")
    page.wait_for_timeout(500)
    for _ in range(5):  # pictures below load when they come near
        page.mouse.wheel(0, 100_000)
        page.wait_for_timeout(100)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    found = {
        "own": sum(size for one, size in bytes_of.items() if "/book/" in address_of.get(one, "") or "/_images/" in address_of.get(one, "")),
        "all": sum(bytes_of.values()), "paint": paint and paint / 1000, "shift": page.evaluate("window.shifts.reduce((a, b) => a + b, 0)"),
    }
    context.close()
    return found


def main():
    from playwright.sync_api import sync_playwright

    names = sys.argv[1:] or sorted(path.stem for path in HTML.glob("book/*.html"))
    if chromium() is None:
        sys.exit("Chromium measures the pages and is not installed: apt-get install chromium, or set CHROMIUM=/path/to/chromium")
    print(f"{'page':28} {'own kB':>7} {'all kB':>7} {'paint s':>8} {'shift':>6}")
    with sync_playwright() as playwright, served() as address:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name in names:
            seen = measure(browser, address, name)
            print(f"{name:28} {seen['own'] / 1000:7.0f} {seen['all'] / 1000:7.0f} {seen['paint'] or 0:8.2f} {seen['shift']:6.3f}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
