"""The pure core of Unrolled: models, traces and pictures. Imports nothing, so that it costs nothing; use
`explorer_core.api`.
"""
