# The network that ships: shift and scale of tiles of 32×32, from drawn label maps alone.
_base_ = [
    '../_base_/datasets/drawn_inverse-net.py',
    '../_base_/default_runtime.py',
    '../_base_/schedules/schedule_inverse-net.py',
]
model = dict(
    type='mmrefine.InverseTransformNet', tile_size=_base_.tile_size, num_outputs=4, hidden=(900, 32)
)
visualizer = None
randomness = dict(seed=0)
