"""Marks a class: one process a submission, as many at once as there are processors, resumable, and nothing stops the rest.

A submission that has been marked leaves a record with a digest of what was marked and of what it was marked by; a second run
passes over it. A process that hangs is ended and named.
"""
import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import time
from pathlib import Path

LARGEST = 20 << 20   # bytes of a notebook
SLOWEST = 420        # seconds of one submission, all told: more than execute.RunInSandbox allows itself


def mark_all(course, assignment, processes=None, again=False, only=None):
    """Mark every submission of an assignment that needs it; 1 if some could not be marked, else 0."""
    from . import sandbox

    course = Path(course).resolve()
    sandbox.kind()   # refuse before anything is run
    sandbox.fonts()
    found = sorted(path.parent.parent.name for path in (course / "submitted").glob(f"*/{assignment}/{assignment}.ipynb"))
    waiting = [login for login in found if (only in (None, login)) and (again or record(course, assignment, login).get("digest") != digest(course, assignment, login))]
    print(f"{assignment}: {len(found)} submissions, {len(waiting)} to mark", flush=True)
    failed, began = [], time.monotonic()
    for number, (login, outcome, seconds) in enumerate(each(course, assignment, waiting, processes or os.cpu_count()), start=1):
        if outcome != "marked":
            failed.append((login, outcome))
        rate = 60 * number / (time.monotonic() - began)
        print(f"  {number} of {len(waiting)} ({rate:.0f} a minute)  {login}: {outcome}, {seconds:.1f} s", flush=True)
    for login, outcome in failed:
        print(f"NOT MARKED  {login}: {outcome}")
    return int(bool(failed))


def each(course, assignment, waiting, processes):
    """(login, outcome, seconds) of each, as they end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["course.preload"])
    waiting, running = list(waiting), {}
    while waiting or running:
        while waiting and len(running) < processes:
            login = waiting.pop(0)
            here, there = context.Pipe(duplex=False)
            process = context.Process(target=mark_one, args=(str(course), assignment, login, there))
            process.start()
            there.close()
            running[login] = (process, here, time.monotonic())
        multiprocessing.connection.wait([process.sentinel for process, _, _ in running.values()], timeout=1)
        for login, (process, here, began) in list(running.items()):
            seconds = time.monotonic() - began
            if process.is_alive() and seconds < SLOWEST:
                continue
            outcome = f"it took longer than {SLOWEST} s and was ended"
            if process.is_alive():
                process.kill()
            else:
                try:
                    outcome = here.recv()
                except EOFError:
                    outcome = f"its process ended with code {process.exitcode}"
            process.join()
            here.close()
            del running[login]
            yield login, outcome, seconds


def mark_one(course, assignment, login, answer):
    """In a process of its own: let nbgrader autograde one submission, and keep a record of it."""
    course = Path(course)
    try:
        outcome = unreadable(course, assignment, login)
        if outcome is None:
            marked = digest(course, assignment, login)
            from .gradebook import api

            result = api(course).autograde(assignment, login, force=True, create=True)
            outcome = "marked" if result["success"] else last_words(result)
            if result["success"]:
                keep(course, assignment, login, {"digest": marked})
    except Exception as trouble:
        outcome = f"{type(trouble).__name__}: {trouble}"
    answer.send(outcome)


def last_words(result):
    lines = [line for line in f"{result.get('log') or ''}\n{result.get('error') or ''}".splitlines() if line.strip()]
    telling = [line for line in lines if "Error" in line or "ERROR" in line] or lines
    return telling[-1].strip()[:300] if telling else "nbgrader gave no reason"


def unreadable(course, assignment, login):
    """Why nbgrader need not even try, or None."""
    path = course / "submitted" / login / assignment / f"{assignment}.ipynb"
    if path.is_symlink() or not path.is_file():
        return "no notebook, but a link or a folder of its name"
    if path.stat().st_size > LARGEST:
        return f"the notebook has {path.stat().st_size >> 20} MB; {LARGEST >> 20} are read: ask for one without its outputs"
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        return None if notebook["nbformat"] == 4 and isinstance(notebook["cells"], list) else "not a notebook of format 4"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "not a notebook: the file cannot be read"


def digest(course, assignment, login):
    parts = [course / "submitted" / login / assignment / f"{assignment}.ipynb", course / "source" / assignment / f"{assignment}.ipynb", course / "salt"]
    return hashlib.sha256(b"".join(hashlib.sha256(part.read_bytes()).digest() for part in parts if part.is_file())).hexdigest()


def record(course, assignment, login):
    path = course / "marked" / assignment / f"{login}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def keep(course, assignment, login, what):
    path = course / "marked" / assignment / f"{login}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    half.write_text(json.dumps(what))
    half.replace(path)
