"""From the zip of a learning management system to nbgrader's folders. A file whose owner is not certain is named, never guessed."""
import re
import zipfile
from pathlib import Path, PurePosixPath

from .gradebook import opened
from .grading import LARGEST

CANVAS = re.compile(r"[^/]*?_(?:LATE_)?(?P<lms_id>\d+)_(?P<upload>\d+)_[^/]*\.ipynb")
MOODLE = re.compile(r"(?P<person>[^/_]+)_\d+_assignsubmission_file")


def from_zip(course, assignment, archive):
    """([logins], [(name in the zip, why it was not taken)]); of several uploads of one student the last counts."""
    with opened(course) as gradebook:
        logins = {student.id for student in gradebook.students}
        by_number = {student.lms_user_id: student.id for student in gradebook.students if student.lms_user_id}
        people = [(f"{student.first_name or ''} {student.last_name or ''}".strip().casefold(), student.id) for student in gradebook.students]
    by_person = {person: login for person, login in people if person and sum(person == other for other, _ in people) == 1}

    def owner(name):
        path = PurePosixPath(name)
        canvas, moodle = CANVAS.fullmatch(path.name), MOODLE.match(path.parent.name or path.name)
        if canvas and canvas["lms_id"] in by_number:
            return by_number[canvas["lms_id"]]
        if moodle and moodle["person"].strip().casefold() in by_person:
            return by_person[moodle["person"].strip().casefold()]
        for candidate in (path.parent.name.lower(), path.stem.lower()):
            if candidate in logins:
                return candidate
        return None

    chosen, refused = {}, []
    with zipfile.ZipFile(archive) as files:
        for entry in files.infolist():
            if entry.is_dir() or not entry.filename.endswith(".ipynb") or "__MACOSX" in entry.filename:
                continue
            login = owner(entry.filename)
            if login is None:
                refused.append((entry.filename, "no student of the roster is certain to own it: rename it <login>.ipynb"))
            elif entry.file_size > LARGEST:
                refused.append((entry.filename, f"larger than {LARGEST >> 20} MB"))
            elif login not in chosen or order(entry) >= order(chosen[login]):
                chosen[login] = entry
        for login, entry in chosen.items():
            target = Path(course) / "submitted" / login / assignment / f"{assignment}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files.read(entry))
    return sorted(chosen), refused


def order(entry):
    """Later uploads last: Canvas counts them up, other systems date them."""
    canvas = CANVAS.fullmatch(PurePosixPath(entry.filename).name)
    return entry.date_time, int(canvas["upload"]) if canvas else 0
