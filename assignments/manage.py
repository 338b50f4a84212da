"""The door to the coursework: `python assignments/manage.py --help`. Everything is in the package `course` beside this file."""
from course.commands import main

if __name__ == "__main__":
    main()
