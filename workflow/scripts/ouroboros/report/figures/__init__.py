"""The figures: a module for each, named like the figure's file.

A figure has `OF` ("lineage", or "group": a lineage or a comparison), `ORDER` in the report, `CAPTION`
(reStructuredText; its first sentence is the picture's alternative text), `inputs(experiment, name)`
(name -> artifacts, or None where there is nothing to draw), `draw(files, settings, name, outputs)`,
and, if drawing needs more than files, `settings(experiment, name)`. `draw` imports what is heavy,
since the Snakefile reads these modules.
"""
