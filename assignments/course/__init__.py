"""The coursework of the book: editions, individual data, a sandbox, marking. `python assignments/manage.py` is its door.

A source (assignments/*.md) becomes an instructor's notebook and a student's. nbgrader keeps the gradebook and the files. Between
the two stands one rule: a student's code and what decides its mark never share a process. `execute` runs the code in a
`sandbox`, asks it for answers in plain JSON (`answers` is the far end), and `marking` judges them here.
"""
