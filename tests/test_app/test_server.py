"""The page's server: files in, the same kind out; limits, queue, and nothing else to reach."""

import io
import json
import zipfile

import cv2
import numpy as np
import pytest

from mmrefine.app.jobs import Limits
from mmrefine.ops.run_lengths import encode_mask

from .conftest import png


def decoded(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)


def shifted(array: np.ndarray) -> np.ndarray:
    refined = array.copy()
    refined[1:] = array[:-1]
    return refined


def test_a_label_map_comes_back_in_its_form_whatever_it_is_called(serve, shift, photo, labels):
    served = serve({'shift': shift})
    token = served.begin({'images/photo.png': photo, 'masks/any%20name.png': png(labels)})
    state = served.finished(token)
    assert (state['state'], state['result']) == ('done', 'any name.png')
    (view,) = state['views']
    assert view == dict(name='photo.png', changed=2 * (25 + 4), confidence=False)
    status, content = served.ask(f'jobs/{token}/result')
    assert status == 200
    np.testing.assert_array_equal(decoded(content), shifted(labels))
    status, content = served.ask(f'jobs/{token}/views/0/image.jpg')
    assert decoded(content).shape == (40, 60, 3)
    assert json.loads(served.ask(f'jobs/{token}/views/0/outlines.json')[1])['size'] == [60, 40]
    assert served.ask(f'jobs/{token}/views/0/confidence.png')[0] == 404


def test_a_mask_of_0_and_255_is_refined(serve, shift, photo, labels):
    served = serve({'shift': shift})
    mask = np.where(labels == 1, 255, 0).astype(np.uint8)
    token = served.begin({'images/photo.png': photo, 'masks/drawn.png': png(mask)})
    assert served.finished(token)['state'] == 'done'
    np.testing.assert_array_equal(decoded(served.ask(f'jobs/{token}/result')[1]), shifted(mask))


def test_several_label_maps_come_back_as_an_archive(serve, shift, photo, labels):
    served = serve({'shift': shift})
    uploads = {f'images/{n}.png': photo for n in 'abc'}
    uploads |= {f'masks/{n}.png': png(np.roll(labels, 3 * i, 1)) for i, n in enumerate('abc')}
    token = served.begin(uploads)
    state = served.finished(token)
    assert [view['name'] for view in state['views']] == ['a.png', 'b.png', 'c.png']
    with zipfile.ZipFile(io.BytesIO(served.ask(f'jobs/{token}/result')[1])) as archive:
        assert archive.namelist() == ['a.png', 'b.png', 'c.png']
        found = decoded(archive.read('b.png'))
    np.testing.assert_array_equal(found, shifted(np.roll(labels, 3, 1)))


@pytest.mark.parametrize('annotations', [False, True])
def test_coco_files_stay_coco_files(serve, shift, photo, labels, annotations):
    served = serve({'shift': shift})
    entry = dict(image_id=7, category_id=1, segmentation=encode_mask(labels == 1))
    if annotations:
        image = dict(id=7, file_name='photo.png', height=40, width=60)
        entry |= dict(id=1, iscrowd=0, area=250, bbox=[15, 10, 25, 10])
        content = dict(images=[image], annotations=[entry], categories=[dict(id=1, name='a')])
    else:
        content = [entry | dict(score=0.5)]  # of one image, which needs no name
    uploads = {'images/photo.png': photo, 'masks/r.segm.json': json.dumps(content).encode()}
    token = served.begin(uploads)
    state = served.finished(token)
    assert (state['state'], state['result']) == ('done', 'r.segm.json'), state
    refined = json.loads(served.ask(f'jobs/{token}/result')[1])
    mask = (refined['annotations'] if annotations else refined)[0]['segmentation']
    assert mask == encode_mask(shifted(labels == 1))


@pytest.mark.parametrize(
    ('uploads', 'text'),
    [
        ({'images/a.png': b'no image', 'masks/m.png': b'x'}, 'a.png: is not an image, or is inc'),
        ({'images/a.png': None, 'masks/m.png': b'x'}, 'm.png: is not an image, or is incomplete'),
        ({'images/a.png': None, 'masks/m.json': b'{"a": 1}'}, 'm.json: expected COCO results'),
        ({'images/a.png': None}, 'there are no masks: give at least one file'),
        ({'images/a.png': None, 'masks/m.txt': b'x', 'masks/m.json': b'[]'}, 'files of one kind'),
        (
            {'images/a.png': None, 'masks/m.png': png(np.ones((3, 4), np.uint8))},
            'expected the size',
        ),
    ],
)
def test_one_message_for_what_cannot_be_read(serve, shift, photo, uploads, text):
    served = serve({'shift': shift})
    uploads = {name: photo if content is None else content for name, content in uploads.items()}
    state = served.finished(served.begin(uploads))
    assert state['state'] == 'failed'
    assert text in state['message']
    assert 'mmrefine-app' not in state['message'], 'a place of this machine'
    assert len(state['message'].splitlines()) == 1


