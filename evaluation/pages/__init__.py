"""The pages that people read: reports, the home page, an instance's audit trail, the API documentation.

Each page is a pure function from values to the text of one self-contained HTML file. No page needs a script, loads
anything, or trusts a value: feature values, ids, class names and notes are written by strangers. jinja2 is loaded
when the first page is drawn, so importing these modules costs a scoring process nothing.
"""
