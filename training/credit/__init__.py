"""A credit problem with a known truth, and two weeks of traffic in which known faults are planted.

Real production data never tells what went wrong and when. Here it is known, so that a report can be held to it:
`applicants` draws people and what becomes of their loans, `model` fits and exports a model of them, `faults` changes
one thing on one day, `schedule` says which day and which section of the report must name it, `player` sends the days
through the code that serves, and `check` compares the reports with the schedule.
"""
