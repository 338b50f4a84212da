"""Who takes the course, and each student's key. The salt never leaves the course folder; a key is all that a student needs."""
import csv
import hashlib
import hmac
import re
import secrets
import sys
from pathlib import Path

from glmref.coursework import CODE, complete, normal_login

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


def read_salt(course):
    """The course's secret, made once. Whoever has it can compute every student's data."""
    path = Path(course) / "salt"
    if not path.exists():
        sys.exit(f"{path} is missing: start a course with 'init', or copy the salt of the course that you go on with.")
    return path.read_text().strip()


def make_salt(course):
    path = Path(course) / "salt"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(16) + "\n")


def sign(text, salt):
    return hmac.new(salt.encode(), text.encode(), hashlib.sha256).hexdigest()[:CODE]


def key_of(login, salt):
    return complete(login, sign(f"student|{normal_login(login)}", salt))


def unseen_key(assignment, salt):
    """The key of the data on which functions are tried: nobody's own."""
    return complete("unseen", sign(f"unseen|{assignment}", salt))


def read_roster(path):
    """Rows of a CSV with the columns login, first, last, email, lms_id (only login is needed), checked."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [{str(name).strip().lower(): (value or "").strip() for name, value in row.items() if name} for row in csv.DictReader(file)]
    if not rows or "login" not in rows[0]:
        sys.exit(f"{path}: expected a CSV with a column 'login' (and, if you have them, first, last, email, lms_id); found {', '.join(rows[0]) if rows else 'nothing'}.")
    seen = set()
    for number, row in enumerate(rows, start=2):
        row["login"] = normal_login(row["login"])
        if not LOGIN.fullmatch(row["login"]):
            sys.exit(f"{path}, line {number}: {row['login']!r} is no login: letters, digits and . _ @ - only, a letter or digit first. Mend the line.")
        if row["login"] in seen:
            sys.exit(f"{path}, line {number}: {row['login']!r} stands there twice. Remove one of the two.")
        seen.add(row["login"])
    return rows
