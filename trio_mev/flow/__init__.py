"""When: lanes, pumps, supervision. Concurrency that knows events but not Ethereum."""
