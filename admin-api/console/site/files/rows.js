import { useEffect, useRef, useState } from 'preact/hooks';
import { downloadHref } from '../door.js';
import { size, when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { Name } from '../parts/name.js';
import { folderHref } from '../store.js';
import { t } from '../words/words.js';
import { iconOf, lastSegment } from './names.js';

/** @typedef {import('./listing.js').Entry} Entry */
/** @typedef {import('./listing.js').Order} Order */

/** What can be done with entries. @typedef {{ open: (entry: Entry) => void, details: (entry: Entry) => void, versions: (entry: Entry) => void, share: (entry: Entry) => void,
 *   rename: (entry: Entry) => void, place: (entries: Entry[], how: 'move' | 'copy') => void, remove: (entries: Entry[]) => void, zip: (entries: Entry[]) => string }} Acts */

/** Rows that are drawn above and below those that are seen. */
const OVERSCAN = 20;

/** Height of a row until one was measured, in pixels. */
const ROW_HEIGHT = 37;

/** Which rows are seen, as the page scrolls. @param {{ current: HTMLTableSectionElement | null }} body @param {number} count */
function useWindow(body, count) {
  const [height, setHeight] = useState(ROW_HEIGHT);
  const [range, setRange] = useState({ from: 0, to: 60 });
  useEffect(() => {
    let waits = false;
    const look = () => {
      waits = false;
      const box = body.current;
      if (!box) return;
      const row = box.querySelector('tr[data-index]');
      const tall = row?.getBoundingClientRect().height || ROW_HEIGHT;
      if (Math.abs(tall - height) > 0.5) setHeight(tall);
      const above = -box.getBoundingClientRect().top;
      const from = Math.max(0, Math.floor(above / tall) - OVERSCAN);
      const to = Math.min(count, Math.ceil((above + innerHeight) / tall) + OVERSCAN);
      setRange((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    const soon = () => {
      if (waits) return;
      waits = true;
      requestAnimationFrame(look);
    };
    look();
    addEventListener('scroll', soon, { passive: true });
    addEventListener('resize', soon);
    return () => {
      removeEventListener('scroll', soon);
      removeEventListener('resize', soon);
    };
  }, [count, height]);
  return { height, from: Math.min(range.from, count), to: Math.min(range.to, count) };
}

/**
 * The rows of a folder: a grid in which the arrows move (APG, "Grid"), of which only what is seen is drawn.
 * @param {{ bucket: string, label: string, base: string | null, listing: import('./listing.js').Listing, order: Order, setOrder: ((order: Order) => void) | null, selected: Map<string, Entry>, select: (keys: Map<string, Entry>) => void,
 *   versioned: boolean, acts: Acts, keys: Record<string, () => void> }} props
 */
export function Rows({ bucket, label, base, listing, order, setOrder, selected, select, versioned, acts, keys: pageKeys }) {
  const [focus, setFocus] = useState(0);
  const last = useRef(0);
  const wanted = useRef(-1);
  const body = useRef(/** @type {HTMLTableSectionElement | null} */ (null));
  const { count } = listing;
  const seen = useWindow(body, count);
  const current = Math.max(0, Math.min(focus, count - 1));
  const indexes = Array.from({ length: seen.to - seen.from }, (_, index) => seen.from + index);
  // The row with the focus stays, wherever the page is scrolled to.
  if (current < seen.from) indexes.unshift(current);
  if (current >= seen.to && current < count) indexes.push(current);

  useEffect(() => listing.ensure(seen.from, seen.to));
  useEffect(() => {
    if (wanted.current === -1) return;
    const row = /** @type {HTMLElement | null | undefined} */ (body.current?.querySelector(`tr[data-index="${wanted.current}"]`));
    if (!row) return;
    wanted.current = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
  });

  /** @param {number} index */
  const move = (index) => {
    const to = Math.max(0, Math.min(count - 1, index));
    wanted.current = to;
    setFocus(to);
    const top = (body.current?.getBoundingClientRect().top ?? 0) + to * seen.height;
    if (top < 120 || top > innerHeight - 80) scrollBy(0, top - innerHeight / 2);
  };

  /** @param {number} index @param {boolean} through */
  const toggle = (index, through) => {
    const keys = new Map(selected);
    const entry = listing.get(index);
    if (through) {
      const [from, to] = [Math.min(last.current, index), Math.max(last.current, index)];
      for (let at = from; at <= to; at += 1) {
        const one = listing.get(at);
        if (one) keys.set(one.key, one);
      }
    } else if (entry && !keys.delete(entry.key)) keys.set(entry.key, entry);
    last.current = index;
    select(keys);
  };

  const chosen = () => {
    const here = listing.get(current);
    return selected.size > 0 ? [...selected.values()] : here ? [here] : [];
  };
  /** Runs an act on the row with the focus. @param {(entry: Entry) => void} act @param {boolean} [folders] */
  const here = (act, folders = false) => {
    const entry = listing.get(current);
    if (entry && (folders || !entry.folder)) act(entry);
  };
  const all = () => select(selected.size > 0 ? new Map() : new Map(listing.loaded().map((entry) => [entry.key, entry])));

  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.target instanceof Element && event.target.closest('[popover]')) return;
    /** @type {Record<string, () => void>} */
    const act = {
      ArrowDown: () => move(current + 1),
      ArrowUp: () => move(current - 1),
      PageDown: () => move(current + 10),
      PageUp: () => move(current - 10),
      Home: () => move(0),
      End: () => move(count - 1),
      x: () => toggle(current, event.shiftKey),
      ' ': () => toggle(current, event.shiftKey),
      Delete: () => acts.remove(chosen()),
      Escape: () => select(new Map()),
      Enter: () => here(acts.open, true),
      F2: () => here(acts.rename, true),
      i: () => here(acts.details),
      s: () => here(acts.share),
      m: () => acts.place(chosen(), 'move'),
      c: () => acts.place(chosen(), 'copy'),
      v: () => {
        if (versioned) here(acts.versions);
      },
    };
    if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      select(new Map(listing.loaded().map((entry) => [entry.key, entry])));
      return;
    }
    const onRow = event.target instanceof HTMLTableRowElement;
    const run = onRow && !event.ctrlKey && !event.metaKey && !event.altKey ? (act[event.key] ?? pageKeys[event.key]) : undefined;
    if (!run) return;
    event.preventDefault();
    run();
  };

  /** @param {'name' | 'bytes' | 'modified'} by @param {string} word @param {string} name */
  const head = (by, word, name) => {
    const sort = order.by === by ? (order.down ? 'descending' : 'ascending') : 'none';
    const next = { by, down: order.by === by ? !order.down : by !== 'name' };
    const text = setOrder
      ? html`<button type="button" tabindex="-1" onClick=${() => setOrder(next)}>${t(word)}${order.by === by && html`<${Icon} name=${order.down ? 'down' : 'up'} />`}</button>`
      : t(word);
    return html`<th scope="col" class=${name} aria-sort=${setOrder ? sort : undefined}>${text}</th>`;
  };
  const space = (/** @type {number} */ rows) => rows > 0 && html`<tr aria-hidden="true" class="space"><td colspan="5" style=${{ height: `${rows * seen.height}px` }}></td></tr>`;
  const row = (/** @type {number} */ index) =>
    html`<${Row} key=${index} bucket=${bucket} base=${base} entry=${listing.get(index)} index=${index} focused=${index === current} marked=${selected.has(listing.get(index)?.key ?? '')} focus=${() => setFocus(index)} toggle=${toggle} versioned=${versioned} acts=${acts} />`;
  const before = indexes.filter((index) => index < seen.from);
  const within = indexes.filter((index) => index >= seen.from && index < seen.to);
  const after = indexes.filter((index) => index >= seen.to);
  return html`<table class="table files" role="grid" aria-label=${t('folder.content', { name: label })} aria-rowcount=${listing.whole ? count + 1 : -1} aria-multiselectable="true" data-selecting=${selected.size > 0 || undefined} onKeyDown=${press}>
    <thead role="rowgroup">
      <tr role="row">
        <td class="fit"><input type="checkbox" tabindex="-1" aria-label=${t('select.all')} checked=${selected.size > 0} onChange=${all} /></td>
        ${head('name', 'name', '')}${head('bytes', 'size', 'num c3')}${head('modified', 'modified', 'c3')}
        <td class="fit"><span class="sr">${t('actions')}</span></td>
      </tr>
    </thead>
    <tbody ref=${body} role="rowgroup">
      ${before.map(row)}${space(seen.from - before.length)}${within.map(row)}${space(count - seen.to - after.length)}${after.map(row)}
    </tbody>
  </table>`;
}

/** @param {{ bucket: string, base: string | null, entry: Entry | undefined, index: number, focused: boolean, marked: boolean, focus: () => void, toggle: (index: number, through: boolean) => void, versioned: boolean, acts: Acts }} props */
function Row({ bucket, base, entry, index, focused, marked, focus, toggle, versioned, acts }) {
  if (!entry) {
    return html`<tr role="row" data-index=${index} aria-rowindex=${index + 2} tabindex=${focused ? 0 : -1}><td class="fit" role="gridcell"></td><th scope="row"><span class="bone" style=${{ '--v': 30 }}></span></th><td class="c3" role="gridcell"></td><td class="c3" role="gridcell"></td><td role="gridcell"></td></tr>`;
  }
  // What is found below a folder is told with its way.
  const name = base === null ? lastSegment(entry.key) : entry.key.slice(base.length);
  const href = entry.folder ? folderHref(bucket, entry.key) : downloadHref(bucket, entry.key);
  const under = entry.folder ? '' : `${size(entry.bytes)} · ${when(entry.modified)}`;
  /** @param {MouseEvent} event */
  const click = (event) => {
    if (event.target instanceof Element && event.target.closest('a, button, input, [popover]')) return;
    toggle(index, event.shiftKey);
  };
  /** @param {MouseEvent} event */
  const open = (event) => {
    if (entry.folder || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    acts.open(entry);
  };
  /** @param {string} icon @param {string} word @param {() => void} run */
  const item = (icon, word, run) => html`<button type="button" role="menuitem" onClick=${run}><${Icon} name=${icon} />${t(word)}</button>`;
  return html`<tr class=${entry.folder ? 'folder' : undefined} role="row" data-index=${index} aria-selected=${marked} aria-rowindex=${index + 2} tabindex=${focused ? 0 : -1} onFocus=${focus} onClick=${click}>
    <td class="fit" role="gridcell"><input type="checkbox" tabindex="-1" checked=${marked} aria-label=${t('select', { name })} onClick=${(/** @type {MouseEvent} */ event) => toggle(index, event.shiftKey)} /></td>
    <th scope="row">
      <div class="name">
        <${Icon} name=${entry.folder ? 'folder' : iconOf(entry.key)} />
        <span><a href=${href} download=${entry.folder ? undefined : ''} tabindex="-1" onClick=${open}><${Name} text=${name} /></a><span class="sub only-small">${under}</span></span>
      </div>
    </th>
    <td class="num mid c3" role="gridcell" title=${entry.bytes}>${entry.folder ? '—' : size(entry.bytes)}</td>
    <td class="mid nowrap c3" role="gridcell" title=${entry.modified}>${entry.folder ? '—' : when(entry.modified)}</td>
    <td class="act fit" role="gridcell">
      <${Menu} class="btn icon quiet small" id=${`row-${index}`} label=${t('actions.of', { name })} tabIndex=${focused ? 0 : -1} button=${html`<${Icon} name="more" />`}>
        ${entry.folder
          ? html`<a role="menuitem" href=${acts.zip([entry])} download=""><${Icon} name="zip" />${t('download.zip')}</a>`
          : html`<a role="menuitem" href=${href} download=""><${Icon} name="download" />${t('download')}</a>
              ${item('link', 'share', () => acts.share(entry))}${item('panel', 'details', () => acts.details(entry))}
              ${versioned && item('rewind', 'versions', () => acts.versions(entry))}`}
        ${item('pencil', 'rename', () => acts.rename(entry))}${item('move', 'move', () => acts.place([entry], 'move'))}${item('copy', 'copy', () => acts.place([entry], 'copy'))}
        <hr />
        ${item('trash', 'delete', () => acts.remove([entry]))}
      <//>
    </td>
  </tr>`;
}