def test_masks_of_another_size_are_resized_where_that_is_ticked(serve, shift, photo, labels):
    served = serve({'shift': shift})
    uploads = {'images/photo.png': photo, 'masks/m.png': png(labels[::2, ::2])}
    message = served.finished(served.begin(uploads))['message']
    assert message.endswith('got 20x30; tick "resize masks" to bring it to that')
    token = served.begin(uploads, 'shift&resize=1')
    assert served.finished(token)['state'] == 'done'
    enlarged = np.repeat(np.repeat(labels[::2, ::2], 2, 0), 2, 1)
    np.testing.assert_array_equal(decoded(served.ask(f'jobs/{token}/result')[1]), shifted(enlarged))


def test_no_file_comes_back_where_no_mask_could_be_refined(serve, shift, photo):
    served = serve({'shift': shift})
    mask = dict(size=[40, 60], counts='hello')
    results = json.dumps([dict(image_id=7, category_id=1, score=1, segmentation=mask)])
    token = served.begin({'images/photo.png': photo, 'masks/r.json': results.encode()})
    state = served.finished(token)
    assert state['state'] == 'failed'
    assert 'r.json: entry 0' in state['message']
    assert served.ask(f'jobs/{token}/result')[0] == 404


def test_limits(serve, shift, photo, labels):
    served = serve({'shift': shift}, Limits(upload_bytes=len(photo) + 50, pixels=2000, jobs=3))
    token = served.begin({'images/photo.png': photo, 'masks/m.npy': b'x'})
    message = served.finished(token)['message']
    assert message == 'photo.png: has 60x40 pixels, expected 0 megapixels at most'
    token = served.data('jobs', 'POST')['token']
    assert served.ask(f'jobs/{token}/images/a.png', 'PUT', photo)[0] == 200
    status, answer = served.ask(f'jobs/{token}/masks/m.png', 'PUT', b'x' * 51)
    assert status == 413
    assert b'the files are too large' in answer
    assert served.ask(f'jobs/{token}/masks/m.pkl', 'PUT', b'x')[0] == 400, 'pickles run programs'
    assert served.ask('jobs', 'POST')[0] == 200
    # The first one is finished and gives way; those that are open stay.
    assert served.ask('jobs', 'POST')[0] == 200
    assert served.ask('jobs', 'POST')[0] == 413


def test_users_wait_for_their_turn(serve, shift, photo, labels):
    served = serve({'shift': shift})
    uploads = {'images/photo.png': photo, 'masks/m.png': png(labels)}
    shift.gate.clear()
    tokens = [served.begin(uploads) for _ in range(3)]
    states = [served.data(f'jobs/{token}') for token in tokens]
    assert [state['before'] for state in states] == [0, 1, 2]
    assert states[2]['state'] == 'waiting'
    assert served.ask(f'jobs/{tokens[2]}/result')[0] == 404
    shift.gate.set()
    assert [served.finished(token)['state'] for token in tokens] == ['done'] * 3


def test_nothing_else_can_be_reached(serve, shift, photo, labels):
    served = serve({'shift': shift})
    token = served.begin({'images/photo.png': photo, 'masks/m.png': png(labels)})
    assert served.finished(token)['state'] == 'done'
    for path in (
        '../jobs.py',
        'jobs.py',
        f'jobs/{token}/views/0/..%2F..%2Fimages%2Fphoto.png',
        f'jobs/{token}/views/0/%2Fetc%2Fpasswd',
        f'jobs/{token}/views/1/image.jpg',
        f'jobs/{token}/images/photo.png',
        'jobs/another-token/result',
    ):
        assert served.ask(path)[0] in (404, 405), path
    token = served.data('jobs', 'POST')['token']
    name = served.data(f'jobs/{token}/images/..%2F..%2Fevil.png', 'PUT', photo)['name']
    assert name == 'evil.png'
    assert {p.name for p in served.jobs.get(token).folder.rglob('*')} == {'images', 'evil.png'}
    status, _ = served.ask(f'jobs/{token}/folder/a.png', 'PUT', photo)
    assert status == 404


def test_other_sites_cannot_use_it(serve, shift):
    served = serve({'shift': shift})
    assert served.ask('', Host='evil.example')[0] == 400, 'a name that leads here by rebinding'
    request_without_header = served.ask('jobs', 'POST', None, **{'x-mmrefine': ''})
    assert request_without_header[0] in (200, 403)
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f'{served.url}/jobs', b'', method='POST'), timeout=60)
    assert refused.value.code == 403
    with urlopen(served.url, timeout=60) as page:
        assert "default-src 'self'" in page.headers['Content-Security-Policy']
        assert 'http' not in page.read().decode(), 'the page fetches nothing from elsewhere'


def test_files_go_away(serve, shift, photo, labels):
    served = serve({'shift': shift}, Limits(seconds=0))
    token = served.begin({'images/photo.png': photo, 'masks/m.png': png(labels)})
    assert served.finished(token)['state'] == 'done'
    folder = served.jobs.get(token).folder
    assert served.ask('jobs', 'POST')[0] == 200
    assert not folder.exists()
    assert served.ask(f'jobs/{token}')[0] == 404
