"""The figures: a module per figure, and its name is the file's.

A figure has `OF` ("group": a lineage or a comparison, or "lineage"), `ORDER` in the report, `CAPTION`
(reStructuredText; its first sentence stands in place of the picture), `inputs(experiment, name)`
(name -> artifacts, or None where there is nothing to draw), where it needs them `settings(experiment,
name)`, and `draw(files, settings, name, outputs)`. What draws is imported there, and not above:
the Snakefile reads these modules.
"""
