"""nbgrader as this course uses it: its gradebook, its steps, its pages for marking by hand."""
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from traitlets.config import Config

from .settings import configure


@contextmanager
def opened(course):
    from nbgrader.api import Gradebook

    with Gradebook(configure(Config(), course).CourseDirectory.db_url) as gradebook:
        yield gradebook


def api(course):
    """nbgrader's steps, in this process."""
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.coursedir import CourseDirectory

    config = configure(Config(), course)
    return NbGraderAPI(CourseDirectory(config=config), config=config)


def succeed(result):
    """Go on only if nbgrader's step did what it should."""
    if not result["success"]:
        sys.exit(f"nbgrader could not do this:\n{result.get('error') or ''}\n{result.get('log') or ''}".rstrip())


def serve_formgrader(course, port):
    """nbgrader's own pages, in the course's folder, until Ctrl-C."""
    command = [sys.executable, "-m", "jupyter", "notebook", "--no-browser", f"--port={port}", "--ip=127.0.0.1", "--ServerApp.allow_root=True",
               "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"]
    print(f"Marking by hand: open the address below, with /formgrader in place of /tree: http://127.0.0.1:{port}/formgrader", flush=True)
    return subprocess.call(command, cwd=Path(course))
