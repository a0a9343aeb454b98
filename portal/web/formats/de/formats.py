"""A plain number in a template is a coordinate or a form's value: with a point, in German too.

What people read is written by portal/web/numerals.py.
"""

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ""
