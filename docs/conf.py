from importlib.metadata import version as installed

project = "Limbeck"
author = copyright = "The Limbeck developers"
version = release = installed("limbeck")

extensions = ["myst_parser", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3  # so that pages can link to each other's headings
html_show_sourcelink = False
