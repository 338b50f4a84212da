"""The browser that looks at the built pages and prints them, and how it is started: nothing fetched, nothing reported."""
import os
import shutil

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def chromium():
    """Its path: what CHROMIUM names, or what is installed; None if there is none."""
    named = os.environ.get("CHROMIUM")
    return named if named and os.path.exists(named) else next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
