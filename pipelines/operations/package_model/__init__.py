"""package_model: put a candidate into the form in which it is served."""
