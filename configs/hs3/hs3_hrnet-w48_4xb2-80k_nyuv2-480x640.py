# Thirteen coarse kinds of things, until tools/derive_clusters.py has found those of your probe: put
# its file in their place, dict(label_map='clusters.json', layer=0) and layer=1.
label_map = [0, 1, 2, 3, 4, 5, 6, 0, 7, 2, 8, 2, 7, 6, 2, 7, 2, 9, 8, 1]
label_map += [9, 10, 11, 2, 12, 9, 9, 7, 9, 8, 9, 2, 2, 2, 9, 2, 9, 0, 2, 9]
clusters = dict(label_map=label_map)
_base_ = './hs3_hrnet-w48-probe_4xb2-80k_nyuv2-480x640.py'
stages = _base_.model.auxiliary_head
model = dict(auxiliary_head=[dict(stages[0], **clusters), dict(stages[1], **clusters)])
