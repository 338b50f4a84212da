"""How many submissions a minute this machine marks: `python assignments/benchmark.py [submissions] [processes]`.

Marks copies of one complete submission and prints a line. Not a test: run it on a quiet machine.
"""
import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "tests")]

NAME = "a5_irls"


def main(submissions=24, processes=os.cpu_count()):
    from course.commands import main as manage
    from course.grading import mark_all
    from submissions import save, solved

    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        for arguments in (["init"], ["generate", NAME]):
            with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
                manage(["--course", str(course), *arguments])
        for number in range(submissions):
            save(solved(NAME), course, f"student{number:04d}", NAME)
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            failed = mark_all(course, NAME, processes=processes)
        seconds = time.perf_counter() - began
    assert not failed
    print(f"{submissions} submissions of {NAME} in {seconds:.0f} s with {processes} processes: {60 * submissions / seconds:.0f} a minute")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
