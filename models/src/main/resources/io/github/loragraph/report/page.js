'use strict';
(() => {
  // Tables: a click on a heading sorts, numbers by their value, words by the alphabet.
  for (const table of document.querySelectorAll('table.sortable')) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const value = (row, i) => {
      const cell = row.cells[i];
      const v = cell.dataset.v;
      return v === undefined ? cell.textContent.trim() : v === '' ? null : Number(v);
    };
    heads.forEach((head, i) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      head.setAttribute('aria-sort', 'none');
      button.addEventListener('click', () => {
        const down = head.getAttribute('aria-sort') !== 'descending';
        const first = body.rows.length ? value(body.rows[0], i) : null;
        const up = head.getAttribute('aria-sort') === 'none' && typeof first === 'string' ? true : !down;
        heads.forEach(h => h.setAttribute('aria-sort', 'none'));
        head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
        const sign = up ? 1 : -1;
        [...body.rows]
          .map((row, n) => ({row, n, v: value(row, i)}))
          .sort((a, b) => {
            // What is not there comes last in both directions.
            if (a.v === null || a.v === '' || b.v === null || b.v === '') {
              const none = x => x === null || x === '';
              return none(a.v) - none(b.v) || a.n - b.n;
            }
            const c = typeof a.v === 'number' && typeof b.v === 'number'
              ? a.v - b.v : String(a.v).localeCompare(String(b.v), undefined, {numeric: true});
            return sign * c || a.n - b.n;
          })
          .forEach(e => body.append(e.row));
      });
    });
  }

  // Charts: a cursor with the values beside it, by mouse, touch or arrow keys.
  const short = v => {
    const a = Math.abs(v);
    return a !== 0 && (a < 1e-3 || a >= 1e7) ? v.toExponential(3) : a >= 1e4 ? Math.round(v).toLocaleString('en') : String(+v.toFixed(4));
  };
  for (const plot of document.querySelectorAll('.plot[data-x0]')) {
    const area = plot.querySelector('.area');
    const d = plot.dataset;
    const [x0, x1, y0, y1] = [d.x0, d.x1, d.y0, d.y1].map(Number);
    let lines = null;
    const load = () => lines = lines || [...area.querySelectorAll('path.line')].map(path => ({
      name: path.dataset.name,
      points: path.getAttribute('d').split(/[ML]/).filter(s => s).map(s => s.split(' ').map(Number)),
    }));
    const cursor = document.createElement('div');
    const tip = document.createElement('div');
    cursor.className = 'cursor';
    tip.className = 'tip';
    tip.setAttribute('role', 'status');
    let at = null;
    const hide = () => { cursor.remove(); tip.remove(); at = null; };
    const show = x => {
      let snap = null;
      const near = load().map(line => {
        let best = null;
        for (const p of line.points) {
          if (best === null || Math.abs(p[0] - x) < Math.abs(best[0] - x)) best = p;
        }
        if (best && (snap === null || Math.abs(best[0] - x) < Math.abs(snap - x))) snap = best[0];
        return {line, best};
      }).filter(n => n.best);
      if (snap === null) return;
      at = snap;
      tip.replaceChildren();
      const head = document.createElement('div');
      head.textContent = d.x + ' ' + Math.round(x0 + snap / 10000 * (x1 - x0)).toLocaleString('en');
      tip.append(head);
      near.filter(n => Math.abs(n.best[0] - snap) < 400).slice(0, 12).forEach(n => {
        const row = document.createElement('div');
        const figure = document.createElement('b');
        figure.textContent = short(y0 + (10000 - n.best[1]) / 10000 * (y1 - y0));
        row.append(n.line.name + ': ', figure);
        tip.append(row);
      });
      cursor.style.left = snap / 100 + '%';
      tip.style.left = tip.style.right = '';
      tip.style[snap < 5000 ? 'left' : 'right'] = 'calc(' + (snap < 5000 ? snap : 10000 - snap) / 100 + '% + 8px)';
      tip.style.top = '4px';
      area.append(cursor, tip);
    };
    area.addEventListener('pointermove', e => {
      const box = area.getBoundingClientRect();
      show((e.clientX - box.left) / box.width * 10000);
    });
    area.addEventListener('pointerleave', hide);
    plot.addEventListener('blur', hide);
    plot.addEventListener('keydown', e => {
      if (e.key === 'Escape') return hide();
      const way = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
      if (!way) return;
      e.preventDefault();
      const xs = [...new Set(load().flatMap(l => l.points.map(p => p[0])))].sort((a, b) => a - b);
      const next = at === null ? (way > 0 ? xs[0] : xs[xs.length - 1])
        : way > 0 ? xs.find(x => x > at) : xs.findLast(x => x < at);
      if (next !== undefined) show(next);
    });
  }

  // A configuration in a table or legend lights up its lines.
  const lit = look => {
    document.body.classList.toggle('lit', look !== null);
    document.querySelectorAll('.on').forEach(e => e.classList.remove('on'));
    if (look === null) return;
    const n = Number(look);
    document.querySelectorAll('.area .line[data-look="' + n + '"],.area .dots[data-look="' + n + '"]').forEach(e => e.classList.add('on'));
    document.querySelectorAll('tr[data-look="' + n + '"],li[data-look="' + n + '"]').forEach(e => e.classList.add('on'));
  };
  for (const e of document.querySelectorAll('tr[data-look],li[data-look]')) {
    e.addEventListener('pointerenter', () => lit(e.dataset.look));
    e.addEventListener('pointerleave', () => lit(null));
  }
})();
