// The page: uploads files, waits for its turn, shows what came out.
'use strict';

const $ = (id) => document.getElementById(id);
const OWN = {'x-mmrefine': '1'};
const files = {images: [], masks: []};
let drawn = false;
let job = null;

function say(text, bad = false) {
  $('status').textContent = text;
  $('status').classList.toggle('bad', bad);
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, {...options, headers: OWN});
  } catch {
    throw new Error('the server does not answer; is mmrefine app still running?');
  }
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}

// Files ----------------------------------------------------------------------------------------

for (const kind of ['images', 'masks']) {
  const zone = $(kind).closest('.drop');
  const empty = $(`${kind}-text`).textContent;
  const take = (list) => {
    files[kind] = [...list];
    const names = files[kind].map((file) => file.name);
    const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
    $(`${kind}-text`).textContent = names.length ? names.slice(0, 3).join(', ') + more : empty;
    if (kind === 'images') showPhoto();
    else if (names.length) closeDrawing();
  };
  $(kind).addEventListener('change', (event) => take(event.target.files));
  zone.addEventListener('dragover', (event) => { event.preventDefault(); zone.classList.add('over'); });
  zone.addEventListener('dragleave', () => zone.classList.remove('over'));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('over');
    take(event.dataTransfer.files);
  });
}

// Drawing --------------------------------------------------------------------------------------

const canvas = $('canvas');
const pen = canvas.getContext('2d');
let last = null;

function showPhoto() {
  closeDrawing();
  $('draw').disabled = files.images.length !== 1;
  URL.revokeObjectURL($('photo').src);
  if (files.images.length === 1) $('photo').src = URL.createObjectURL(files.images[0]);
}

function closeDrawing() {
  $('drawing').hidden = true;
  drawn = false;
}

$('photo').addEventListener('load', () => {
  canvas.width = $('photo').naturalWidth;
  canvas.height = $('photo').naturalHeight;
});

$('draw').addEventListener('click', () => {
  $('drawing').hidden = false;
  $('result').hidden = true;
  drawn = true;
  files.masks = [];
  $('masks-text').textContent = 'the one that is drawn';
});

$('clear').addEventListener('click', () => pen.clearRect(0, 0, canvas.width, canvas.height));

function paint(event) {
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const at = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  pen.globalCompositeOperation = $('erase').checked ? 'destination-out' : 'source-over';
  pen.strokeStyle = '#e69f00';
  pen.lineWidth = $('brush').value * scale;
  pen.lineCap = 'round';
  pen.beginPath();
  pen.moveTo(...(last || at));
  pen.lineTo(...at);
  pen.stroke();
  last = at;
}

canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  last = null;
  paint(event);
});
canvas.addEventListener('pointermove', (event) => { if (event.buttons) paint(event); });

// What is painted, as a mask of 0 and 255 in all colours.
function drawnMask() {
  const picture = pen.getImageData(0, 0, canvas.width, canvas.height);
  const values = picture.data;
  for (let i = 0; i < values.length; i += 4) {
    values[i] = values[i + 1] = values[i + 2] = values[i + 3] > 127 ? 255 : 0;
    values[i + 3] = 255;
  }
  const sheet = document.createElement('canvas');
  [sheet.width, sheet.height] = [canvas.width, canvas.height];
  sheet.getContext('2d').putImageData(picture, 0, 0);
  return new Promise((done) => { sheet.toBlob(done, 'image/png'); });
}

// Refining -------------------------------------------------------------------------------------

$('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  $('refine').disabled = true;
  try {
    await refine();
  } catch (error) {
    say(error.message, true);
  }
  $('refine').disabled = false;
});

async function refine() {
  if (!files.images.length) throw new Error('give an image first');
  if (!drawn && !files.masks.length) throw new Error('give masks, or draw a rough one');
  $('result').hidden = true;
  const masks = drawn ? [{name: 'drawn.png', body: await drawnMask()}]
    : files.masks.map((file) => ({name: file.name, body: file}));
  const uploads = [
    ...files.images.map((file) => ['images', file.name, file]),
    ...masks.map(({name, body}) => ['masks', name, body]),
  ];
  const size = uploads.reduce((sum, [, , body]) => sum + body.size, 0);
  if (size > settings.upload_bytes) {
    throw new Error(`the files are too large, expected ${settings.upload_bytes / 2 ** 20} MB together at most`);
  }
  const {token} = await ask('jobs', {method: 'POST'});
  for (const [kind, name, body] of uploads) {
    say(`uploading ${name}`);
    await ask(`jobs/${token}/${kind}/${encodeURIComponent(name)}`, {method: 'PUT', body});
  }
  const how = new URLSearchParams({method: $('method').value, resize: $('resize').checked ? '1' : '0'});
  await ask(`jobs/${token}/start?${how}`, {method: 'POST'});
  show(token, await finished(token));
}

