from trainer.data.pipeline.order import epoch_order


def test_an_order_holds_every_number_once():
    assert sorted(epoch_order(100, seed=1, epoch=2).numpy()) == list(range(100))


def test_an_order_never_changes():
    """Written down from the first release on: a run is repeated years later."""
    assert epoch_order(8, seed=1, epoch=2).numpy().tolist() == [1, 6, 2, 5, 4, 7, 3, 0]


def test_seeds_epochs_and_blocks_have_orders_of_their_own():
    of = [epoch_order(100, 0, 0), epoch_order(100, 1, 0), epoch_order(100, 0, 1)]
    orders = {tuple(order.numpy()) for order in [*of, epoch_order(100, 0, 0, block=1)]}
    assert len(orders) == 4
