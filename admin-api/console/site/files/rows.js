import { useRef, useState } from 'preact/hooks';
import { downloadHref } from '../door.js';
import { size, when } from '../parts/format.js';
import { html } from '../parts/html.js';
import { Icon } from '../parts/icon.js';
import { Menu } from '../parts/menu.js';
import { Name } from '../parts/name.js';
import { folderHref } from '../store.js';
import { t } from '../words/words.js';
import { iconOf, lastSegment } from './names.js';

/** @typedef {import('./folder.js').Entry} Entry */

/**
 * The rows of a folder: a grid in which the arrows move (APG, "Grid").
 * @param {{ bucket: string, label: string, entries: Entry[], selected: Set<string>, select: (keys: Set<string>) => void, versioned: boolean, remove: (entries: Entry[]) => void, showVersions: (key: string) => void, keys: Record<string, () => void> }} props
 */
export function Rows({ bucket, label, entries, selected, select, versioned, remove, showVersions, keys: pageKeys }) {
  const [focus, setFocus] = useState(0);
  const last = useRef(0);
  const body = useRef(/** @type {HTMLTableSectionElement | null} */ (null));
  const current = Math.min(focus, entries.length - 1);

  /** @param {number} index */
  const move = (index) => {
    const to = Math.max(0, Math.min(entries.length - 1, index));
    setFocus(to);
    /** @type {HTMLElement | undefined} */ (body.current?.rows[to])?.focus();
  };

  /** @param {number} index @param {boolean} through */
  const toggle = (index, through) => {
    const keys = new Set(selected);
    const key = entries[index]?.key ?? '';
    if (through) {
      const [from, to] = [Math.min(last.current, index), Math.max(last.current, index)];
      for (const entry of entries.slice(from, to + 1)) keys.add(entry.key);
    } else if (!keys.delete(key)) keys.add(key);
    last.current = index;
    select(keys);
  };

  const chosen = () => {
    const marked = entries.filter((entry) => selected.has(entry.key));
    const here = entries[current];
    return marked.length > 0 ? marked : here ? [here] : [];
  };

  /** @param {KeyboardEvent} event */
  const press = (event) => {
    if (event.target instanceof Element && event.target.closest('[popover]')) return;
    /** @type {Record<string, () => void>} */
    const acts = {
      ArrowDown: () => move(current + 1),
      ArrowUp: () => move(current - 1),
      PageDown: () => move(current + 10),
      PageUp: () => move(current - 10),
      Home: () => move(0),
      End: () => move(entries.length - 1),
      x: () => toggle(current, event.shiftKey),
      ' ': () => toggle(current, event.shiftKey),
      Delete: () => remove(chosen()),
      Escape: () => select(new Set()),
      v: () => {
        const here = entries[current];
        if (versioned && here && !here.folder) showVersions(here.key);
      },
      Enter: () => /** @type {HTMLElement | null | undefined} */ (body.current?.rows[current]?.querySelector('th a'))?.click(),
    };
    if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      select(new Set(entries.map((entry) => entry.key)));
      return;
    }
    const onRow = event.target instanceof HTMLTableRowElement;
    const act = onRow && !event.ctrlKey && !event.metaKey && !event.altKey ? (acts[event.key] ?? pageKeys[event.key]) : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  };

  const all = entries.every((entry) => selected.has(entry.key));
  return html`<table class="table files" role="grid" aria-label=${t('folder.content', { name: label })} aria-rowcount=${entries.length + 1} aria-multiselectable="true" onKeyDown=${press}>
    <thead role="rowgroup">
      <tr role="row">
        <td class="fit"><input type="checkbox" tabindex="-1" aria-label=${t('select.all')} checked=${all} onChange=${() => select(new Set(all ? [] : entries.map((entry) => entry.key)))} /></td>
        <th scope="col" aria-sort="ascending">${t('name')}</th>
        <th scope="col" class="num c3">${t('size')}</th>
        <th scope="col" class="c3">${t('modified')}</th>
        <td class="fit"><span class="sr">${t('actions')}</span></td>
      </tr>
    </thead>
    <tbody ref=${body}>
      ${entries.map(
        (entry, index) => html`<${Row} key=${entry.key} bucket=${bucket} entry=${entry} index=${index} focused=${index === current} marked=${selected.has(entry.key)} focus=${() => setFocus(index)} toggle=${toggle} versioned=${versioned} remove=${remove} showVersions=${showVersions} />`,
      )}
    </tbody>
  </table>`;
}

/** @param {{ bucket: string, entry: Entry, index: number, focused: boolean, marked: boolean, focus: () => void, toggle: (index: number, through: boolean) => void, versioned: boolean, remove: (entries: Entry[]) => void, showVersions: (key: string) => void }} props */
function Row({ bucket, entry, index, focused, marked, focus, toggle, versioned, remove, showVersions }) {
  const name = lastSegment(entry.key);
  const href = entry.folder ? folderHref(bucket, entry.key) : downloadHref(bucket, entry.key);
  const under = entry.folder ? '' : `${size(entry.bytes)} · ${when(entry.modified)}`;
  /** @param {MouseEvent} event */
  const click = (event) => {
    if (event.target instanceof Element && event.target.closest('a, button, input, [popover]')) return;
    toggle(index, event.shiftKey);
  };
  return html`<tr class=${entry.folder ? 'folder' : undefined} role="row" aria-selected=${marked} aria-rowindex=${index + 2} tabindex=${focused ? 0 : -1} onFocus=${focus} onClick=${click}>
    <td class="fit" role="gridcell"><input type="checkbox" tabindex="-1" checked=${marked} aria-label=${t('select', { name })} onClick=${(/** @type {MouseEvent} */ event) => toggle(index, event.shiftKey)} /></td>
    <th scope="row">
      <div class="name">
        <${Icon} name=${entry.folder ? 'folder' : iconOf(entry.key)} />
        <span><a href=${href} download=${entry.folder ? undefined : ''} tabindex="-1"><${Name} text=${name} /></a><span class="sub only-small">${under}</span></span>
      </div>
    </th>
    <td class="num mid c3" role="gridcell">${entry.folder ? '—' : size(entry.bytes)}</td>
    <td class="mid nowrap c3" role="gridcell" title=${entry.modified}>${entry.folder ? '—' : when(entry.modified)}</td>
    <td class="act fit" role="gridcell">
      <${Menu} class="btn icon quiet small" id=${`row-${index}`} label=${t('actions.of', { name })} tabIndex=${focused ? 0 : -1} button=${html`<${Icon} name="more" />`}>
        ${!entry.folder && html`<a role="menuitem" href=${href} download=""><${Icon} name="download" />${t('download')}</a>`}
        ${!entry.folder && versioned && html`<button type="button" role="menuitem" onClick=${() => showVersions(entry.key)}><${Icon} name="rewind" />${t('versions')}</button>`}
        <button type="button" role="menuitem" onClick=${() => remove([entry])}><${Icon} name="trash" />${t('delete')}</button>
      <//>
    </td>
  </tr>`;
}
