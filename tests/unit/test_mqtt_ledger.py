"""Acknowledgements go out in the order in which messages came."""

from hypothesis import given
from hypothesis import strategies as st

from adapters.mqtt.ledger import Ack, AckLedger


def test_a_later_commit_waits_for_the_earlier_one() -> None:
    ledger = AckLedger()
    first, second, third = (ledger.open([Ack(n, 1)], now=n) for n in (1, 2, 3))
    assert ledger.age(5) == 4
    assert ledger.settle(second) == []
    assert ledger.settle(first) == [Ack(1, 1), Ack(2, 1)]
    assert ledger.settle(third) == [Ack(3, 1)]
    assert ledger.age(5) == 0


@given(order=st.permutations(range(8)))
def test_any_order_of_commits_acknowledges_all_in_order(order: list[int]) -> None:
    ledger = AckLedger()
    batches = [ledger.open([Ack(2 * n, 1), Ack(2 * n + 1, 1)], now=n) for n in range(8)]
    sent = [ack.mid for n in order for ack in ledger.settle(batches[n])]
    assert sent == list(range(16))
