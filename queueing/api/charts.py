"""Charts as SVG without scripts, the formats of their numbers, and histograms of durations."""

from queueing.monitoring import histogram
from queueing.monitoring.charts import formats
from queueing.monitoring.charts.plot import Plot, Series
from queueing.monitoring.charts.plots import bars, lines

__all__ = ["Plot", "Series", "bars", "formats", "histogram", "lines"]
