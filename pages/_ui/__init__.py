"""Glue between Streamlit and the core: imported by pages, never routed."""
