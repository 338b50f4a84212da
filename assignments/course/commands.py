"""One command for each step of a course. A course lives in a folder of its own, `_course` unless --course names another."""
import argparse
import csv
import sys
from pathlib import Path

from . import editions
from .roster import key_of, make_salt, read_roster, read_salt

CONFIG = '''"""nbgrader's settings for this course; they stand in {sources}/course/settings.py."""
import sys

sys.path.insert(0, {sources!r})
from course.settings import configure

configure(get_config(), {course!r})
'''


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="manage.py", description="Coursework for the book: from the roster to the grades.")
    parser.add_argument("--course", type=Path, default=editions.ROOT / "_course", help="the folder of the course (default: _course beside the book)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name, run, **options):
        sub = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        for option, settings in options.items():
            sub.add_argument(option.replace("_", "-") if option.startswith("_") else option, **settings)
        sub.set_defaults(run=run)

    one = {"choices": editions.assignments(), "metavar": "ASSIGNMENT"}
    command("list", show)
    command("editions", make_editions)
    command("try", try_it, assignment=one)
    command("init", init)
    command("roster", roster, file={"type": Path})
    command("generate", generate, assignment=one)
    command("release", release, assignment=one)
    command("collect", collect, assignment=one, __zip={"type": Path, "help": "a download of Canvas, Moodle or any folder <login>/<notebook>; else nbgrader's exchange"})
    command("autograde", autograde, assignment=one, __processes={"type": int, "default": None, "help": "how many at once (default: one a processor)"},
            __again={"action": "store_true", "help": "mark also what has been marked"}, __student={"help": "only this login"})
    command("formgrader", formgrader, __port={"type": int, "default": 8888})
    command("feedback", feedback, assignment=one, __release={"action": "store_true", "help": "also put it into nbgrader's exchange"})
    command("export", export, __to={"type": Path, "required": True}, __format={"choices": ["csv", "canvas"], "default": "csv"})
    command("gradescope", gradescope, assignment=one, __to={"type": Path, "required": True})
    given = parser.parse_args(arguments)
    if given.command not in ("list", "editions", "init", "try") and not (given.course / "salt").exists():
        sys.exit(f"There is no course in {given.course}: make one with 'init', or say where it is with --course.")
    sys.exit(given.run(given))


def show(given):
    """list the assignments: chapters, minutes, points"""
    for name in editions.assignments():
        about = editions.facts(name)
        print(f"{name:<16} chapters {', '.join(map(str, about['chapters'])):<8} {about['minutes']:>4} min  {about['points']:>3} points "
              f"({about['by_hand']} by hand)  {about['title']}")


def make_editions(given):
    """write the students' editions of all assignments into the book"""
    changed = editions.write_students()
    print(f"{len(editions.assignments())} editions in {editions.STUDENT}; changed: {', '.join(changed) or 'none'}.")


def init(given):
    """make a course folder: settings, secret salt, empty gradebook"""
    given.course.mkdir(parents=True, exist_ok=True, mode=0o700)
    make_salt(given.course)
    course = str(given.course.resolve())
    (given.course / "nbgrader_config.py").write_text(CONFIG.format(sources=str(editions.SOURCES), course=course))
    from .gradebook import opened

    with opened(given.course):
        pass
    print(f"A course is in {course}. Back up its salt: without it no student's data can be computed again. Next: roster FILE.csv")


def roster(given):
    """enter the students of a CSV (login, first, last, email, lms_id) and write keys.csv, a line to send to each"""
    from .gradebook import opened

    rows, salt = read_roster(given.file), read_salt(given.course)
    with opened(given.course) as gradebook:
        for row in rows:
            gradebook.update_or_create_student(row["login"], first_name=row.get("first"), last_name=row.get("last"), email=row.get("email"),
                                               lms_user_id=row.get("lms_id"))
    path = given.course / "keys.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("login", "email", "key"), *((row["login"], row.get("email", ""), key_of(row["login"], salt)) for row in rows)])
    path.chmod(0o600)
    print(f"{len(rows)} students in the gradebook. Send each their own line of {path}.")


def generate(given):
    """write the instructor's edition into the course and let nbgrader make the release"""
    from .gradebook import api, succeed

    path = given.course / "source" / given.assignment / f"{given.assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(editions.written(editions.instructor(given.assignment)), encoding="utf-8", newline="\n")
    succeed(api(given.course).generate_assignment(given.assignment, force=True))
    print(f"{given.assignment}: the release for students is {given.course / 'release' / given.assignment}.")


def release(given):
    """put the release into nbgrader's exchange (a hub); elsewhere hand out the page of the book"""
    from .gradebook import api, succeed

    succeed(api(given.course).release_assignment(given.assignment))
    print(f"{given.assignment} is released.")


def collect(given):
    """gather submissions from nbgrader's exchange, or from the zip of a learning management system"""
    if given.zip is None:
        from .gradebook import api, succeed

        succeed(api(given.course).collect(given.assignment, update=True))
        return print(f"{given.assignment}: collected from the exchange.")
    from .collecting import from_zip

    taken, unknown = from_zip(given.course, given.assignment, given.zip)
    print(f"{given.assignment}: {len(taken)} submissions collected.")
    for name, why in unknown:
        print(f"  not taken: {name}: {why}")
    return bool(unknown)


def autograde(given):
    """mark what has been collected: in parallel, where it stopped, whatever a submission does"""
    from .grading import mark_all

    return mark_all(given.course, given.assignment, processes=given.processes, again=given.again, only=given.student)


def formgrader(given):
    """open nbgrader's pages for marking by hand, at a local address"""
    from .gradebook import serve_formgrader

    return serve_formgrader(given.course, given.port)


def feedback(given):
    """write each student's feedback page: verdicts and comments, no hidden test"""
    from .gradebook import api, succeed

    door = api(given.course)
    succeed(door.generate_feedback(given.assignment, force=True))
    if given.release:
        succeed(door.release_feedback(given.assignment))
    pages = list((given.course / "feedback").glob(f"*/{given.assignment}/*.html"))
    print(f"{given.assignment}: {len(pages)} pages in {given.course / 'feedback'}.")


def export(given):
    """write the grades as CSV: one row a student, or as Canvas imports them"""
    from .exports import CanvasExport, RowsExport
    from .gradebook import opened

    exporter = {"csv": RowsExport, "canvas": CanvasExport}[given.format]()
    exporter.to = str(given.to)
    with opened(given.course) as gradebook:
        exporter.export(gradebook)
    print(f"Written: {given.to}")


def gradescope(given):
    """pack one assignment's marker for a container that marks one submission at a time, as Gradescope does"""
    from .gradescope import pack

    pack(given.course, given.assignment, given.to)
    print(f"Written: {given.to}. It holds the salt and the hidden tests: upload it, publish it nowhere.")


def try_it(given):
    """mark the instructor's edition as if a student had handed it in, and show the verdicts"""
    import tempfile

    from .gradebook import opened
    from .grading import mark_all

    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder)
        for step in (["init"], ["generate", given.assignment]):
            try:
                main(["--course", folder, *step])
            except SystemExit as end:
                if end.code:
                    raise
        handed = course / "submitted" / "instructor" / given.assignment / f"{given.assignment}.ipynb"
        handed.parent.mkdir(parents=True)
        handed.write_text(editions.written(editions.instructor(given.assignment)), encoding="utf-8")
        failed = mark_all(course, given.assignment, processes=1)
        import nbformat

        for cell in nbformat.read(course / "autograded" / "instructor" / given.assignment / f"{given.assignment}.ipynb", 4).cells if not failed else []:
            for output in cell.get("outputs", []):
                if output.output_type == "error" or cell.metadata.get("nbgrader", {}).get("grade"):
                    print(f"{cell.metadata.nbgrader.grade_id}: {output.get('text') or output.get('data') or output.get('evalue')}".rstrip())
        with opened(course) as gradebook:
            submission = gradebook.find_submission(given.assignment, "instructor")
            print(f"{submission.score:g} of {submission.max_score:g} points, the rest by hand")
    return failed
