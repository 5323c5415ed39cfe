# COCO images with the finer masks of LVIS. Coarse masks need LVIS category ids.
_base_ = './bpr_hrnet-w18s_4xb8-160k_coco-64to128.py'
train_dataloader = dict(
    dataset=dict(
        ann_file='annotations/lvis_v1_train.json',
        coarse='results/mask_rcnn_r50_lvis.train.segm.json',
        data_prefix=dict(img_path=''),
    )
)
val_dataloader = dict(
    dataset=dict(
        ann_file='annotations/lvis_v1_val.json',
        coarse='results/mask_rcnn_r50_lvis.val.segm.json',
        data_prefix=dict(img_path=''),
    )
)
test_dataloader = val_dataloader
