# A second head learns edges from the backbone's finest features (Figure 2b).
_base_ = './semeda_fcn-hrnet-mini-cross-entropy_1xb8-200_camvid-half-160x224.py'
model = dict(
    auxiliary_head=dict(
        type='mmrefine.EdgeHead',
        in_channels=16,
        in_index=0,
        channels=32,
        num_convs=1,
        concat_input=False,
        norm_cfg=_base_.norm_cfg,
        align_corners=False,
        loss_decode=dict(
            type='mmrefine.BalancedCrossEntropyLoss', loss_weight=0.4, loss_name='loss_edge'
        ),
    ),
)
