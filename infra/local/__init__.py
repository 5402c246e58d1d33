"""The platform on a laptop: Azurite for storage, and a Functions host that runs `function_app.py` as Azure does.

Nothing here is deployed, and nothing here imports the rest of the project: the host loads `function_app` the way the
platform's own worker does.
"""
