"""What pending transactions are said to do is what their receipts then show, to the last unit."""

from __future__ import annotations

import os
import random

from tests.devnet.arena import arena
from tests.devnet.foretold import KINDS, Play
from trio_mev.chain.effects import Revert, Verdict

TRANSACTIONS = int(os.environ.get("EFFECTS", "520"))
SEED = int(os.environ.get("EFFECTS_SEED", "6"))


async def test_transactions_do_what_is_said_of_them():
    """Every amount in every pool, every revert, and the pools after each block."""
    rng = random.Random(SEED)
    async with arena() as place:
        play = Play(place, rng)
        await play.start()
        while play.kinds.total() < TRANSACTIONS:
            kinds = [*KINDS]
            rng.shuffle(kinds)
            while kinds:
                await play.block(kinds)
            await play.check_all()
    seen = play.seen
    assert set(play.kinds) == set(KINDS)
    assert seen[Verdict.SUCCEEDS] > TRANSACTIONS / 2
    assert seen[Revert.LIMIT] > TRANSACTIONS / 10
    assert min(seen[one] for one in (Revert.DEADLINE, Revert.POOL, Revert.JOINT_LIMIT)) > 0
    assert min(seen[one] for one in ("partial", "undone", Revert.LOCKED)) > 0
    assert play.swaps > TRANSACTIONS
