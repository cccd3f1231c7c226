"""Results as Plotly figures, one file a view. The only home of plotly."""
