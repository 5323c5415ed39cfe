// The report's page: theme, sliders, and the table of all images.
'use strict';

document.getElementById('theme').addEventListener('click', () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
});

document.addEventListener('input', (event) => {
  const slider = event.target.closest('.slider');
  if (slider) slider.style.setProperty('--at', `${event.target.value}%`);
});

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const data = document.getElementById('data');
if (data) showImages(JSON.parse(data.textContent));

function showImages({names, images}) {
  const table = document.getElementById('images');
  const [head, body] = [table.tHead, table.tBodies[0]];
  const [search, chosen] = [document.getElementById('search'), document.getElementById('class')];
  const columns = columnsOf(names);
  let sorted = {column: columns.length - 1, down: true};
  let open = null;

  const heads = columns.map((column, index) => {
    const button = make('button', {type: 'button'}, column.title);
    button.addEventListener('click', () => {
      const same = sorted.column === index;
      sorted = {column: index, down: same ? !sorted.down : index > 0};
      draw();
    });
    return make('th', {class: index ? '' : 'name', scope: 'col'}, button);
  });
  head.append(make('tr', {}, ...heads));

  function rows() {
    const text = search.value.trim().toLowerCase();
    const label = chosen ? chosen.value : '';
    const counts = (image) => (label === '' ? image.counts : image.classes[label]);
    const found = images
      .filter((image) => image.name.toLowerCase().includes(text) && counts(image))
      .map((image) => ({image, values: columns.map((c) => c.value(image.name, counts(image)))}));
    const sign = sorted.down ? -1 : 1;
    return found.sort((a, b) => {
      const [x, y] = [a.values[sorted.column], b.values[sorted.column]];
      return sign * (typeof x === 'string' ? x.localeCompare(y, 'en', {numeric: true}) : x - y);
    });
  }

  function draw() {
    const shown = rows();
    heads.forEach((th, index) => {
      if (index !== sorted.column) th.removeAttribute('aria-sort');
      else th.setAttribute('aria-sort', sorted.down ? 'descending' : 'ascending');
    });
    const lines = shown.flatMap(({image, values}) => {
      const line = make('tr', image === open ? {class: 'open'} : {}, ...values.map((value, index) => (
        index ? numberCell(columns[index], value) : nameCell(image)
      )));
      return image === open ? [line, detail(image)] : [line];
    });
    body.replaceChildren(...lines);
    document.getElementById('count').textContent = `${shown.length} of ${images.length} images`;
  }

  function nameCell(image) {
    if (!image.picture) return make('td', {class: 'name'}, image.name);
    const button = make('button', {type: 'button', 'aria-expanded': image === open}, image.name);
    button.addEventListener('click', () => {
      open = image === open ? null : image;
      draw();
    });
    return make('td', {class: 'name'}, button);
  }

  function detail(image) {
    const {caption, panels} = image.picture;
    const [[before, first], [after, second], [change, third]] = panels;
    const range = make('input', {
      type: 'range', min: 0, max: 100, value: 50, 'aria-label': `from ${before} to ${after}`,
    });
    const slider = make('div', {class: 'slider'},
      make('img', {src: second, alt: `${image.name}, ${after}`}),
      make('img', {src: first, alt: `${image.name}, ${before}`, class: 'over'}), range);
    return make('tr', {class: 'detail'}, make('td', {colspan: columns.length},
      make('p', {class: 'soft'}, caption),
      make('div', {class: 'panels'},
        make('figure', {}, slider, make('figcaption', {}, make('span', {}, before), make('span', {}, after))),
        make('figure', {}, make('img', {src: third, alt: `${image.name}, ${change}`}),
          make('figcaption', {}, change)))));
  }

  search.addEventListener('input', draw);
  if (chosen) chosen.addEventListener('change', draw);
  draw();
}

// Counts are: judged pixels, then wrong, fixed and broken ones of each prediction.
function columnsOf(names) {
  const number = names.length;
  const share = (part, counts) => (counts[0] ? 100 * part / counts[0] : 0);
  const columns = [
    {title: 'Image', value: (name) => name},
    {title: 'pixels', value: (name, counts) => counts[0], digits: 0},
  ];
  names.forEach((name, p) => columns.push({
    title: `wrong in ${name}, %`, value: (_, counts) => share(counts[1 + p], counts), digits: 2,
  }));
  for (let p = 1; p < number; p += 1) {
    const [fixed, broken] = [1 + number + p, 1 + 2 * number + p];
    columns.push(
      {title: `fixed by ${names[p]}`, value: (_, counts) => counts[fixed], digits: 0},
      {title: `broken by ${names[p]}`, value: (_, counts) => counts[broken], digits: 0},
      {title: `gain of ${names[p]}, points`, digits: 2, signed: true,
        value: (_, counts) => share(counts[fixed] - counts[broken], counts)},
    );
  }
  return columns;
}

function numberCell({digits, signed}, value) {
  const text = value.toLocaleString('en', {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
    signDisplay: signed ? 'exceptZero' : 'auto',
  });
  if (!signed) return make('td', {}, text);
  const side = value < 0 ? 'worse' : 'better';
  return make('td', {}, make('span', value ? {class: side} : {}, text.replace('-', '\u2212')));
}
