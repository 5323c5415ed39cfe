# IFA asked at every pixel: nothing is upsampled.
_base_ = './ifa_hrnet-mini_1xb8-200_camvid-half-160x224.py'
model = dict(decode_head=dict(query_size='image'))
