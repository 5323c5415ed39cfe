# A second head learns edges (Figure 2b).
_base_ = './semeda_deeplabv2-r101-cross-entropy_1xb10-20k_voc-321x321.py'
model = dict(
    auxiliary_head=dict(
        type='mmrefine.EdgeHead',
        in_channels=256,
        in_index=0,
        channels=64,
        num_convs=1,
        concat_input=False,
        norm_cfg=_base_.norm_cfg,
        align_corners=False,
        loss_decode=dict(
            type='mmrefine.BalancedCrossEntropyLoss', loss_weight=0.4, loss_name='loss_edge'
        ),
    ),
)