async function finished(token) {
  for (;;) {
    const now = await ask(`jobs/${token}`);
    if (now.state === 'failed') throw new Error(now.message);
    if (now.state === 'done') return now;
    if (now.state === 'waiting') say(now.before ? `waiting, ${now.before} before you` : 'waiting');
    else say(now.total > 1 ? `refining, ${now.done} of ${now.total} images` : 'refining');
    await new Promise((done) => { setTimeout(done, 400); });
  }
}

// Result ---------------------------------------------------------------------------------------

function show(token, state) {
  job = {token, ...state};
  say('done');
  $('drawing').hidden = true;
  $('result').hidden = false;
  $('download').href = `jobs/${token}/result`;
  $('download').download = state.result;
  $('download').textContent = `Download ${state.result}`;
  $('image').replaceChildren(...state.views.map((view, index) => new Option(view.name, index)));
  $('choose').hidden = state.views.length < 2;
  $('notes').replaceChildren(...state.notes.map((note) => {
    const item = document.createElement('li');
    item.textContent = note;
    return item;
  }));
  showImage(0);
}

async function showImage(index) {
  const view = job.views[index];
  const place = `jobs/${job.token}/views/${index}`;
  $('picture').src = `${place}/image.jpg`;
  $('picture').alt = view.name;
  $('changed').src = `${place}/changed.png`;
  $('sure').hidden = !view.confidence;
  if (view.confidence) $('confidence').src = `${place}/confidence.png`;
  else $('confidence').removeAttribute('src');
  $('facts').textContent = `${view.changed.toLocaleString('en')} pixels changed.`;
  const {size, before, after} = await ask(`${place}/outlines.json`);
  for (const [id, path] of [['before', before], ['after', after]]) {
    $(id).setAttribute('viewBox', `0 0 ${size.join(' ')}`);
    $(id).firstElementChild.setAttribute('d', path);
  }
  showLayers();
}

function showLayers() {
  const on = (layer) => document.querySelector(`[data-layer=${layer}]`).checked;
  $('before').style.display = $('after').style.display = on('outlines') ? '' : 'none';
  $('changed').hidden = !on('changed');
  $('confidence').hidden = !on('confidence') || !$('confidence').hasAttribute('src');
}

$('image').addEventListener('change', (event) => showImage(Number(event.target.value)));
document.querySelectorAll('[data-layer]').forEach((box) => box.addEventListener('change', showLayers));
$('slider').addEventListener('input', (event) => {
  $('sheet').style.setProperty('--at', `${event.target.value}%`);
});

// Zooms by powers of two around the middle of what is seen.
function zoomTo(power) {
  const [stage, sheet] = [$('stage'), $('sheet')];
  const middle = [
    (stage.scrollLeft + stage.clientWidth / 2) / sheet.offsetWidth,
    (stage.scrollTop + stage.clientHeight / 2) / sheet.offsetHeight,
  ];
  $('zoom').value = power;
  sheet.style.setProperty('--zoom', 2 ** $('zoom').value);
  sheet.classList.toggle('close', $('zoom').value >= 2);
  stage.scrollLeft = middle[0] * sheet.offsetWidth - stage.clientWidth / 2;
  stage.scrollTop = middle[1] * sheet.offsetHeight - stage.clientHeight / 2;
}

$('zoom').addEventListener('input', (event) => zoomTo(Number(event.target.value)));
$('stage').addEventListener('wheel', (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoomTo(Number($('zoom').value) - Math.sign(event.deltaY) / 4);
}, {passive: false});

// Start ----------------------------------------------------------------------------------------

let settings = {methods: [], upload_bytes: Infinity};
ask('settings').then((found) => {
  settings = found;
  $('method').replaceChildren(...found.methods.map((name) => new Option(name)));
}, (error) => say(error.message, true));
