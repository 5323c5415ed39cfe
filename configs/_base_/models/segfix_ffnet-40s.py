# SegFix on the slim FFNet backbone for mobile devices (finest features at stride 4).
_base_ = './segfix_hrnet2x.py'
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    backbone=dict(_delete_=True, type='mmrefine.FFNetResNet', arch='40S', norm_cfg=norm_cfg),
    decode_head=dict(in_channels=[64, 128, 192, 320], in_index=[0, 1, 2, 3]),
)
