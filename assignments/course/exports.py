"""The grades as CSV. Both are nbgrader export plug-ins too: `nbgrader export --exporter=course.exports.CanvasExport`."""
import csv

from nbgrader.api import MissingEntry
from nbgrader.plugins import ExportPlugin


def final(gradebook, assignment, login):
    """(points after any penalty, whether a person still has to mark), or ("", False) where nothing was handed in."""
    try:
        submission = gradebook.find_submission(assignment.name, login)
    except MissingEntry:
        return "", False
    return round(max(0.0, submission.score - submission.late_submission_penalty), 4), submission.needs_manual_grade


class RowsExport(ExportPlugin):
    """One row a student: who, then for each assignment the points, the most possible, and whether marking by hand is still open."""

    def export(self, gradebook):
        assignments = sorted(gradebook.assignments, key=lambda assignment: assignment.name)
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["login", "last", "first", "email", *(f"{a.name}{part}" for a in assignments for part in ("", "/max", "/open"))])
            for student in sorted(gradebook.students, key=lambda student: student.id):
                row = [student.id, student.last_name or "", student.first_name or "", student.email or ""]
                for assignment in assignments:
                    points, still_open = final(gradebook, assignment, student.id)
                    row += [points, assignment.max_score, "yes" if still_open else "no"]
                rows.writerow(row)


class CanvasExport(ExportPlugin):
    """The table that Canvas imports under Grades: its five columns of identity, a row of points possible, a column an assignment."""

    def export(self, gradebook):
        assignments = sorted(gradebook.assignments, key=lambda assignment: assignment.name)
        with open(self.to or "canvas.csv", "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(a.name for a in assignments)])
            rows.writerow(["    Points Possible", "", "", "", "", *(a.max_score for a in assignments)])
            for student in sorted(gradebook.students, key=lambda student: student.id):
                name = ", ".join(part for part in (student.last_name, student.first_name) if part)
                rows.writerow([name, student.lms_user_id or "", "", student.id, "", *(final(gradebook, a, student.id)[0] for a in assignments)])
