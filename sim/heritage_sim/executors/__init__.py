"""Where shards of listeners run: in this process, or on Ray. The choice never changes an outcome."""

from heritage_sim.executors.host import ShardHost
from heritage_sim.executors.local import LocalExecutor
from heritage_sim.executors.resharding import reshard

__all__ = ["LocalExecutor", "ShardHost", "reshard"]
