"""The stream: draws the nursery tree and routes events; what they mean is decided elsewhere.

::

    open_stream
    └─ nursery
       └─ conduct
          ├─ sinks, which end last
          ├─ pumps: processors and handlers, each with its own lanes
          ├─ health and metrics
          └─ feeds, cancelled first
"""

from .opening import open_stream
from .running import RealtimeDataStream, Sink
from .stats import StreamStats

__all__ = ["RealtimeDataStream", "Sink", "StreamStats", "open_stream"]
